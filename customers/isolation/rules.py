"""What is expected of one answer, or of two that are to be the same."""

from itertools import takewhile

from config.api.routes import BACK_OFFICE
from customers.isolation.asking import Answer
from customers.isolation.cases import Case, Line
from customers.isolation.family import Family, Way

REFUSED_IN_BROWSERS = range(300, 500)


def check_hidden(case: Case, line: Line, answer: Answer, nothing: Answer, owner: str) -> None:
    """What is out of reach is what never was."""
    if answer.told != nothing.told:
        line.faults.append(
            f"{case.caller.name}: {answer.status} about what {owner} has differs from"
            f" {nothing.status} about nothing"
        )
    elif answer.written != nothing.written:
        line.faults.append(f"{case.caller.name}: about what {owner} has it writes {answer.written}")


def check_guard(case: Case, line: Line, answer: Answer) -> None:
    """Who has no business here is refused, whatever the path names."""
    if not case.is_guarded:
        is_page = BACK_OFFICE.match(case.route.pattern) is not None
        is_let_in = answer.status not in REFUSED_IN_BROWSERS
        if is_page and is_let_in and case.caller.way != Way.OPERATOR:
            line.faults.append(f"{case.caller.name}: {answer.status} without signing in")
        return
    expected = None
    if case.caller.actor_type is None:
        expected = 401
    elif not case.is_open:
        expected = 403
    if expected is not None and answer.status != expected:
        line.faults.append(f"{case.caller.name}: {answer.status} instead of {expected}")


def check_list(case: Case, line: Line, answer: Answer, family: Family) -> None:
    """A list has what the own account has, or what all below it have, too; never a part."""
    caller = case.caller
    own = caller.holding
    if own is None or answer.status >= 300:
        return
    for key in own.handles:
        holders = {
            name: holding
            for name, holding in family.holdings.items()
            if holding.handles[key].is_listed
            and is_page(key) == (caller.way == Way.OPERATOR)
            and caller.reaches(holding, holding.handles[key])
        }
        seen = {
            name: holding
            for name, holding in holders.items()
            if holding.handles[key].value in answer.text
        }
        is_list = any(holding is not own for holding in seen.values())
        is_of_tree = any(holding.account != own.account for holding in seen.values())
        for name, holding in holders.items():
            is_due = is_list and (is_of_tree or holding.account == own.account)
            if is_due and name not in seen:
                line.faults.append(f"{caller.name}: the {key} of {name} is not listed")


def changed(before: Answer, after: Answer) -> str:
    """The first difference between two answers."""
    texts = ["\n".join(map(str, answer.told)) for answer in (before, after)]
    same = takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False))
    first = sum(1 for _ in same)
    return " to ".join(repr(text[max(0, first - 20) : first + 40]) for text in texts)


def is_page(key: str) -> bool:
    """Whether a handle is of the back office, where other rules may tell who reaches a thing."""
    return " of " in key and "." in key
