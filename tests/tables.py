"""What walks over tables and routes leave out, and why."""

# What is not logged: keys, bookkeeping, and what is derived from a logged column.
UNTRACKED = {
    "id",
    "customer_id",
    "version",
    "name",
    "search_text",
    "address_keys",
    "name_key",
    *("sort_first_name", "sort_last_name", "is_named"),
    "value_key",
    "social_id_digest",
    "social_id_last4",
    *("created_at", "created_by_type", "created_by_id"),
    *("updated_at", "updated_by_type", "updated_by_id"),
    # Every change has them itself.
    *("employee_id", "reason"),
}

# API routes that a scope does not guard.
WITHOUT_SCOPE = {
    "v1/api-keys/exchange": "is where tokens come from; asks for the key's secret",
    "v2/session/startSession": "likewise, in the publishers' way",
    "v1/search/results/<id:search_id>/<str:signature>/<str:file_name>": "its path is signed, and"
    " checked against what the client that made the search may still see",
}
