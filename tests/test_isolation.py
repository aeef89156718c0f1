"""`./kith manage check_isolation` finds nothing today, and finds each rule that is broken."""

from io import StringIO
from uuid import uuid5

import pytest
from django.contrib.admin import site
from django.core.management import CommandError, call_command
from django.urls import include, path
from unfold.admin import ModelAdmin

from config.api.errors import NotFound
from config.api.pagination import Total
from config.api.permissions import HasScope
from config.api.routes import routes
from config.api.views import ApiView
from customers.facts import AccountFacts
from customers.isolation import walk
from customers.isolation.bodies import LEADS
from customers.isolation.family import NAMESPACE
from customers.models import BusinessAccount, Customer, SignInAttempt, User
from customers.views.customers import CustomerDetail
from search.models import CustomerSearch, CustomerSearchQuerySet
from tests import factories

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


def check(only=""):
    """What the command prints when all is well."""
    output = StringIO()
    call_command("check_isolation", only=only, stdout=output)
    return output.getvalue()


def found(only):
    """What it prints of each call that differs, by method and path."""
    output = StringIO()
    with pytest.raises(CommandError, match="differ from the account tree"):
        call_command("check_isolation", only=only, stdout=output)
    faults, name = {}, ""
    for line in output.getvalue().splitlines():
        if line.startswith("        "):
            faults.setdefault(name, []).append(line.strip())
        else:
            name = " ".join(line.split()[:2])
    return faults


# --- Today's product ------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.busy
def test_nobody_sees_or_changes_what_is_anothers():
    said = check()
    assert "every answer is as the account tree allows" in said
    for call in (
        "GET     /v1/customers ",
        "POST    /admin/customers/customer/add/ ",
        "GET     /docs ",
    ):
        assert call in said
    assert "callers: parent, child, sibling, grandchild, outsider, suspended client" in said


def test_it_leaves_nothing_behind(storage):
    factories.make_customer(factories.make_business_account())
    kinds = (BusinessAccount, Customer, User, CustomerSearch)
    before = [set(kind.objects.values_list("pk", flat=True)) for kind in kinds]
    check("v1/search/")
    assert [set(kind.objects.values_list("pk", flat=True)) for kind in kinds] == before
    assert not list(storage.rglob("*"))


def test_accounts_that_a_killed_check_left_go_with_the_next():
    left = BusinessAccount.objects.create(
        id=uuid5(NAMESPACE, "parent"), name="Isolation check: zqparentqz"
    )
    check("v1/business-accounts/self")
    assert not BusinessAccount.objects.filter(pk=left.pk).exists()


# --- A rule that is broken ------------------------------------------------------------------------


def test_a_view_that_forgets_the_tenant_is_named(monkeypatch):
    monkeypatch.setattr(CustomerSearchQuerySet, "visible_to", lambda rows, _actor: rows.at_now())
    faults = found("v1/search/customer-accounts")
    assert "GET /v1/search/customer-accounts/<id:search_id>" in faults
    assert "DELETE /v1/search/customer-accounts/<id:search_id>" in faults
    assert any("of outsider" in each for each in faults["GET /v1/search/customer-accounts"])


def test_a_page_that_forgets_the_tenant_is_named(monkeypatch):
    admin = type(site._registry[SignInAttempt])
    monkeypatch.setattr(admin, "get_queryset", ModelAdmin.get_queryset)
    faults = found("admin/customers/signinattempt/")
    assert "GET /admin/customers/signinattempt/<path:object_id>/change/" in faults
    assert any(
        each.startswith("Owner of outsider: the answer names zqparentqz")
        for each in faults["GET /admin/customers/signinattempt/"]
    )


def test_a_count_that_gives_others_away_is_named(monkeypatch):
    counted = Total.of.__func__

    def with_others(kind, rows, *args, **options):
        total = counted(kind, rows, *args, **options)
        total.__dict__["count"] = total.count + CustomerSearch.objects.count()
        return total

    monkeypatch.setattr(Total, "of", classmethod(with_others))
    faults = found("v1/search/customer-accounts")
    assert any(
        each.startswith("outsider: the answer changes with what others have")
        for each in faults["GET /v1/search/customer-accounts"]
    )


def test_a_refusal_that_writes_all_the_same_is_named(monkeypatch):
    def delete(_view, _request, customer_id):
        Customer.objects.filter(pk=customer_id).update(version=1)
        raise NotFound

    monkeypatch.setattr(CustomerDetail, "delete", delete)
    detail = "v1/customers/<id:customer_id>"
    # Not all that begins like this one.
    monkeypatch.setattr(
        walk, "routes", lambda: [each for each in routes() if each.pattern == detail]
    )
    faults = found(detail)["DELETE /v1/customers/<id:customer_id>"]
    assert any(each.startswith("outsider: about what child has it writes") for each in faults)


def test_an_id_of_others_that_a_body_may_name_is_found(monkeypatch):
    everybody = property(lambda _facts: frozenset(User.objects.values_list("pk", flat=True)))
    monkeypatch.setattr(AccountFacts, "agents", everybody)
    faults = found("v1/customers/<id:customer_id>")
    assert list(faults) == ["PUT /v1/customers/<id:customer_id>"]
    said = "child: 200 about what outsider as relationship.preferredAgentId has differs from 400"
    assert f"{said} about nothing" in faults["PUT /v1/customers/<id:customer_id>"]


def test_a_new_id_in_a_body_says_what_to_add(monkeypatch):
    monkeypatch.delitem(LEADS, "businessAccountIds.[]")
    faults = found("v1/search/customer-accounts")["POST /v1/search/customer-accounts"]
    assert "nobody knows what businessAccountIds.[] leads to: say it in `LEADS`" in faults


class Secret(ApiView):
    """A route that nobody has told the check about."""

    permission_classes = [HasScope]

    def get(self, _request, secret_id=None):
        """Never called."""


urlpatterns = [
    path("v1/secrets/<uuid:secret_id>", Secret.as_view()),
    path("v1/secrets", Secret.as_view()),
    path("", include("config.urls")),
]


@pytest.mark.urls("tests.test_isolation")
def test_a_new_route_that_it_cannot_call_says_what_to_add():
    faults = found("v1/secrets")
    assert "give it a handle" in faults["GET /v1/secrets/<uuid:secret_id>"][0]
    assert "'secret_id'" in faults["GET /v1/secrets/<uuid:secret_id>"][0]
    assert "describe it in `openapi`" in faults["GET /v1/secrets"][0]


def test_a_path_that_no_route_has_is_refused():
    with pytest.raises(CommandError, match="No route begins with 'v9/'"):
        check("/v9/")
