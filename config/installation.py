"""Which keys and which release a database belongs to, kept in the database itself.

A database that holds data must never be served with keys that do not open it: new values would be
sealed under a key that nobody else has. So the database keeps a fingerprint of each key in use,
and the release that migrated it last; `problems` compares them with what this process has.
"""

import hashlib
import hmac
import logging
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pkgutil import iter_modules

from django.apps import apps
from django.apps.config import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_migrate, pre_migrate

from config.db import row_security
from config.db.crypto import SealedField, SealError, associated_data, unseal_bytes
from config.models import InstallationFact

logger = logging.getLogger(__name__)

RELEASE = "release"
BLIND_INDEX_KEY = "KITH_BLIND_INDEX_KEY"
ENCRYPTION_KEY = "KITH_ENCRYPTION_KEYS:"
WHERE_KEYS_ARE = (
    "`./kith up` keeps its keys in secrets.env of its data directory (KITH_DATA); elsewhere they "
    "come from the environment. Nothing was changed."
)


def fingerprint(key: bytes) -> str:
    """What tells one 32-byte key from another and does not give it away; 32 hexadecimal digits."""
    return hmac.new(key, b"fingerprint of a Kith key", hashlib.sha256).hexdigest()[:32]


def configured() -> dict[str, str]:
    """The fingerprints of the keys that this process has, by the name under which they are kept."""
    keys = {ENCRYPTION_KEY + name: key for name, key in settings.ENCRYPTION_KEYS.items()}
    keys[BLIND_INDEX_KEY] = settings.BLIND_INDEX_KEY
    return {name: fingerprint(key) for name, key in keys.items()}


def problems() -> list[str]:
    """Why this process must not serve this database, in sentences; none when it may."""
    # Without them nothing else can be looked at.
    if settings.ROW_SECURITY and (refused := row_security.missing_rights()):
        return refused
    if message := schema_problem():
        return [message]
    kept = dict(InstallationFact.objects.values_list("name", "value"))
    found = key_problems(kept)
    return found + row_security.problems() if settings.ROW_SECURITY else found


def key_problems(kept: dict[str, str]) -> list[str]:
    """What is wrong with the keys of this process beside the fingerprints of those in use."""
    found = []
    given = configured()
    for name, value in sorted(kept.items()):
        variable, _, key_id = name.partition(":")
        if name == RELEASE or given.get(name) == value:
            continue
        if name == BLIND_INDEX_KEY:
            wrong = f"{variable} is not the key that this database was made with"
        elif name in given:
            wrong = (
                f"the key {key_id!r} in {variable} is not the {key_id!r} that this database uses"
            )
        else:
            wrong = f"{variable} lacks the key {key_id!r}, which seals values of this database"
        found.append(f"{wrong} (its fingerprint there is {value[:8]}). {WHERE_KEYS_ARE}")
    return found


def schema_problem() -> str:
    """The message about a schema that is not the one of this release; ``""`` when it is."""
    applied = MigrationRecorder(connection).applied_migrations().keys()
    known = known_migrations()
    if message := newer_schema(applied, known):
        return message
    missing = known - applied
    if not missing:
        return ""
    return (
        f"the database lacks {len(missing)} migrations of Kith {settings.VERSION}: "
        "run `manage.py migrate` (`./kith up` does so at its start)."
    )


def known_migrations() -> set[tuple[str, str]]:
    """The migrations of this release, by app and name.

    Every process of a registry asks, so they are listed, not loaded: that took 5 MB and a third of
    a second. None of them replaces others, which would count as applied with these.
    """
    found = set()
    for config in apps.get_app_configs():
        module, _is_explicit = MigrationLoader.migrations_module(config.label)
        if module is not None and (spec := find_spec(module)) is not None:
            places = spec.submodule_search_locations or []
            found |= {
                (config.label, name)
                for _, name, is_package in iter_modules(places)
                if not is_package and name[0] not in "_~"
            }
    return found


def newer_schema(applied: Iterable[tuple[str, str]], known: Iterable[tuple[str, str]]) -> str:
    """The message about migrations that only a newer release has; ``""`` when there are none."""
    ours = {config.label for config in apps.get_app_configs()}
    unknown = sorted(each for each in {*applied} - {*known} if each[0] in ours)
    if not unknown:
        return ""
    # Of each app the last name stays.
    newest = dict(sorted(known))
    own = [(label, newest[label]) for label in sorted(dict(unknown)) if label in newest]
    release = InstallationFact.objects.filter(name=RELEASE).values_list("value", flat=True).first()
    # Between releases the version stays while migrations are added.
    is_told = release and release != settings.VERSION
    return (
        f"the database was migrated by {f'Kith {release}' if is_told else 'a newer Kith'}, and "
        f"this is Kith {settings.VERSION}, which does not know {listed(unknown)} (its newest: "
        f"{listed(own) or 'none'}). Run the newer release, or restore a backup that was made "
        "before the upgrade. Nothing was changed."
    )


def listed(migrations: Iterable[tuple[str, str]]) -> str:
    """Migrations by their apps and names."""
    return ", ".join(f"{label}.{name}" for label, name in migrations)


def require() -> None:
    """Stop a server or worker that must not serve this database. Raises `ImproperlyConfigured`.

    With the database away just now, the first session that this process gets is judged instead.
    """
    try:
        verify()
    except OperationalError as error:
        logger.warning("the database is unavailable; its keys are compared later", exc_info=error)
        connection_created.connect(verify_session, dispatch_uid="config.installation")


def verify() -> None:
    """Compare, and note keys that are new. Raises `ImproperlyConfigured`."""
    if found := problems():
        raise ImproperlyConfigured("; ".join(found))
    note_keys()


def verify_session(connection: BaseDatabaseWrapper, **_signal: object) -> None:
    """Judge the database behind a session that was made just now; once is enough."""
    if connection.alias != DEFAULT_DB_ALIAS:
        return
    connection_created.disconnect(dispatch_uid="config.installation")
    try:
        verify()
    except BaseException:
        connection_created.connect(verify_session, dispatch_uid="config.installation")
        connection.close()
        raise


def note_keys(names: Iterable[str] | None = None) -> None:
    """Keep the fingerprints of the keys that seal from now on, or of `names`."""
    known = set(InstallationFact.objects.values_list("name", flat=True))
    wanted = {active_key(), BLIND_INDEX_KEY} if names is None else set(names)
    InstallationFact.objects.bulk_create(
        [
            InstallationFact(name=name, value=value)
            for name, value in configured().items()
            if name in wanted - known
        ],
        ignore_conflicts=True,
    )


def active_key() -> str:
    """The name of the key that seals new values."""
    return ENCRYPTION_KEY + next(iter(settings.ENCRYPTION_KEYS))


def keep_only_the_active_key() -> None:
    """Forget the other keys, once every value was sealed under this one."""
    others = InstallationFact.objects.filter(name__startswith=ENCRYPTION_KEY)
    others.exclude(name=active_key()).delete()


# --- Migrations -----------------------------------------------------------------------------------


def before_migrating(
    sender: AppConfig, using: str, plan: Sequence[object] = (), **_signal: object
) -> None:
    """Leave a database of a newer release alone. Raises `ImproperlyConfigured`."""
    is_ours = sender.label == "platform" and using == DEFAULT_DB_ALIAS
    if not is_ours or InstallationFact._meta.db_table not in connection.introspection.table_names():
        return
    applied = MigrationRecorder(connection).applied_migrations()
    if message := newer_schema(applied, known_migrations()):
        raise ImproperlyConfigured(message)
    if plan:
        row_security.drop_views()


def after_migrating(sender: AppConfig, using: str, **_signal: object) -> None:
    """Note the release and the keys. Raises `ImproperlyConfigured` for keys that do not fit."""
    tables = connection.introspection.table_names()
    if (
        sender.label != "platform"
        or using != DEFAULT_DB_ALIAS
        or InstallationFact._meta.db_table not in tables
    ):
        return
    with transaction.atomic():
        kept = dict(InstallationFact.objects.values_list("name", "value"))
        is_known = BLIND_INDEX_KEY in kept
        if found := key_problems(kept) if is_known else unopened(tables):
            raise ImproperlyConfigured("; ".join(found))
        note_keys(None if is_known else configured())
        InstallationFact.objects.update_or_create(
            name=RELEASE, defaults={"value": settings.VERSION}
        )


def unopened(tables: list[str]) -> list[str]:
    """What the configured keys do not open of a database that keeps no fingerprints yet.

    One value of each column is tried.
    """
    found = []
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if not isinstance(field, SealedField) or model._meta.db_table not in tables:
                continue
            keys = [key.attname for key in model._meta.pk_fields]
            rows = model._default_manager.exclude(**{field.attname: None})
            for *key, sealed in rows.values_list(*keys, field.attname)[:1]:
                try:
                    unseal_bytes(sealed, associated_data(model, field.attname, key[-1]))
                except SealError as error:
                    found.append(f"KITH_ENCRYPTION_KEYS do not open this database: {error}")
    return found[:1]


def connect_signals() -> None:
    """Have migrations watched."""
    pre_migrate.connect(before_migrating, dispatch_uid="config.installation")
    post_migrate.connect(after_migrating, dispatch_uid="config.installation")
