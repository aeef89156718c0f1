"""Paths below `/core/customermgr/v3/`."""

from django.urls import path

from search.immediate import views

urlpatterns = [
    path("customer", views.CustomerLookup.as_view(), name="lookup"),
    path("customer/attributes", views.AttributeLists.as_view(), name="lookup-attributes"),
    path("customer/<str:customer_ids>", views.CustomersById.as_view(), name="lookup-by-id"),
]
