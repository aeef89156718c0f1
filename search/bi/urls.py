"""Paths below `/v1/search/`."""

from django.urls import path

from search.bi import views

urlpatterns = [
    path("customer-accounts", views.CustomerSearches.as_view(), name="searches"),
    path("customer-accounts/<id:search_id>", views.CustomerSearchDetail.as_view(), name="search"),
    path(
        "results/<id:search_id>/<str:signature>/<str:file_name>",
        views.SearchResult.as_view(),
        name="search-result",
    ),
]
