"""The back office's pages of the registry; importing it registers them."""

# Before the others: it takes the libraries' own pages of clients and tokens away.
from customers.admin import people  # isort: skip
from customers.admin import attributes, business, clients, customer, keys, sign_ins

__all__ = ["attributes", "business", "clients", "customer", "keys", "people", "sign_ins"]
