"""`/account/`: forgotten passwords of everybody who signs in, wherever."""

from django.urls import path
from django.views.generic import TemplateView

from customers.views import passwords

app_name = "account"
urlpatterns = [
    path("forgot-password", passwords.forgot_password, name="forgot-password"),
    path("password/<uidb64>/<token>", passwords.ChoosePassword.as_view(), name="choose-password"),
    path(
        "password-chosen",
        TemplateView.as_view(template_name="account/chosen.html"),
        name="password-chosen",
    ),
]
