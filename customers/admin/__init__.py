"""The back office's pages of the registry; importing it registers them."""

from customers.admin import business, customer, people

__all__ = ["business", "customer", "people"]
