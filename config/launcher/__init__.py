"""What `./kith` runs: a supervisor with PostgreSQL, Valkey, web, worker and scheduler as children.

Nothing in here imports Django, and nothing of the product imports this package.
"""
