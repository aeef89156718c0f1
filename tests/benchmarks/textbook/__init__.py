"""A customer list as the textbooks of Django REST framework build it: what Kith is compared with.

Its author tuned it: two queries more for all children of a page, indexes for what is looked up,
cursors for long lists, connections that stay open. It keeps no record of changes, knows no bulk
load, no conditional requests and no trees of accounts.
"""
