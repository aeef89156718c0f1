"""The `customers` app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CustomersConfig(AppConfig):
    """Names the app in the back office, and keeps the roles' permissions."""

    name = "customers"
    verbose_name = "Customers"

    def ready(self) -> None:
        """Look after the roles whenever the tables may have changed."""
        from customers.roles import keep_roles  # noqa: PLC0415 -- needs loaded models

        post_migrate.connect(keep_roles, dispatch_uid="customers.roles.keep_roles")
