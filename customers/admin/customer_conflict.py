"""Two operators changed one customer: what each of them has, and both together."""

from collections.abc import Sequence

from customers import words
from customers.admin.customer_draft import Draft, lists_of
from customers.admin.customer_fields import ATTRIBUTES, POINTS, Member, Plan

Difference = tuple[str, str, str]


def merged(base: Draft, mine: Draft, theirs: Draft, plan: Plan) -> Draft:
    """Theirs, with what is changed in mine: nothing that was typed is lost."""
    draft = merged_values(base, mine, theirs)
    for name, _ in lists_of(plan):
        draft[name] = merged_entries(base[name], mine[name], theirs[name])
    # Pairs are few, and one who changed any has seen all.
    draft["metadata"] = (mine if mine["metadata"] != base["metadata"] else theirs)["metadata"]
    return draft


def merged_values(base: Draft, mine: Draft, theirs: Draft) -> Draft:
    """The members of one object."""
    return {
        path: value if value != base.get(path, False) else theirs.get(path, value)
        for path, value in mine.items()
        if not isinstance(value, list)
    }


def merged_entries(
    base: Sequence[Draft], mine: Sequence[Draft], theirs: Sequence[Draft]
) -> list[Draft]:
    """The entries of a list; one that they removed and I changed comes back as a new one."""
    before = {entry["id"]: entry for entry in base}
    own = {entry["id"]: entry for entry in mine if "id" in entry}
    found = []
    for entry in theirs:
        if entry["id"] not in own:
            found.append(entry)
            continue
        was, now = before.get(entry["id"], {}), own[entry["id"]]
        both = merged_values(was, now, entry)
        if POINTS in entry:
            both[POINTS] = merged_entries(was.get(POINTS, []), now[POINTS], entry[POINTS])
        found.append(both)
    kept = {entry["id"] for entry in theirs}
    for entry in mine:
        if entry.get("id") in kept or entry.get("remove"):
            continue
        was = before.get(entry.get("id", ""), {})
        if any(entry[path] != value for path, value in was.items()) or "id" not in entry:
            found.append({path: value for path, value in entry.items() if path != "id"})
    return found


def differences(mine: Draft, theirs: Draft, plan: Plan) -> list[Difference]:
    """Label, their value and mine, of all in which two drafts differ."""
    found = value_differences(mine, theirs, plan.members, "")
    pairs = [
        ", ".join(f"{pair['key']}: {pair['value']}" for pair in draft["metadata"]) or words.NOTHING
        for draft in (theirs, mine)
    ]
    if pairs[0] != pairs[1]:
        found.append(("Metadata", pairs[0], pairs[1]))
    for name, members in lists_of(plan):
        found += entry_differences(mine[name], theirs[name], members, plan, "")
    return found


def entry_differences(
    mine: Sequence[Draft],
    theirs: Sequence[Draft],
    members: Sequence[Member],
    plan: Plan,
    place: str,
) -> list[Difference]:
    """Likewise for the entries of a list."""
    own = {entry["id"]: entry for entry in mine if "id" in entry and not entry.get("remove")}
    other = {entry["id"]: entry for entry in theirs}
    found = []
    for entry_id, entry in other.items():
        title = place + title_of(entry)
        if entry_id not in own:
            found.append((title, summary(entry), "Removed, or not there yet"))
            continue
        found += value_differences(own[entry_id], entry, members, f"{title}: ")
        if POINTS in entry:
            points = plan.entries[POINTS]
            mine_points, their_points = own[entry_id][POINTS], entry[POINTS]
            found += entry_differences(mine_points, their_points, points, plan, f"{title}: ")
    for entry in mine:
        if entry.get("id", "") not in other and not entry.get("remove"):
            found.append((place + title_of(entry), words.NOTHING, summary(entry)))
    return found


def value_differences(
    mine: Draft, theirs: Draft, members: Sequence[Member], place: str
) -> list[Difference]:
    """Likewise for the members of one object; what is sealed is not told."""
    found = []
    for member in members:
        pair = [theirs.get(member.path, ""), mine.get(member.path, "")]
        if member.kind == "sealed":
            if pair[1]:
                found.append((place + member.title, "••••", "A new value"))
        elif pair[0] != pair[1]:
            shown = [told(member, value) for value in pair]
            found.append((place + member.title, shown[0], shown[1]))
    return found


def told(member: Member, value: object) -> str:
    """A value as the form shows it."""
    if member.choices and value:
        return dict(member.choices).get(str(value), str(value))
    path = member.path
    return str(value) if path.startswith(ATTRIBUTES) and value else words.in_words(path, value)


def title_of(entry: Draft) -> str:
    """What an entry is called."""
    if "zipCode" in entry:
        return f"{words.word(entry['type'])} address"
    if "kind" in entry:
        return words.word(entry["kind"])
    return " ".join(filter(None, [entry["firstName"], entry["lastName"]])) or "New contact"


def summary(entry: Draft) -> str:
    """What an entry says, in a few words."""
    names = ("value", "streetLine1", "cityName", "zipCode", "primaryEmail.value")
    return ", ".join(str(entry[name]) for name in names if entry.get(name)) or words.NOTHING
