"""Every call of the URL table, by everybody, with every handle: what differs from the account tree.

What is expected needs no table of routes:

- **Within reach** a call is answered as to whom its subject belongs: if the own handle opens
  something, so do those of all accounts below.
- **Out of reach** it is answered, and writes, exactly as for a thing that never was.
- **No answer** names anything out of reach, and a list that shows one thing of a kind shows all
  within reach.
- **Nothing that is made elsewhere** changes an answer: no count gives it away.
- **Without a token** that is worth something, or where `config.api.access` closes a call, it is
  refused.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from django.db import transaction

from config.api.dialects import base_of
from config.api.routes import Route, routes
from customers.isolation import bodies
from customers.isolation.asking import Answer, Asker, UndocumentedError, documented
from customers.isolation.cases import Case, Line
from customers.isolation.family import Caller, Family, Way
from customers.isolation.holdings import Reach, make_holding, nothing_of, values_of
from customers.isolation.rules import changed, check_guard, check_hidden, check_list, is_page

# Of views outside of the API, whose methods nobody tells.
USUAL_METHODS = ("GET", "POST")
# Answers that differ from moment to moment by themselves, and are the same for everybody.
UNSTEADY = {
    "readyz": "tells how the machine is, and is 503 where no worker runs",
    "admin/customers/user/account/two-factor/": "shows a new secret each time",
}
# Variables that lead to nothing of anybody's, with what is put there.
PLAIN = {"url": "nowhere", "app_label": "customers", "key": "1", "content_type_id": "1"}
PLAIN |= {"object_id of r": "1"}
# Query parameters that name something, by their handles, and those that ask for more.
QUERY_HANDLES = {"businessAccountId": "account_id"}
WIDER = ({"includeChildren": "true"},)


class Walk:
    """One walk over the URL table, or over the routes that begin with `only`."""

    def __init__(self, family: Family, *, only: str = "") -> None:
        self.family = family
        # Of two of the same path the second is hidden by the first.
        self.routes = {
            each.pattern: each for each in reversed(routes()) if each.pattern.startswith(only)
        }
        self.askers = {caller.name: Asker(caller) for caller in family.callers}
        self.lines = {
            (pattern, method): Line(pattern, method)
            for pattern, route in reversed(self.routes.items())
            for method in methods_of(route)
        }
        # What each caller was told without anything made elsewhere, to be compared later.
        self.plain: dict[tuple[str, str], Answer] = {}

    def run(self) -> list[Line]:
        """Make all calls; the lines of the table, in the order of the URL table.

        Those that change nothing come first: what the others do to files is not undone.
        """
        self.look_at_all(lambda method: method == "GET")
        self.look_again(self.callers_by_others())
        self.look_at_all(lambda method: method != "GET")
        return list(self.lines.values())

    def look_at_all(self, is_meant: Callable[[str], bool]) -> None:
        """All routes with these methods; what nobody knows how to call is a fault, too."""
        for (pattern, method), line in self.lines.items():
            if not is_meant(method):
                continue
            try:
                self.look(self.routes[pattern], method, line)
            except KeyError as error:
                names = " or ".join(repr(name) for name in error.args)
                line.faults.append(
                    f"nobody knows what leads to {names}: give it a handle in the module"
                    " `isolation` of the app that has the route"
                )
            except UndocumentedError:
                line.faults.append(
                    "the API's document does not have this call: describe it in `openapi`"
                )

    def ask(
        self,
        case: Case,
        line: Line,
        ids: Mapping[str, str] = PLAIN,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        """Make a call, and note what no answer may have."""
        line.calls += 1
        answer = self.askers[case.caller.name].ask(case.route, case.method, ids, query, body)
        if answer.status >= 500 and case.route.pattern not in UNSTEADY:
            line.faults.append(f"{case.caller.name}: answers {answer.status}")
        typed = " ".join(ids[case.route.key(name, ids)] for name in case.route.variables)
        typed += " ".join((query or {}).values()) + str(body)
        for word, owner in () if case.follows_link else self.secrets(case):
            if word in answer.text and word not in typed:
                line.faults.append(f"{case.caller.name}: the answer names {word} of {owner}")
        return answer

    def secrets(self, case: Case) -> Iterator[tuple[str, str]]:
        """What no answer to this caller may have in it, and whose it is."""
        for name, holding in self.family.holdings.items():
            if not case.caller.knows(holding):
                yield holding.mark, name
            for key, handle in holding.handles.items():
                if (
                    handle.reach != Reach.ANYBODY
                    and is_page(key) == (case.caller.way == Way.OPERATOR)
                    and not case.caller.reaches(holding, handle)
                ):
                    yield handle.value, name

    # --- One route ------------------------------------------------------------------------------

    def look(self, route: Route, method: str, line: Line) -> None:
        """All calls of a route and method. Raises `KeyError` and `UndocumentedError`."""
        for caller in self.family.callers:
            case = Case(route, method, caller)
            if not case.is_due:
                continue
            if self.is_about_something(route):
                answer = self.look_with_handles(case, line)
            else:
                answer = self.ask(case, line)
                if method == "GET":
                    self.look_at_list(case, line, answer)
            check_guard(case, line, answer)
            self.look_at_body(case, line)
            if method == "GET":
                self.plain[route.pattern, caller.name] = answer

    def is_about_something(self, route: Route) -> bool:
        """Whether the path names something. Raises `KeyError`."""
        return bool(groups_of(route, PLAIN | values_of(self.family.holdings["child"].handles))[0])

    def look_with_handles(self, case: Case, line: Line) -> Answer:
        """A call with the handles of everybody; gives the answer about the own thing, if any."""
        caller = case.caller
        own = caller.holding or self.family.holdings["child"]
        base = PLAIN | values_of(own.handles)
        groups = groups_of(case.route, base)
        nothing = self.ask(case, line, PLAIN | nothing_of(own.handles))
        about_own = self.ask(case, line, base)
        if caller.holding is None:
            if not case.follows_link:
                check_hidden(case, line, about_own, nothing, "child")
            return about_own
        if case.is_guarded and case.is_open and about_own.status >= 400:
            # Otherwise the calls about what others have would prove nothing.
            line.faults.append(f"{caller.name}: {about_own.status} about the own")
        for group in groups:
            is_whole = group == groups[0]
            never = base | {key: own.handles[key].never for key in group}
            reference = nothing if is_whole else self.ask(case, line, never)
            for name, holding in self.family.holdings.items():
                taken = {key: holding.handles[key] for key in group}
                if holding is own or all(each.reach == Reach.ANYBODY for each in taken.values()):
                    continue
                answer = self.ask(case, line, base | values_of(taken))
                if not all(caller.reaches(holding, each) for each in taken.values()):
                    check_hidden(case, line, answer, reference, name)
                elif is_whole and answer.status != about_own.status:
                    line.faults.append(
                        f"{caller.name}: {answer.status} about what {name} has, and"
                        f" {about_own.status} about the own"
                    )
        return about_own

    def look_at_list(self, case: Case, line: Line, answer: Answer) -> None:
        """What is listed with the query of the examples, without one, and for an account."""
        shown = documented(case.route, case.method) if case.is_api else None
        known = shown.parameters if shown else frozenset()
        queries: list[dict[str, str]] = [each for each in WIDER if each.keys() <= known]
        if shown and shown.query:
            queries.append({})
        for found in [answer, *(self.ask(case, line, query=query) for query in queries)]:
            check_list(case, line, found, self.family)
        for parameter in known & QUERY_HANDLES.keys():
            key = QUERY_HANDLES[parameter]
            for name, holding in self.family.holdings.items():
                handle = holding.handles[key]
                if not case.caller.reaches(holding, handle):
                    found = self.ask(case, line, query={parameter: handle.value})
                    nothing = self.ask(case, line, query={parameter: handle.never})
                    check_hidden(case, line, found, nothing, name)

    def look_at_body(self, case: Case, line: Line) -> None:
        """What others have cannot be reached by its id in a body either."""
        own = case.caller.holding
        if own is None or not (case.is_api and case.is_open):
            return
        shown = documented(case.route, case.method)
        # Otherwise a worker would do it, later.
        query = {"dryRun": "true"} if "dryRun" in shown.parameters else None
        base = PLAIN | values_of(own.handles)
        for member in bodies.members(case.route, case.method):
            key = bodies.handle_key(member)
            if key is None:
                line.faults.append(f"nobody knows what {member} leads to: say it in `LEADS`")
                continue
            never = bodies.with_member(shown.body, member, own.handles[key].never)
            nothing = self.ask(case, line, base, query, never)
            for name, holding in self.family.holdings.items():
                handle = holding.handles[key]
                if not case.caller.reaches(holding, handle):
                    body = bodies.with_member(shown.body, member, handle.value)
                    found = self.ask(case, line, base, query, body)
                    check_hidden(case, line, found, nothing, f"{name} as {member}")

    # --- What is made elsewhere -------------------------------------------------------------------

    def callers_by_others(self) -> dict[frozenset[str], list[Caller]]:
        """Who has things of an own, by the names of the accounts that they do not see."""
        found: dict[frozenset[str], list[Caller]] = {}
        for caller in self.family.callers:
            if caller.holding is not None and self.asked_again(caller):
                accounts = self.family.accounts.items()
                others = frozenset(name for name, each in accounts if each.pk not in caller.tree)
                found.setdefault(others, []).append(caller)
        return found

    def asked_again(self, caller: Caller) -> list[tuple[Route, Answer]]:
        """What a caller was told, to be compared with what it is told later."""
        return [
            (route, before)
            for route in self.routes.values()
            if route.pattern not in UNSTEADY
            and (before := self.plain.get((route.pattern, caller.name))) is not None
        ]

    def look_again(self, groups: Mapping[frozenset[str], Sequence[Caller]]) -> None:
        """Ask once more after the accounts named have got more, and compare.

        An account gets more once for all groups that name it: making it takes as long as dozens of
        calls. Groups that do not have it are looked at when it is gone.
        """
        for caller in groups.get(frozenset(), ()):
            self.compare(caller)
        named = Counter(name for others in groups for name in sorted(others))
        if not named:
            return
        [(first, _)] = named.most_common(1)
        with transaction.atomic():
            make_holding(self.family.accounts[first], f"zqmore{first}qz")
            self.look_again({each - {first}: groups[each] for each in groups if first in each})
            transaction.set_rollback(True)
        self.look_again({each: groups[each] for each in groups if each and first not in each})

    def compare(self, caller: Caller) -> None:
        """Ask a caller's questions once more; what is told differently is a fault."""
        own = caller.holding or self.family.holdings["child"]
        ids = PLAIN | values_of(own.handles)
        for route, before in self.asked_again(caller):
            line = self.lines[route.pattern, "GET"]
            after = self.ask(Case(route, "GET", caller), line, ids)
            if after.told != before.told:
                line.faults.append(
                    f"{caller.name}: the answer changes with what others have, from"
                    f" {changed(before, after)}"
                )


def methods_of(route: Route) -> Sequence[str]:
    """The methods of a route that are tried."""
    return route.methods if base_of(f"/{route.pattern}") else USUAL_METHODS


def groups_of(route: Route, ids: Mapping[str, str]) -> list[list[str]]:
    """The keys of a path's variables: all at once, and each by itself, among those of another."""
    keys = [key for key in (route.key(name, ids) for name in route.variables) if key not in PLAIN]
    return [keys, *([key] for key in keys)] if len(keys) > 1 else [keys]
