"""The `customers` app."""

from typing import ClassVar

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from config.db.policies import Owner

HOLDER = {"customer_id": "customer_id"}
CUSTOMER = Owner("customers.Customer", {"customer_id": "id"})


class CustomersConfig(AppConfig):
    """Names the app in the back office, keeps the roles' permissions, and counts customers."""

    name = "customers"
    verbose_name = "Customers"
    open_rows: ClassVar[dict[str, str]] = {
        "customers.BusinessAccount": "the tree, by which is found out what somebody may see",
        **dict.fromkeys(
            ("customers.User", "customers.ServiceAccount", "customers.OAuthClient"),
            "who signs in is looked for before it is known whom it belongs to",
        ),
        **dict.fromkeys(
            (
                "customers.AccessToken",
                "customers.RefreshToken",
                "customers.Grant",
                "customers.IDToken",
                "customers.Authenticator",
                "customers.RecoveryCode",
                "customers.SignInAttempt",
                "customers.User_groups",
                "customers.User_user_permissions",
                "customers.User_foreign_departments",
            ),
            "of whoever signs in, likewise",
        ),
    }
    owned_rows: ClassVar[dict[str, tuple[Owner, ...]]] = {
        # A holder that has not arrived yet has its accounts and cards already.
        "Card": (CUSTOMER, Owner("customers.Account", HOLDER | {"account_id": "id"})),
        "Change": (CUSTOMER, Owner("customers.Account", HOLDER)),
    }

    def ready(self) -> None:
        """Look after roles and partitions when tables may have changed; show figures."""
        from customers import customer_figures, figures
        from customers.roles import keep_roles
        from customers.services.change_partitions import keep_partitions

        figures.register(customer_figures.SECTION)
        post_migrate.connect(keep_roles, dispatch_uid="customers.roles.keep_roles")
        post_migrate.connect(keep_partitions, dispatch_uid="customers.keep_partitions")
