"""The tables of a distributed database: where they lie, how they come to, and whether they do."""
