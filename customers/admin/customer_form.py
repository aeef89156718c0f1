"""The form of a customer as a template shows it: controls with values, and errors beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from config.api.errors import Problem
from customers import words
from customers.admin.customer_conflict import title_of
from customers.admin.customer_draft import Draft, lists_of
from customers.admin.customer_fields import (
    ADDRESSES,
    CONTACTS,
    MAX_PAIRS,
    POINTS,
    RARE,
    Choices,
    Member,
    Plan,
)

# What stands for the number of an entry that is yet to be added.
PLACEHOLDERS = {ADDRESSES: "__ADDRESS__", CONTACTS: "__CONTACT__", POINTS: "__POINT__"}
NOUNS = {ADDRESSES: "address", CONTACTS: "contact", POINTS: "way to reach them"}
WIDE = frozenset({"long", "flag"})


@dataclass
class Control:
    """One control; `name` is the member's path, by which the rules name what is wrong."""

    name: str
    label: str
    kind: str
    value: Any = ""
    choices: Choices = ()
    help: str = ""
    errors: Sequence[str] = ()
    required: bool = False
    placeholder: str = ""
    clears: bool = False

    @property
    def id(self) -> str:
        """Its id in the page."""
        return f"id_{self.name}"

    @property
    def input_type(self) -> str:
        """The type of an input element."""
        return self.kind if self.kind in {"email", "tel", "date"} else "text"

    @property
    def options(self) -> SafeString:
        """What a select element offers, the value that it has selected."""
        offered = offered_by(tuple(self.choices))
        chosen = f'<option value="{escape(self.value)}"'
        return mark_safe(offered.replace(f"{chosen}>", f"{chosen} selected>", 1))  # noqa: S308 -- escaped


@lru_cache(maxsize=64)
def offered_by(choices: tuple[tuple[str, str], ...]) -> SafeString:
    """The options of a select element, none of them selected.

    A form has several lists of all countries, and to escape each name of each list would take as
    long as all the rest of the page.
    """
    return format_html_join("", '<option value="{}">{}</option>', choices)


@dataclass
class Entry:
    """An entry of a list."""

    place: str
    index: str
    title: str
    controls: list[Control]
    id: str = ""
    is_removed: bool = False
    is_primary: bool = False
    has_primary: bool = False
    rare: list[tuple[str, list[Control]]] = field(default_factory=list)
    points: "Entries | None" = None


@dataclass
class Entries:
    """A list, with an empty entry to be copied for each new one."""

    name: str
    noun: str
    placeholder: str
    items: list[Entry]
    blank: Entry


@dataclass
class Section:
    """A group of the form."""

    title: str
    hint: str
    controls: list[Control]
    entries: Entries | None = None


class Form:
    """Makes the parts of the page. What no control takes remains in `other_errors`."""

    def __init__(
        self,
        plan: Plan,
        draft: Draft,
        problems: Iterable[Problem] = (),
        masks: dict[str, str] | None = None,
    ) -> None:
        self.plan = plan
        self.errors: dict[str, list[str]] = {}
        for problem in problems:
            self.errors.setdefault(problem.path, []).append(str(problem.message))
        self.masks = masks or {}
        self.sections = [
            Section(
                group.title,
                group.hint,
                self.controls(group.members, draft, ""),
                self.entries(group.entries, draft[group.entries], "") if group.entries else None,
            )
            for group in plan.groups
        ]
        self.pairs = self.pair_controls(draft["metadata"])
        self.wrong = sum(len(each) for each in self.errors.values())
        self.other_errors = [
            f"{words.label(path)}: {message}" if path else message
            for path, messages in self.errors.items()
            for message in messages
        ]

    def controls(
        self, members: Iterable[Member], draft: Draft, place: str, masked_at: str = ""
    ) -> list[Control]:
        """The controls of an object at a place of the form."""
        return [self.control(member, draft, place, masked_at) for member in members]

    def control(self, member: Member, draft: Draft, place: str, masked_at: str) -> Control:
        """The control of one member."""
        name = place + member.path
        mask = self.masks.get(masked_at + member.path, "") if member.kind == "sealed" else ""
        options = member.choices
        value = draft.get(member.path, member.default)
        if options and value and value not in dict(options):
            options = [*options, (value, value)]
        return Control(
            name=name,
            label=member.title,
            kind=member.kind,
            value=value,
            choices=options,
            help=member.help,
            errors=self.errors.pop(name, ()),
            required=member.required,
            placeholder=mask,
            clears=bool(mask),
        )

    def entries(self, name: str, drafts: Sequence[Draft], place: str) -> Entries:
        """A list of the form. Where nobody is or lives yet, there is a first empty entry."""
        path = f"{place}{name}"
        items = [self.entry(name, f"{path}[{i}]", str(i), each) for i, each in enumerate(drafts)]
        placeholder = PLACEHOLDERS[name]
        blank = self.entry(name, f"{path}[{placeholder}]", placeholder, {})
        if not items and name != POINTS:
            items = [self.entry(name, f"{path}[0]", "0", {})]
            items[0].is_primary = name == CONTACTS
        return Entries(name, NOUNS[name], placeholder, items, blank)

    def entry(self, name: str, place: str, index: str, draft: Draft) -> Entry:
        """One entry."""
        entry_id = draft.get("id", "")
        masked_at = f"contacts.{entry_id}."
        members = self.plan.entries[name]
        controls = self.controls(members, draft, f"{place}.", masked_at)
        by_path = {member.path: each for member, each in zip(members, controls, strict=True)}
        rare = [
            (title, [by_path.pop(path) for path in paths])
            for title, paths in RARE.items()
            if name == ADDRESSES
        ]
        if entry_id and name == POINTS:
            # It never changes.
            by_path["kind"].choices = [
                each for each in by_path["kind"].choices if each[0] == draft["kind"]
            ]
        return Entry(
            place=place,
            index=index,
            title=title_of(draft) if draft else f"New {NOUNS[name]}",
            controls=list(by_path.values()),
            id=entry_id,
            is_removed=bool(draft.get("remove")),
            is_primary=bool(draft.get("primary")),
            has_primary=name == CONTACTS,
            rare=rare,
            points=self.entries(POINTS, draft.get(POINTS, []), f"{place}.")
            if name == CONTACTS
            else None,
        )

    def pair_controls(self, pairs: Sequence[Draft]) -> list[tuple[Control, Control]]:
        """The rows of metadata, the empty ones at the end."""
        rows = []
        for index in range(max(MAX_PAIRS, len(pairs))):
            pair = pairs[index] if index < len(pairs) else {"key": "", "value": ""}
            name = f"metadata[{index}]"
            errors = self.errors.pop(f"metadata.{pair['key']}", ()) if pair["key"] else ()
            rows.append(
                (
                    Control(f"{name}.key", f"Name {index + 1}", "text", pair["key"]),
                    Control(
                        f"{name}.value", f"Text {index + 1}", "text", pair["value"], errors=errors
                    ),
                )
            )
        return rows


def empty_draft(plan: Plan) -> Draft:
    """A draft in which nothing was typed."""
    draft: Draft = {
        member.path: False if member.kind == "flag" else member.default for member in plan.members
    }
    return draft | {"metadata": []} | {name: [] for name, _ in lists_of(plan)}
