"""The back office works under what its pages allow a browser to run."""

import pytest
from django.urls import reverse

from customers.models import User
from tests import factories
from tests.factories import PASSWORD
from tests.inventory import make_inventory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_no_page_of_the_back_office_asks_for_what_its_policy_refuses(open_page, owner, storage):
    ids = make_inventory(owner)
    person: User = factories.make_employee(owner.account, role="Owner")
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    lists = [
        reverse(f"admin:{app}_{name}_changelist")
        for app, name in (("customers", "customer"), ("search", "customersearch"))
    ]
    detail = reverse("admin:customers_customer_change", args=[ids["customer_id"]])
    page = open_page()
    page.goto("/admin/")
    page.get_by_label("Email", exact=True).fill(person.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")
    for path in ("/admin/", *lists, detail, reverse("admin:password_change"), "/"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
