"""`/v2/session`: the published way of publishers to a token."""

from django.urls import path

from customers.views import tokens

urlpatterns = [path("startSession", tokens.SessionStart.as_view())]
