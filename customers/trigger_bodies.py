"""The bodies of the trigger functions that write the change log, made of one description.

There are two of each. `plain` is that of one PostgreSQL server, as the migrations made it.
`sharded` is that of a distributed engine, where a trigger fires on the shards of its table, each on
its node: there it must not name a distributed table, but writes into the shard of the change log
that lies beside its own, whose name it has to find out. So each of its statements is planned anew,
which is why one body does not do for both. Both write the same rows.

All triggers fire once per statement and read its transition tables, so that a bulk statement of
100,000 rows is one INSERT into the log.
"""

from collections.abc import Iterable

from customers.tracked import Tracked

COLUMNS = (
    "at, actor_type, actor_id, via, request_id, reason, customer_id, entity, entity_id, operation"
)
# Where one transaction does many requests, a row's own entry counts more than its customer's.
WHO = """act.at, act.actor_type, act.actor_id, act.via,
            CASE WHEN act.requests IS NULL THEN act.request_id ELSE coalesce(
                act.requests ->> {row}.{id}::text, act.requests ->> {row}.{customer}::text,
                act.request_id) END,
            act.reason"""

PLAIN = """
DECLARE
    act record;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    act := kith_act();
    IF TG_OP = 'INSERT' THEN
        INSERT INTO customers_change ({columns}, after)
        SELECT {new_who}, became.{customer}, '{entity}', became.{id}, 'created', {made}
        FROM new_rows AS became;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO customers_change ({columns}, before{kept})
        SELECT {old_who}, was.{customer}, '{entity}', was.{id}, 'deleted', {gone}{kept_of_gone}
        FROM old_rows AS was;
    ELSE
        INSERT INTO customers_change ({columns}, before, after{kept})
        SELECT {old_who}, was.{customer}, '{entity}', was.{id}, 'updated', {old}, {new}{kept_of_old}
        FROM old_rows AS was
        JOIN new_rows AS became ON became.{customer} = was.{customer} AND became.{id} = was.{id}
        WHERE ({all_old}) IS DISTINCT FROM ({all_new});
    END IF;
    RETURN NULL;
END
"""

# A shard is named as its table, with its number behind. Those of the same rows begin at the same
# hash. The sequence, for a shard has no identity.
SHARDED = """
DECLARE
    shard text;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_change_' || beside.shardid) INTO shard
    FROM pg_dist_shard own JOIN pg_dist_shard beside ON beside.shardminvalue = own.shardminvalue
    WHERE own.shardid = substring(TG_TABLE_NAME from '_([0-9]+)$')::bigint
        AND beside.logicalrelid = 'customers_change'::regclass;
    IF shard IS NULL THEN
        RAISE EXCEPTION 'no shard of the change log lies beside %', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, {columns}, after)
        SELECT {number}, {new_who}, became.{customer}, '{entity}', became.{id}, 'created', {made}
        FROM kith_act() AS act, new_rows AS became$rows$, shard);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format($rows$
        INSERT INTO %s (id, {columns}, before{kept})
        SELECT {number}, {old_who}, was.{customer}, '{entity}', was.{id}, 'deleted',
               {gone}{kept_of_gone}
        FROM kith_act() AS act, old_rows AS was$rows$, shard);
    ELSE
        EXECUTE format($rows$
        INSERT INTO %s (id, {columns}, before, after{kept})
        SELECT {number}, {old_who}, was.{customer}, '{entity}', was.{id}, 'updated',
               {old}, {new}{kept_of_old}
        FROM kith_act() AS act, old_rows AS was
        JOIN new_rows AS became ON became.{customer} = was.{customer} AND became.{id} = was.{id}
        WHERE ({all_old}) IS DISTINCT FROM ({all_new})$rows$, shard);
    END IF;
    RETURN NULL;
END
"""
NUMBER = "nextval('customers_change_id_seq')"


def plain(tracked: Tracked) -> str:
    """The body of a table's trigger function on one server, as PostgreSQL keeps it."""
    return PLAIN.format_map(parts(tracked))


def sharded(tracked: Tracked) -> str:
    """Likewise, for the shards of the table."""
    return SHARDED.format_map(parts(tracked) | {"number": NUMBER})


def create(tracked: Tracked, body: str) -> str:
    """SQL that makes the function, or puts another body into it.

    Nested loops are off because the plan is kept for the life of a connection: made for an UPDATE
    of one row, it would compare each with each at the next one of 100,000.
    """
    return (
        f"CREATE OR REPLACE FUNCTION {tracked.function}() RETURNS trigger LANGUAGE plpgsql\n"
        f"SET enable_nestloop = off AS $${body}$$"
    )


def parts(tracked: Tracked) -> dict[str, str]:
    """What the templates have in common, by name."""
    columns = members(tracked)

    def given(row: str) -> str:
        return document(
            f"""'"{column}":' || {sql.format(row=row)}""" for column, sql in columns.items()
        )

    def changed(row: str) -> str:
        return document(
            f"CASE WHEN was.{column} IS DISTINCT FROM became.{column}"
            f""" THEN '"{column}":' || coalesce({sql.format(row=row)}::text, 'null') END"""
            for column, sql in columns.items()
        )

    return {
        "columns": COLUMNS,
        "new_who": WHO.format(row="became", id=tracked.id, customer=tracked.customer),
        "old_who": WHO.format(row="was", id=tracked.id, customer=tracked.customer),
        "entity": tracked.entity,
        "customer": tracked.customer,
        "id": tracked.id,
        "made": given("became"),
        "gone": given("was"),
        "old": changed("was"),
        "new": changed("became"),
        "all_old": ", ".join(f"was.{column}" for column in columns),
        "all_new": ", ".join(f"became.{column}" for column in columns),
        "kept": ", kept, sealed" if tracked.undoable else "",
        "kept_of_gone": kept(
            tracked, f"{tracked.companions} {tracked.of_deleted}", only_changed=False
        ),
        "kept_of_old": kept(tracked, tracked.companions, only_changed=True),
    }


def members(tracked: Tracked) -> dict[str, str]:
    """Column -> the SQL of its JSON, `{row}` standing for the row's alias; NULL where not given."""
    by_kind = {
        "to_json(nullif({{row}}.{0}, ''))": tracked.texts,
        "to_json({{row}}.{0})": tracked.values,
        "to_json(nullif({{row}}.{0}, '{{{{}}}}'))": tracked.documents,
        "CASE WHEN {{row}}.{0} IS NOT NULL THEN '\"***\"' END": tracked.secrets,
    }
    return {
        column: expression.format(column)
        for expression, columns in by_kind.items()
        for column in columns.split()
    }


def document(members: Iterable[str]) -> str:
    """A jsonb object of the members that are not NULL.

    Joined as text: over 100,000 rows that took 2.8 µs a row where jsonb_strip_nulls around
    jsonb_build_object took 4.4.
    """
    return "('{' || concat_ws(',', " + ", ".join(members) + ") || '}')::jsonb"


def kept(tracked: Tracked, columns: str, *, only_changed: bool) -> str:
    """The values of `kept` and `sealed`, behind the others; nothing where there is no undo."""
    if not tracked.undoable:
        return ""
    values = (old_values(each, only_changed=only_changed) for each in (columns, tracked.secrets))
    return f",\n{' ' * 15}{', '.join(values)}"


def old_values(columns: str, *, only_changed: bool) -> str:
    """SQL of a jsonb object of the old values that are there; NULL where none is."""
    if not columns.split():
        return "NULL::jsonb"
    condition = "was.{0} IS DISTINCT FROM became.{0} AND " if only_changed else ""
    members = ", ".join(
        f"CASE WHEN {condition.format(column)}was.{column} IS NOT NULL"
        f""" THEN '"{column}":' || to_json(was.{column})::text END"""
        for column in columns.split()
    )
    return f"('{{' || nullif(concat_ws(',', {members}), '') || '}}')::jsonb"
