"""What is wrong with an installation, said before it starts: `manage.py check`."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DEFAULT_DB_ALIAS, connections

from config.db.rights import may_make_temporary_tables

OLDEST_POSTGRESQL = 15
SHORTEST_SECRET = 50


@register(Tags.security)
def check_settings(**_options: object) -> list[CheckMessage]:
    """Settings that work, and should not be used like this."""
    found: list[CheckMessage] = []
    is_public = settings.PUBLIC_URL.startswith("https://")
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        found.append(
            Error(
                f"KITH_SECRET_KEY has fewer than {SHORTEST_SECRET} characters.",
                hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
                id="kith.E001",
            )
        )
    if settings.DEBUG and is_public:
        found.append(
            Error(
                "KITH_DEBUG is on although KITH_PUBLIC_URL is https.",
                hint="Debug pages show settings and data to everybody. Set KITH_DEBUG=0.",
                id="kith.E002",
            )
        )
    if urlsplit(settings.PUBLIC_URL).scheme not in {"http", "https"} or not settings.PUBLIC_HOST:
        found.append(
            Error(
                f"KITH_PUBLIC_URL is not an address: {settings.PUBLIC_URL!r}.",
                hint="Give it as https://kith.example.com, without a path.",
                id="kith.E003",
            )
        )
    if is_public and not settings.TRUST_PROXY:
        found.append(
            checks.Warning(
                "KITH_PUBLIC_URL is https, and KITH_TRUST_PROXY is off.",
                hint="Behind a proxy that ends TLS and sets X-Forwarded-Proto and X-Forwarded-For,"
                " set KITH_TRUST_PROXY=1.",
                id="kith.W001",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            checks.Warning(
                "KITH_ALLOWED_HOSTS allows every host name.",
                hint="Name the hosts that Kith is reached by.",
                id="kith.W002",
            )
        )
    return found


@register(Tags.files)
def check_storage(**_options: object) -> list[CheckMessage]:
    """The folder of result files, if it is one of this machine, can be written."""
    if not isinstance(default_storage, FileSystemStorage):
        return []
    folder = Path(default_storage.location)
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"Result files cannot be written to {folder}.",
            hint="Give this user the folder, name another by KITH_DATA, or set KITH_S3_BUCKET.",
            id="kith.E004",
        )
    ]


@register(Tags.database)
def check_databases(
    *, databases: Sequence[str] | None = None, **_options: object
) -> list[CheckMessage]:
    """Each database is new enough, and speaks UTF-8."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version_num')::int / 10000,"
                " current_setting('server_encoding'), datctype FROM pg_database"
                " WHERE datname = current_database()"
            )
            version, encoding, character_type = cursor.fetchone()
        if version < OLDEST_POSTGRESQL:
            found.append(
                Error(
                    f"PostgreSQL {version} of database {alias!r} is too old.",
                    hint=f"Kith needs PostgreSQL {OLDEST_POSTGRESQL} or newer.",
                    id="kith.E005",
                )
            )
        if encoding != "UTF8":
            found.append(
                Error(
                    f"Database {alias!r} keeps text as {encoding}.",
                    hint="Create it with ENCODING 'UTF8'.",
                    id="kith.E006",
                )
            )
        if character_type in {"C", "POSIX"}:
            found.append(
                checks.Warning(
                    f"Database {alias!r} takes only ASCII for letters (LC_CTYPE "
                    f"{character_type}): other names are slow to find by a part, or not at all.",
                    hint="Create it with LC_CTYPE 'C.UTF-8' or that of a language.",
                    id="kith.W003",
                )
            )
        if alias == DEFAULT_DB_ALIAS and not may_make_temporary_tables(alias):
            found.append(
                checks.Warning(
                    f"The user of database {alias!r} may not make temporary tables: dry runs of"
                    " files fail.",
                    hint="GRANT TEMPORARY ON DATABASE … TO …",
                    id="kith.W004",
                )
            )
    return found
