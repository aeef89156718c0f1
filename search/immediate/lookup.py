"""From criteria to customers: the SQL of an immediate search.

One statement finds the customers that match (`FOUND`, at most one more than are counted exactly),
counts them, puts a page of them in order and makes the rows of that page. Where a criterion is an
exact value with an index of its own, the statement is prepared: its plan does not depend on the
values. A list that is longer than that is read along an index in its order, by a second statement,
and its length is the planner's estimate, if there is one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from config.api.actors import Actor, ActorType
from config.api.pagination import EXACT_TOTAL
from config.db.estimates import expected_rows
from config.db.statements import array, planned_rows, prepared_rows
from customers.models import AttributeDefinition, ContactPoint, Customer
from search.immediate.criteria import (
    ActivityCriterion,
    Attributes,
    Criteria,
    Custom,
    Definitions,
    Sort,
    Span,
    Value,
    Window,
)
from search.immediate.rows import COLUMNS, Row, extra_columns

# A word this long is found by its trigrams.
TRIGRAM = 3
CONTACT = AttributeDefinition.Target.CONTACT

BY_VALUE = """c.id IN (
    SELECT p.customer_id FROM customers_contactpoint p
    WHERE p.kind = '{kind}' AND p.value_key = %s{phone})"""
# A number with its extension behind it; the expression is that of the index.
WITH_EXTENSION = """
    UNION ALL SELECT p.customer_id FROM customers_contactpoint p
    WHERE p.kind = 'PHONE' AND p.extension <> ''
      AND (COALESCE(p.value_key, '') || COALESCE(
          REGEXP_REPLACE(p.extension, '\\D', '', 'g'), '')) = %s"""
VALUE = """SELECT v.customer_id FROM customers_attributevalue v
    WHERE v.definition_id = ANY(%s::uuid[])
      AND hashtextextended(v.value, 0) = hashtextextended(%s, 0) AND v.value = %s
      AND v.value_sealed IS NULL AND v.contact_id IS {which}"""
ALSO = """ AND EXISTS (SELECT 1 FROM customers_attributevalue o
    WHERE o.customer_id = v.customer_id AND o.contact_id = v.contact_id
      AND o.definition_id = ANY(%s::uuid[]) AND o.value = %s AND o.value_sealed IS NULL)"""
ACTIVITY = "EXISTS (SELECT 1 FROM customers_activity a WHERE {condition})"
SORT_VALUE = """(SELECT v.value FROM customers_attributevalue v
    WHERE v.customer_id = c.id AND v.contact_id IS NULL AND v.value_sealed IS NULL
      AND v.definition_id = ANY(%s::uuid[]))"""
SORT_KEYS = {"id": "", "type": "c.type", "customerName": "c.name_key", "custom": SORT_VALUE}

FIRST = """
WITH found AS MATERIALIZED (
    SELECT c.id{key} FROM customers_customer c WHERE {condition} LIMIT {limit}),
total AS MATERIALIZED (SELECT count(*) AS count FROM found),
page AS MATERIALIZED (
    SELECT row_number() OVER () AS position, id FROM (
        SELECT id FROM found WHERE (SELECT count FROM total) < {limit}
        ORDER BY {order} OFFSET %s LIMIT %s) ordered)
SELECT (SELECT count FROM total), {columns}
FROM (SELECT) one LEFT JOIN (page JOIN customers_customer c USING (id)) ON true
ORDER BY page.position"""
LONG = """
WITH page AS MATERIALIZED (
    SELECT row_number() OVER () AS position, id FROM (
        SELECT id FROM ({candidates}) candidates ORDER BY {order} OFFSET %s LIMIT %s) ordered)
SELECT NULL, {columns} FROM page JOIN customers_customer c USING (id)
ORDER BY page.position"""
ALL = "SELECT c.id{key} FROM customers_customer c WHERE {condition}"
# The first customers of one business account, by an index in this order. Only as many rows are read
# as the merged list needs; without a limit of its own no part would be read in its order.
BY_NAME = """
    (SELECT c.id, c.name_key AS key FROM customers_customer c
    WHERE c.business_account_id = %s AND {rest} ORDER BY key{direction}, id{direction} LIMIT %s)"""
BY_TYPE = """
    (SELECT c.id, c.type AS key FROM customers_customer c
    WHERE c.business_account_id = %s AND c.type = '{type}' AND c.status = '{status}'
      AND c.is_named = {is_named} AND {rest} ORDER BY id{direction} LIMIT %s)"""
FIRST_OF_TYPE = "(SELECT id, key FROM ({parts}) parts ORDER BY id{direction} LIMIT %s)"
# More accounts take longer to plan for than one long sort takes.
MOST_MERGED = 16
# SQL, and the values of its placeholders.
Part = tuple[str, list[Value]]
Cells = tuple[Any, ...]  # each of the type of its column
ESTIMATE = "SELECT 1 FROM customers_customer c WHERE {condition}"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search, and how many customers there are in all, or about how many."""

    rows: list[Row]
    count: int
    is_estimate: bool
    has_next: bool


@dataclass
class Condition:
    """Which customers: those of `accounts` for whom all `parts` hold, SQL with its `values`."""

    accounts: Sequence[UUID]
    parts: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def add(self, part: str, *values: Value) -> None:
        """One more part that must hold."""
        self.parts.append(part)
        self.values += values

    @property
    def rest(self) -> str:
        """The condition without the accounts."""
        return " AND ".join(self.parts)

    @property
    def sql(self) -> str:
        """The whole condition, with the accounts as its first value."""
        one, some = "c.business_account_id = %s", "c.business_account_id = ANY(%s::uuid[])"
        return f"{one if len(self.accounts) == 1 else some} AND {self.rest}"

    @property
    def all_values(self) -> list[Value]:
        """The values of `sql`."""
        is_one = len(self.accounts) == 1
        return [self.accounts[0] if is_one else array(self.accounts), *self.values]


def find(
    *,
    actor: Actor,
    criteria: Criteria,
    definitions: Definitions,
    departments: Sequence[object] | None,
    sort: Sort,
    window: Window,
    attributes: Attributes,
    using: str,
) -> Found:
    """The customers for whom all criteria hold and whom the actor may see, in a database.

    `departments` are those in which a customer has to be; None for any, or none.
    """
    condition = visible_to(actor)
    if departments is not None:
        condition.add("c.department_id = ANY(%s::uuid[])", array(departments))
    for part, values in conditions(criteria, definitions):
        condition.add(part, *values)
    is_exact = bool(criteria.points) or actor.type == ActorType.CUSTOMER
    return page_of(condition, sort, window, attributes, definitions, is_exact=is_exact, using=using)


def find_by_id(
    *,
    actor: Actor,
    ids: Sequence[object],
    sort: Sort,
    attributes: Attributes,
    definitions: Definitions,
) -> list[Row]:
    """The customers with these ids whom the actor may see, in order."""
    condition = visible_to(actor)
    if (departments := home_departments(actor)) is not None:
        condition.add("c.department_id = ANY(%s::uuid[])", array(departments))
    condition.add("c.id = ANY(%s::uuid[])", array(ids))
    window = Window(0, len(ids))
    found = page_of(
        condition, sort, window, attributes, definitions, is_exact=True, using=DEFAULT_DB_ALIAS
    )
    return found.rows


def visible_to(actor: Actor) -> Condition:
    """The customers of the actor's tree that are not deleted; of a signed-in customer itself."""
    condition = Condition(actor.tree)
    condition.add(f"c.status <> '{Customer.Status.DELETED}'")
    if actor.customer_id is not None:
        condition.add("c.id = %s", actor.customer_id)
    return condition


def home_departments(actor: Actor) -> Sequence[object] | None:
    """The departments to which departmentalization confines an employee; None for no limit, and
    for other actors, who have no home department.
    """
    return actor.departments if actor.is_departmental and actor.departments else None


def conditions(criteria: Criteria, definitions: Definitions) -> Iterator[Part]:
    """The criteria as SQL with its values."""
    for kind, key in criteria.points:
        is_phone = kind == ContactPoint.Kind.PHONE
        sql = BY_VALUE.format(kind=kind, phone=WITH_EXTENSION if is_phone else "")
        yield sql, [key, key] if is_phone else [key]
    if criteria.type:
        yield "c.type = %s", [criteria.type]
    if criteria.created:
        yield within("c.created_at", criteria.created)
    if criteria.name:
        yield from name_conditions(criteria.name, is_filter=bool(criteria.points))
    yield from custom_conditions(criteria.custom, definitions)
    if criteria.activity:
        yield activity_condition(criteria.activity)


def within(column: str, span: Span) -> Part:
    """A moment is within a range."""
    bounds = [(">=", span.start), ("<=", span.end)]
    given = [(sign, moment) for sign, moment in bounds if moment is not None]
    sql = " AND ".join(f"{column} {sign} %s" for sign, _ in given)
    return sql, [moment for _, moment in given]


def name_conditions(name: str, *, is_filter: bool) -> Iterator[Part]:
    """The name contains a text: by the trigrams of its longer words, or by the index of names.

    `is_filter` leaves the indexes to another criterion, which finds few customers already.
    """
    words = [word for word in name.split() if len(word) >= TRIGRAM]
    if words and not is_filter:
        for word in words:
            yield "c.search_text LIKE %s", [containing(word)]
    if words or is_filter:
        yield "c.name_folded LIKE %s", [containing(name)]
    else:
        yield "c.name_key LIKE %s", [containing(name)]


def containing(text: str) -> str:
    """The pattern of LIKE for texts that contain this one."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"


def custom_conditions(entries: Sequence[Custom], definitions: Definitions) -> Iterator[Part]:
    """Custom attributes have these values; those of contacts all of one and the same contact."""
    of_contacts = [each for each in entries if each.target == CONTACT]
    for each in entries:
        if each.target != CONTACT:
            ids = array(definitions.ids(each.target, each.name))
            sql = VALUE.format(which="NULL")
            yield f"c.id IN ({sql})", [ids, each.value, each.value]
    if of_contacts:
        first, *others = of_contacts
        ids = array(definitions.ids(first.target, first.name))
        sql = VALUE.format(which="NOT NULL")
        values: list[Value] = [ids, first.value, first.value]
        for each in others:
            sql += ALSO
            values += [array(definitions.ids(each.target, each.name)), each.value]
        yield f"c.id IN ({sql})", values


def activity_condition(criterion: ActivityCriterion) -> Part:
    """One activity satisfies all that is asked of it."""
    condition = Condition(())
    condition.add("a.customer_id = c.id")
    columns = {
        "type": criterion.type or None,
        "mode": criterion.mode or None,
        "is_read": criterion.is_read,
        "is_secure": criterion.is_secure,
    }
    for column, value in columns.items():
        if value is not None:
            condition.add(f"a.{column} = %s", value)
    if criterion.sent:
        sql, values = within("a.sent_date", criterion.sent)
        condition.add(sql, *values)
    return ACTIVITY.format(condition=condition.rest), condition.values


def page_of(
    condition: Condition,
    sort: Sort,
    window: Window,
    attributes: Attributes,
    definitions: Definitions,
    *,
    is_exact: bool,
    using: str,
) -> Found:
    """A page of the customers for whom a condition holds, in an order. Two more queries at most."""
    key = SORT_KEYS[sort.name]
    key_values: list[Value] = []
    if sort.attribute:
        ids = definitions.ids(AttributeDefinition.Target.CUSTOMER, sort.attribute)
        key_values.append(array(ids))
    columns, column_values = extra_columns(attributes)
    parts = {
        "key": f", {key} AS key" if key else "",
        "condition": condition.sql,
        "order": order_by(sort),
        "columns": ", ".join([*COLUMNS, *columns]),
        "limit": EXACT_TOTAL + 1,
    }
    slice_values = [window.offset, window.size + 1, *column_values]
    values = [*key_values, *condition.all_values]
    run = prepared_rows if is_exact else planned_rows
    answer = run(FIRST.format(**parts), [*values, *slice_values], using=using)
    count, is_estimate = int(answer[0][0]), False
    rows = [Row(*each[1:]) for each in answer if each[1] is not None]
    if count > EXACT_TOTAL:
        candidates, own_values = candidates_of(condition, sort, window)
        sql = LONG.format(**parts, candidates=candidates or ALL.format(**parts))
        answer = planned_rows(sql, [*(own_values or values), *slice_values], using=using)
        rows = [Row(*each[1:]) for each in answer]
        estimate = ESTIMATE.format(**parts)
        expected = expected_rows(estimate, condition.all_values, connections[using]) or 0
        shown = window.offset + len(rows)
        count, is_estimate = max(expected, count, shown), True
    return Found(rows[: window.size], count, is_estimate, len(rows) > window.size)


def candidates_of(condition: Condition, sort: Sort, window: Window) -> Part:
    """SQL that finds the first customers of a long list along indexes, with its values.

    Empty where no index has the order, or there are too many business accounts to merge.
    """
    if len(condition.accounts) > MOST_MERGED:
        return "", []
    end = window.offset + window.size + 1
    shape = {"rest": condition.rest, "direction": " DESC" if sort.is_descending else ""}
    if sort.name == "customerName":
        return merged([BY_NAME.format(**shape)], condition, end)
    if sort.name != "type":
        return "", []
    found, values = [], []
    for kind in Customer.Type.values:
        branches = [
            BY_TYPE.format(**shape, type=kind, status=status, is_named=is_named)
            for status in (Customer.Status.ACTIVE, Customer.Status.SUSPENDED)
            for is_named in ("true", "false")
        ]
        parts, own = merged(branches, condition, end)
        found.append(FIRST_OF_TYPE.format(parts=parts, **shape))
        values += [*own, end]
    return " UNION ALL ".join(found), values


def merged(branches: Sequence[str], condition: Condition, end: int) -> Part:
    """SQL for the first `end` rows of these branches of each business account, with its values."""
    pairs = [(account, branch) for account in condition.accounts for branch in branches]
    values = [value for account, _ in pairs for value in (account, *condition.values, end)]
    return " UNION ALL ".join(branch for _, branch in pairs), values


def order_by(sort: Sort) -> str:
    """The order of a page; customers without a custom attribute come last either way."""
    direction = " DESC" if sort.is_descending else ""
    by_id = f"id{direction}"
    match sort.name:
        case "id":
            return by_id
        case "custom":
            return f"key{direction} NULLS LAST, {by_id}"
        case _:
            return f"key{direction}, {by_id}"
