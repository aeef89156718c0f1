"""What a browser makes of the form of a customer: its address, its fields, what is sent with it."""

import html
import re

GRACE = {
    "firstName": "Grace",
    "lastName": "Hopper",
    "primaryEmail.value": "grace@example.com",
    "primaryPhoneNumber.number": "+14155550100",
    "primaryPhoneNumber.type": "MOBILE",
}


def edit_url(customer):
    """Where the form is."""
    return f"/admin/customers/customer/{customer['id']}/edit/"


CONTROL = re.compile(
    r"<(input|select|textarea)\b([^>]*)>(.*?)(?=<(?:input|select|textarea|/form)\b)", re.DOTALL
)


def fields_of(page):
    """What a browser would send if nothing were typed into the form of this page."""
    assert page.status_code == 200, page.content
    text = re.sub(r"<template>.*?</template>", "", nested(page.content.decode()), flags=re.DOTALL)
    form = text[text.index('<form method="post" class="kc-form"') :]
    found = {}
    for tag, attributes, rest in CONTROL.findall(form[: form.index("</form>") + 7]):
        name = re.search(r'name="([^"]*)"', attributes)
        if name is None:
            continue
        value = re.search(r'value="([^"]*)"', attributes)
        if tag == "select":
            chosen = re.search(r'<option value="([^"]*)" selected>', rest)
            chosen = chosen or re.search(r'<option value="([^"]*)"', rest)
            found[name[1]] = html.unescape(chosen[1])
        elif tag == "textarea":
            found[name[1]] = html.unescape(rest.partition("</textarea>")[0])
        elif re.search(r'type="(checkbox|radio)"', attributes):
            if " checked" in attributes:
                found[name[1]] = html.unescape(value[1]) if value else "on"
        else:
            found[name[1]] = html.unescape(value[1])
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def nested(text):
    """The page without templates within templates."""
    return re.sub(r"<template>(?:(?!<template>).)*?</template>", "", text, flags=re.DOTALL)


def edit(browser, customer, **changes):
    """Open the form, type these in, save."""
    fields = fields_of(browser.get(edit_url(customer))) | changes
    return browser.post(edit_url(customer), {k: v for k, v in fields.items() if v is not None})


def stored(owner, customer):
    """The customer as the API gives it."""
    return owner.api.get(f"/v1/customers/{customer['id']}").json()
