"""The pages of customers in the back office, as tests come to them."""

LIST = "/admin/customers/customer/"


def page_of(customer, name="change"):
    pk = customer["id"] if isinstance(customer, dict) else customer.pk
    return f"{LIST}{pk}/{name}/"


def text_of(response):
    assert response.status_code == 200, response.content
    return response.content.decode()
