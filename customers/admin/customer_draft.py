"""A customer while it is typed: read from a form, and compared with what it was made from.

A draft is a flat object, member's path -> text or boolean, with lists of such objects under
`contacts`, `contactPoints` and `addresses`, and of pairs under `metadata`. What is in the database
keeps its `id`; `remove` marks what is to go.
"""

import re
from collections.abc import Iterator, Sequence

from django.http import QueryDict

from config.api.json import Json
from customers.admin.customer_fields import (
    ADDRESSES,
    CONTACTS,
    MAX_PAIRS,
    POINTS,
    Member,
    Plan,
)

Draft = Json
CLEAR = "!clear"
MOST_ENTRIES = 100
# Objects that are sent as null when nothing is left in them.
VIEWS = ("primaryPhoneNumber", "primaryEmail")
TYPED = frozenset({"text", "email", "tel", "date", "sealed", "long"})


# --- From the database and from a form ------------------------------------------------------------


def draft_of(customer: Json, plan: Plan) -> Draft:
    """What is stored, from the customer object."""
    draft = values_of(customer, plan.members)
    draft["metadata"] = [{"key": k, "value": v} for k, v in customer["metadata"].items()]
    for name, members in lists_of(plan):
        draft[name] = [entry_of(each, members, plan) for each in customer.get(name, ())]
    return without_primary(draft)


def without_primary(draft: Draft) -> Draft:
    """Primary contact points are typed in by themselves."""
    if POINTS in draft:
        draft[POINTS] = [each for each in draft[POINTS] if not each.get("primary")]
    return draft


def entry_of(stored: Json, members: Sequence[Member], plan: Plan) -> Draft:
    """One entry of a list, with the lists within it."""
    entry = values_of(stored, members) | {"id": stored["id"]}
    if members is plan.entries.get(CONTACTS):
        entry["primary"] = stored["primary"]
        entry[POINTS] = [entry_of(each, plan.entries[POINTS], plan) for each in stored[POINTS]]
    return without_primary(entry)


def values_of(stored: Json, members: Sequence[Member]) -> Draft:
    """The members of an object; of sealed ones nothing."""
    draft: Draft = {}
    for member in members:
        outer, _, inner = member.path.partition(".")
        value = stored.get(outer)
        if inner:
            value = (value or {}).get(inner)
        if member.kind == "flag":
            draft[member.path] = bool(value)
        else:
            draft[member.path] = "" if member.kind == "sealed" else str(value or "")
    return draft


def read(form: QueryDict, plan: Plan) -> Draft:
    """What was typed in; new entries in which nothing was are left out."""
    draft = read_values(form, plan.members, "")
    draft["metadata"] = [
        {name: tidy(form.get(f"metadata[{index}].{name}", "")) for name in ("key", "value")}
        for index in range(MAX_PAIRS)
    ]
    draft["metadata"] = [pair for pair in draft["metadata"] if pair["key"] or pair["value"]]
    for name, members in lists_of(plan):
        draft[name] = read_entries(form, members, plan, name)
    return draft


def read_entries(form: QueryDict, members: Sequence[Member], plan: Plan, path: str) -> list[Draft]:
    """The entries of a list."""
    pattern = re.compile(re.escape(path) + r"\[(\d{1,4})\]\.")
    indexes = sorted({int(found[1]) for name in form if (found := pattern.match(name))})
    entries = []
    for index in indexes[:MOST_ENTRIES]:
        place = f"{path}[{index}]."
        entry = read_values(form, members, place)
        if entry_id := form.get(f"{place}id", ""):
            entry["id"] = entry_id
        entry["remove"] = f"{place}remove" in form
        if members is plan.entries.get(CONTACTS):
            entry["primary"] = form.get("primaryContact", "") == str(index)
            entry[POINTS] = read_entries(form, plan.entries[POINTS], plan, f"{place}{POINTS}")
        if entry_id or (not entry["remove"] and says_something(entry, members)):
            entries.append(entry)
    return entries


def says_something(entry: Draft, members: Sequence[Member]) -> bool:
    """Whether anything was typed into a new entry."""
    typed = any(entry[member.path] for member in members if member.kind in TYPED)
    return typed or bool(entry.get(POINTS))


def read_values(form: QueryDict, members: Sequence[Member], place: str) -> Draft:
    """The members of an object, at a place of the form."""
    draft: Draft = {}
    for member in members:
        name = place + member.path
        draft[member.path] = name in form if member.kind == "flag" else tidy(form.get(name, ""))
        if member.kind == "sealed":
            draft[member.path + CLEAR] = name + CLEAR in form
    return draft


def tidy(text: str) -> str:
    """A text as a browser meant it."""
    return text.replace("\r\n", "\n").strip()


def lists_of(plan: Plan) -> Iterator[tuple[str, Sequence[Member]]]:
    """The lists that a plan has at its top."""
    for group in plan.groups:
        if group.entries:
            yield group.entries, plan.entries[group.entries]


# --- From a draft to a body -----------------------------------------------------------------------


def body_of(base: Draft | None, mine: Draft, plan: Plan) -> Json:
    """The body that makes `mine` of `base`; without a base it creates.

    An entry that did not change is in it with its id alone, so that each has the place that it has
    in the form, and problems are found there.
    """
    body = changed_values(base, mine, plan.members)
    pairs = {pair["key"]: pair["value"] for pair in mine["metadata"]}
    before = {pair["key"]: pair["value"] for pair in base["metadata"]} if base else {}
    changes: Json = {k: v for k, v in pairs.items() if before.get(k) != v}
    changes |= dict.fromkeys(before.keys() - pairs.keys())
    if changes:
        body["metadata"] = changes
    for name, members in lists_of(plan):
        entries = changed_entries((base or {}).get(name, []), mine[name], members, plan)
        if entries:
            body[name] = entries
    return body


def changed_entries(
    before: Sequence[Draft], mine: Sequence[Draft], members: Sequence[Member], plan: Plan
) -> list[Json]:
    """The entries of a list; nothing where none of them changed."""
    stored = {entry["id"]: entry for entry in before}
    entries: list[Json] = []
    for entry in mine:
        if entry.get("remove"):
            entries.append({"id": entry["id"]})
            continue
        base = stored.get(entry.get("id", ""))
        changed = changed_values(base, entry, members)
        if "primary" in entry and entry["primary"] != (base or {}).get("primary", False):
            changed["primary"] = entry["primary"]
        if POINTS in entry:
            own = (base or {}).get(POINTS, [])
            if points := changed_entries(own, entry[POINTS], plan.entries[POINTS], plan):
                changed[POINTS] = points
        entries.append(({"id": entry["id"]} if "id" in entry else {}) | changed)
    return entries if any(entry.keys() != {"id"} for entry in entries) else []


def changed_values(base: Draft | None, mine: Draft, members: Sequence[Member]) -> Json:
    """The members of an object that differ, nested as the API has them."""
    body: Json = {}
    for member in members:
        if not differs(base, mine, member):
            continue
        value = mine[member.path] or (None if member.kind == "sealed" else mine[member.path])
        outer, _, inner = member.path.partition(".")
        if inner:
            body.setdefault(outer, {})[inner] = value
        else:
            body[outer] = value
    for view in VIEWS if base else ():
        own = [member.path for member in members if member.path.startswith(f"{view}.")]
        typed = [path for path in own if not path.endswith(".verified")]
        if view in body and not any(mine[path] for path in typed):
            body[view] = None
    return body


def differs(base: Draft | None, mine: Draft, member: Member) -> bool:
    """Whether a member is to be sent: of a new object what was typed in, or ticked."""
    value = mine[member.path]
    if member.kind == "sealed":
        return bool(value or mine.get(member.path + CLEAR))
    return bool(value) if base is None else value != base.get(member.path)


def removals(mine: Draft) -> dict[str, list[str]]:
    """The ids of the entries that are to go, by list; points also those of contacts that stay."""
    gone = {name: removed(mine.get(name, [])) for name in (CONTACTS, POINTS, ADDRESSES)}
    for contact in mine.get(CONTACTS, []):
        if not contact.get("remove"):
            gone[POINTS] += removed(contact[POINTS])
    return gone


def removed(entries: Sequence[Draft]) -> list[str]:
    """The ids of those that are marked."""
    return [entry["id"] for entry in entries if entry.get("remove") and "id" in entry]
