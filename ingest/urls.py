"""Paths below `/v2/data/`. The ids in them are opaque, and may have slashes in them."""

from django.urls import path

from ingest import views

urlpatterns = [
    path("customers", views.Customers.as_view()),
    path(
        "customers/<opaque:source_customer_id>/accounts/<opaque:source_account_id>/cards",
        views.AccountCards.as_view(),
    ),
    path("customers/<opaque:source_customer_id>/accounts", views.CustomerAccounts.as_view()),
    path("files", views.Files.as_view()),
    path("requests", views.Requests.as_view()),
    path("requests/<id:request_id>", views.RequestDetail.as_view()),
    path("requests/<id:request_id>/undo", views.RequestUndo.as_view()),
    path("requests/<id:request_id>/retry", views.RequestRetry.as_view()),
    path("requests/<id:request_id>/failed", views.RequestFailed.as_view()),
    path("requests/<id:request_id>/results", views.RequestResults.as_view(), name="bulk-results"),
]
