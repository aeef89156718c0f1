"""`/v1/customers` and `/v1/business-accounts`."""

from django.urls import path

from customers.views import activities, business, customers, tokens

urlpatterns = [
    path("customers/<id:customer_id>", customers.CustomerDetail.as_view()),
    path("customers", customers.CustomerList.as_view()),
    path("api-keys/exchange", tokens.ApiKeyExchange.as_view()),
    path("customers/<id:customer_id>/suspend", customers.CustomerSuspension.as_view()),
    path("customers/<id:customer_id>/activate", customers.CustomerActivation.as_view()),
    path("customers/<id:customer_id>/restore", customers.CustomerRestoration.as_view()),
    path(
        "customers/<id:customer_id>/addresses/<id:address_id>", customers.CustomerAddress.as_view()
    ),
    path(
        "customers/<id:customer_id>/contact-points/<id:point_id>",
        customers.CustomerContactPoint.as_view(),
    ),
    path(
        "customers/<id:customer_id>/contacts/<id:contact_id>", customers.CustomerContact.as_view()
    ),
    path("customers/<id:customer_id>/activities", activities.CustomerActivities.as_view()),
    path(
        "customers/<id:customer_id>/activities/<id:activity_id>",
        activities.CustomerActivity.as_view(),
    ),
    path("customers/<id:customer_id>/history", activities.CustomerHistory.as_view()),
    path("business-accounts/self", business.BusinessAccountDetail.as_view()),
    path("business-accounts/self/children", business.BusinessAccountChildren.as_view()),
    path("business-accounts/self/departments", business.BusinessAccountDepartments.as_view()),
    path("business-accounts/<id:account_id>", business.BusinessAccountDetail.as_view()),
    path("business-accounts/<id:account_id>/children", business.BusinessAccountChildren.as_view()),
    path(
        "business-accounts/<id:account_id>/departments",
        business.BusinessAccountDepartments.as_view(),
    ),
]
