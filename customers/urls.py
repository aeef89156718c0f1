"""`/v1/customers` and `/v1/business-accounts`."""

from uuid import UUID

from django.urls import path, register_converter
from django.urls.converters import UUIDConverter

from customers.views import business, customers, tokens


class AnyCaseUUID(UUIDConverter):
    """A UUID in either case, as clients write them."""

    regex = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        return UUID(value)


register_converter(AnyCaseUUID, "id")

urlpatterns = [
    path("api-keys/exchange", tokens.ApiKeyExchange.as_view()),
    path("customers", customers.CustomerList.as_view()),
    path("customers/<id:customer_id>", customers.CustomerDetail.as_view()),
    path("customers/<id:customer_id>/suspend", customers.CustomerSuspension.as_view()),
    path("customers/<id:customer_id>/activate", customers.CustomerActivation.as_view()),
    path(
        "customers/<id:customer_id>/addresses/<id:address_id>", customers.CustomerAddress.as_view()
    ),
    path("customers/<id:customer_id>/activities", customers.CustomerActivities.as_view()),
    path("customers/<id:customer_id>/history", customers.CustomerHistory.as_view()),
    path("business-accounts/self", business.BusinessAccountDetail.as_view()),
    path("business-accounts/self/children", business.BusinessAccountChildren.as_view()),
    path("business-accounts/<id:account_id>", business.BusinessAccountDetail.as_view()),
    path("business-accounts/<id:account_id>/children", business.BusinessAccountChildren.as_view()),
]
