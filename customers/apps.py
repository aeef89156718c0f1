"""The `customers` app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CustomersConfig(AppConfig):
    """Names the app in the back office, keeps the roles' permissions, and counts customers."""

    name = "customers"
    verbose_name = "Customers"

    def ready(self) -> None:
        """Look after the roles whenever the tables may have changed; show figures of customers."""
        from customers import customer_figures, figures
        from customers.roles import keep_roles

        figures.register(customer_figures.SECTION)
        post_migrate.connect(keep_roles, dispatch_uid="customers.roles.keep_roles")
