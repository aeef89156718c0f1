"""What becomes of some items in one transaction: read them, read the registry, plan, write."""
