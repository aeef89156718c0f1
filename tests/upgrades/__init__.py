"""Upgrades from the data of 0.1.0, as `tests.test_upgrade` and `./kith bench upgrade` try them."""
