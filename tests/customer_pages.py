"""The pages of customers in the back office, as tests come to them."""

from django.test import Client as Browser

from tests import factories

LIST = "/admin/customers/customer/"


def page_of(customer, name="change"):
    pk = customer["id"] if isinstance(customer, dict) else customer.pk
    return f"{LIST}{pk}/{name}/"


def browser_of(account, role="Owner", **fields):
    browser = Browser()
    browser.force_login(factories.make_employee(account, role=role, is_staff=True, **fields))
    return browser


def text_of(response):
    assert response.status_code == 200, response.content
    return response.content.decode()
