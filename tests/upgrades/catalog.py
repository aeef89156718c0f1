"""What a database is made of, to compare one with another."""

import re

from tests.upgrades.release import session

# PostgreSQL writes lists of texts with these in other places when a dump is restored.
CASTS = re.compile(r"::(character varying|text)(\[\])?|[()]")

QUERIES = {
    "column": """
        SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull,
            attidentity, attgenerated, attstorage, attstattarget,
            pg_get_expr(adbin, adrelid), attcollation::regcollation::text
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0
            AND NOT attisdropped""",
    "index": """
        SELECT pg_get_indexdef(indexrelid), indisvalid, indisready, indisprimary, indimmediate
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = 'public'::regnamespace""",
    "constraint": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "trigger": """
        SELECT pg_get_triggerdef(pg_trigger.oid), tgenabled::text FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid
        WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace""",
    "function": """
        SELECT pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'kith%'""",
    "relation": """
        SELECT relkind::text, relname, reloptions::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace""",
}


def catalog(url: str) -> set[tuple[str, ...]]:
    """Every column, index, constraint, trigger and function of a database."""
    with session(url) as asked:
        return {
            (kind, *(CASTS.sub("", cell) if kind != "function" else cell for cell in map(str, row)))
            for kind, query in QUERIES.items()
            for row in asked.execute(query.encode())
        }
