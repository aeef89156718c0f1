"""Measurements, none of which passes or fails: `python -m tests.benchmarks [NAME]`, `./kith bench`.

Each is a module with a `run()` that prints one `report.table`, whose ratios are against a yardstick
measured in the same run. `dataset` has the customers to measure on.
"""
