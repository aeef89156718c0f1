"""Who acts: people who sign in, service accounts, and the OAuth clients and tokens of both.

Secrets, tokens and codes are kept only as hashes: secrets by `customers.oauth.MachineSecretHasher`,
tokens as django-oauth-toolkit's checksums (RFC 9700), codes in a `HashedField`.
"""

from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from customers.fields import HashedField
from customers.models.business import BusinessAccount, Department
from customers.normalize import uuid7


class UserManager(BaseUserManager["User"]):
    """Makes users, and finds them by e-mail without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user who signs in with this e-mail address."""
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A saved user; without a password nobody can sign in as it."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """A user who may do everything in the back office; for `createsuperuser`."""
        fields |= {"is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: an employee of a business account, or a customer who sees only itself.

    An employee's role is the one group among `customers.roles.ROLES` that it belongs to.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=320)
    name = models.CharField(max_length=120, blank=True)
    business_account = models.ForeignKey(
        BusinessAccount, models.PROTECT, related_name="users", null=True, blank=True
    )
    customer_id = models.UUIDField(
        null=True,
        blank=True,
        help_text="Set for a customer who signs in; such a user is no employee.",
    )
    department = models.ForeignKey(
        Department,
        models.SET_NULL,
        related_name="users",
        null=True,
        blank=True,
        help_text="Home department.",
    )
    foreign_departments = models.ManyToManyField(
        Department,
        related_name="foreign_users",
        blank=True,
        help_text="Other departments whose customers this employee may see.",
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(
        "back office", default=False, help_text="Whether this person has the back office."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    # Part of what sessions and links for passwords are signed over: with a new one all of them end.
    access_version = models.PositiveIntegerField(default=0, editable=False)

    # Known of who comes by a session (`customers.second_factor.Backend`).
    lacks_second_factor = False
    known_permissions: set[str] | None = None

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_once",
                violation_error_message="Another user signs in with this e-mail address.",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """What Django and the skin call a person by."""
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's, but sessions end with a new `access_version` as with a new password."""
        value = f"{self.password}:{self.access_version}"
        return salted_hmac("kith.session", value, secret=secret, algorithm="sha256").hexdigest()


class ServiceAccount(models.Model):
    """A program that acts for one business account, with the scopes it was given."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    business_account = models.ForeignKey(
        BusinessAccount, models.CASCADE, related_name="service_accounts"
    )
    name = models.CharField(max_length=120)
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_active = models.BooleanField(default=True, help_text="Whether its keys and tokens work.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "API key"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class OAuthClient(AbstractApplication):
    """A program that may get tokens.

    With a service account it is an API key: `client_id` is the key, and key and secret are
    exchanged for a token at `/v1/api-keys/exchange` or by the client credentials grant. Without
    one it is an app in which people sign in (authorization code with PKCE): those of its business
    account and of all below it, or anybody if it has none.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)  # type: ignore[assignment]
    service_account = models.ForeignKey(
        ServiceAccount, models.CASCADE, related_name="keys", null=True, blank=True
    )
    business_account = models.ForeignKey(
        BusinessAccount,
        models.CASCADE,
        related_name="apps",
        null=True,
        blank=True,
        help_text="Whose people may sign in to this app; empty for everybody.",
    )
    scopes = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text="What this app may ask people for; empty for everything.",
    )
    is_active = models.BooleanField(default=True, help_text="Whether it works.")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    # After a rotation the secret before is good until then, by the database's clock.
    previous_secret = models.CharField(max_length=255, blank=True, default="", editable=False)
    previous_secret_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(AbstractApplication.Meta):
        verbose_name = "OAuth client"

    def is_usable(self, _request: object) -> bool:
        """Whether it may get tokens: neither it nor its service account is revoked."""
        return self.is_active and (self.service_account is None or self.service_account.is_active)


class AccessToken(AbstractAccessToken):
    """A bearer token; the exchange and every OAuth grant make the same kind."""

    class Meta(AbstractAccessToken.Meta):
        pass


class RefreshToken(AbstractRefreshToken):
    """A token with which an app gets the next access token."""

    class Meta(AbstractRefreshToken.Meta):
        pass


class Grant(AbstractGrant):
    """An authorization code, kept after its exchange until it would have expired.

    One that comes a second time was stolen: all tokens of `token_family` end (RFC 6749, 4.1.2).
    """

    code = HashedField(max_length=64, unique=True)
    token_family = models.UUIDField(default=uuid4, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta(AbstractGrant.Meta):
        pass


class IDToken(AbstractIDToken):
    """Needed by the access token's table; OpenID Connect is off."""

    class Meta(AbstractIDToken.Meta):
        pass
