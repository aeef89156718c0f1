"""What a release is made of: its packages with their licences, a bill of materials, an audit.

`./kith licences`, `./kith sbom` and `./kith audit` run it. Nothing of the product imports it.
"""
