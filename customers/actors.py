"""Every way to come to an `Actor`: from a token, an operator, a job, or for the product itself."""

from typing import NamedTuple
from uuid import UUID

from config.api.actors import SCOPES, Actor, ActorType, Scope
from config.db import scope
from config.jobs.models import Job
from customers.models import BusinessAccount, Customer, OAuthClient, User
from customers.querysets import report_circle
from customers.roles import scopes_of

# A customer who signs in reads itself, in clear or not at all (`config.api.access`).
CUSTOMER_SCOPES = frozenset({Scope.CUSTOMERS_READ, Scope.CORE_READ})


class TokenRow(NamedTuple):
    """What the database tells of a token (`customers.authentication.TOKEN`)."""

    client: UUID
    is_idle: bool
    scope: str
    client_id: str
    account: UUID
    parent: UUID | None
    region: str
    tree: list[UUID]
    service: UUID | None
    service_scopes: list[str] | None
    person: UUID | None
    customer: UUID | None
    roles: list[str]
    is_departmental: bool
    home_department: UUID | None
    foreign_departments: list[UUID]


def token_actor(row: TokenRow) -> Actor | None:
    """Whom a token speaks for; None for a customer who is not there, or suspended."""
    kind, subject, tree = ActorType.SERVICE_ACCOUNT, row.service, tuple(row.tree)
    allowed = frozenset(row.service_scopes or ())
    report_circle(row.account, row.parent, tree)
    if row.customer is not None:
        with scope.confined_to([row.account]):
            is_active = Customer.objects.filter(
                pk=row.customer, business_account_id=row.account, status=Customer.Status.ACTIVE
            ).exists()
        if not is_active:
            return None
        kind, subject, tree = ActorType.CUSTOMER, row.customer, (row.account,)
        allowed = CUSTOMER_SCOPES
    elif row.person is not None:
        kind, subject, allowed = ActorType.EMPLOYEE, row.person, scopes_of(row.roles)
    return Actor(
        type=kind,
        id=str(subject),
        business_account_id=row.account,
        tree=tree,
        scopes=allowed.intersection(row.scope.split()),
        client_id=row.client_id,
        region=row.region,
        customer_id=row.customer,
        roles=frozenset(row.roles),
        # Without a home department an employee is not confined to departments.
        departments=(row.home_department, *row.foreign_departments) if row.home_department else (),
        is_departmental=row.is_departmental,
    )


def operator_actor(operator_id: object, account: BusinessAccount) -> Actor:
    """An operator of the back office, acting for this one business account.

    `operator_id` is the key of a `User`; what it may do, the back office has checked.
    """
    return Actor(
        type=ActorType.EMPLOYEE,
        id=str(operator_id),
        business_account_id=account.pk,
        tree=(account.pk,),
        region=account.default_region,
    )


def internal_actor(account: BusinessAccount) -> Actor:
    """A worker or command that acts for a business account and its descendants, free to do all."""
    return Actor(
        type=ActorType.INTERNAL,
        id="",
        business_account_id=account.pk,
        tree=tree_of(account.pk),
        scopes=frozenset(SCOPES),
        region=account.default_region,
    )


def job_actor(job: Job) -> Actor:
    """Who submitted a job, as the change log names it; without scopes, and of its account only."""
    return Actor(
        type=ActorType(job.actor_type),
        id=job.actor_id,
        business_account_id=job.business_account_id,
        tree=(job.business_account_id,),
        client_id=job.client_id,
    )


def job_actor_today(job: Job, client: OAuthClient) -> Actor | None:
    """Who submitted a job, as a new token of the client would show it; None if it would get none.

    A signed-in customer submits no jobs.
    """
    if job.actor_type == ActorType.EMPLOYEE:
        person = User.objects.filter(pk=job.actor_id, is_active=True, customer_id=None).first()
        if person is None or person.business_account_id is None:
            return None
        account_id = person.business_account_id
        scopes = scopes_of(person.groups.values_list("name", flat=True))
    else:
        program = client.service_account
        if program is None or not program.is_active or str(program.pk) != job.actor_id:
            return None
        account_id = program.business_account_id
        scopes = frozenset(program.scopes)
    return Actor(
        type=ActorType(job.actor_type),
        id=job.actor_id,
        business_account_id=account_id,
        tree=tree_of(account_id),
        scopes=scopes,
        client_id=job.client_id,
    )


def tree_of(account_id: UUID) -> tuple[UUID, ...]:
    """The ids of an account and of all its descendants, as they are now."""
    return tuple(BusinessAccount.objects.tree_of(account_id).values_list("pk", flat=True))
