"""The back office's pages of the registry; importing it registers them."""

from customers.admin import attributes, business, customer, people

__all__ = ["attributes", "business", "customer", "people"]
