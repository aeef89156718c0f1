"""The back office's own pages and buttons hide what others have from whoever may do less.

The pages that each model has by itself are walked in `tests.test_admin`, and all of them as Owners
by `check_isolation`.
"""

from dataclasses import replace

import pytest

from config.api.actors import Scope
from config.api.routes import BACK_OFFICE, Route, routes
from customers.isolation.family import Caller, Family, Way, above, family, tree_of
from customers.isolation.isolating import isolated
from customers.isolation.walk import Walk
from customers.roles import ROLES
from tests import factories

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
# One role of each set of permissions, but that of Owners.
SETS = {
    (each.permissions, Scope.CUSTOMERS_SENSITIVE in each.scopes): r for r, each in ROLES.items()
}
OTHERS = [name for name in SETS.values() if ROLES[name].permissions != ROLES["Owner"].permissions]
# What each model has, whatever it is.
USUAL = ("", "add/", *(f"<path:object_id>/{page}" for page in ("", "history/", "change/")))


def is_our_own(route: Route) -> bool:
    """Whether it is a page or button that names a row, and that not each model has."""
    page = BACK_OFFICE.match(route.pattern)
    return bool(page and route.variables) and route.pattern[page.end() :] not in USUAL


def employee(made: Family, role: str) -> Caller:
    holding = made.holdings["child"]
    email = f"{holding.mark}-role-{OTHERS.index(role)}@example.com"
    return Caller(
        f"{role} of child",
        Way.OPERATOR,
        holding,
        tree=tree_of("child", made.accounts),
        above=above("child", made.accounts),
        user=factories.make_employee(made.accounts["child"], role=role, email=email, is_staff=True),
    )


@pytest.mark.long
@pytest.mark.busy
def test_no_role_sees_or_changes_what_is_anothers_by_a_page_or_button_of_our_own():
    assert {"Manager", "View Only"} <= set(OTHERS)
    own = {route.pattern: route for route in routes() if is_our_own(route)}
    assert "admin/customers/customer/<path:object_id>/reveal/" in own
    with isolated(), family() as made:
        walk = Walk(
            # Of those out of reach the account above knows most of the house.
            replace(
                made,
                holdings={name: made.holdings[name] for name in ("child", "parent")},
                callers=tuple(employee(made, role) for role in OTHERS),
            ),
            only="admin/",
        )
        walk.lines = {key: line for key, line in walk.lines.items() if key[0] in own}
        for is_read in (True, False):
            walk.look_at_all(lambda method, is_read=is_read: (method == "GET") == is_read)
    # Otherwise nothing would be proven by refusals.
    seen = "admin/customers/customer/<path:object_id>/activities/"
    assert {walk.plain[seen, f"{role} of child"].status for role in OTHERS} == {200}
    lines = list(walk.lines.values())
    assert len(lines) == 2 * len(own)
    # Each role asks about the own, one that never was, and the parent's.
    assert all(line.calls >= 3 * len(OTHERS) for line in lines if not line.faults)
    faults = [f"{line.method} /{line.route}: {each}" for line in lines for each in line.faults]
    assert not faults, "\n".join(faults)
