"""A registry of its own under all that its API documentation allows, and much that it does not.

`./kith fuzz` starts PostgreSQL, Valkey, web, worker and scheduler on empty data, fills them, and
has Schemathesis make calls in the names of several people and programs: examples, coverage of each
schema, values at random, and chains of calls along the links of the document. When the time is up,
the answers, the logs and the jobs are checked.
"""
