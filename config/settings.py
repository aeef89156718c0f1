"""All settings, read from the environment; the README's configuration table documents each."""

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from config.env import Env

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("KITH_DATA", str(BASE_DIR / "var"))).resolve()
VERSION = "0.1.0"

DEBUG = env.flag("KITH_DEBUG")
SECRET_KEY = env.required("KITH_SECRET_KEY")
# The first key encrypts; all of them decrypt. `rotate_encryption_keys` moves rows to the first.
ENCRYPTION_KEYS = env.keys("KITH_ENCRYPTION_KEYS")
BLIND_INDEX_KEY = env.key("KITH_BLIND_INDEX_KEY")

PUBLIC_URL = env.url("KITH_PUBLIC_URL", "http://127.0.0.1:8000", schemes=("http", "https")).rstrip(
    "/"
)
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", PUBLIC_HOST, *env.words("KITH_ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "config.api.pages.csrf_failure"
SECURE_COOKIES = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
TRUST_PROXY = env.flag("KITH_TRUST_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django_otp",
    "oauth2_provider",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config.apps.PlatformConfig",
    "customers.apps.CustomersConfig",
    "search.apps.SearchConfig",
    "ingest.apps.IngestConfig",
]

MIDDLEWARE = [
    "config.api.middleware.RequestContext",
    # The APIs end here.
    "config.api.calls.Calls",
    "django.middleware.security.SecurityMiddleware",
    "config.api.content_policy.ContentPolicy",
    "config.api.time_zone.BrowserTimeZone",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "customers.second_factor.Gate",
    "customers.admin.row_scope.RowScope",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


# Off for poolers in transaction mode that cannot keep prepared statements (PgBouncer before 1.21).
PREPARED_STATEMENTS = env.flag("KITH_PREPARED_STATEMENTS", default=True)


# For servers that vanish without a word; in the URL they may be given otherwise.
PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def database(name: str, url: str, **patience: str) -> dict[str, object]:
    """Django's database settings from a `postgresql://` URL, parsed by libpq itself.

    `patience` counts more than `PATIENCE`, and what the URL says more than both.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured(f"{name} must be a URL that begins with postgresql://")
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        # Its text repeats the URL, with the password.
        raise ImproperlyConfigured(f"{name} is not a PostgreSQL URL that libpq can read") from None
    return {
        "ENGINE": "config.db.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        # A connection per thread is the fastest; a restarted database costs no failed request.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # They outlive their statement, for which poolers have no session; see `config.db.batches`.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            **PATIENCE,
            **patience,
            **parts,
            "prepare_threshold": 2 if PREPARED_STATEMENTS else None,
        },
    }


# Web and worker see the rows of the business accounts that they work for, and no others.
ROW_SECURITY = env.flag("KITH_ROW_SECURITY")
# The database is a distributed engine: only what such a one allows is asked of it.
DISTRIBUTED = env.flag("KITH_DISTRIBUTED")
if DISTRIBUTED and ROW_SECURITY:
    raise ImproperlyConfigured(
        "KITH_DISTRIBUTED and KITH_ROW_SECURITY cannot both be on: no engine was tried with both."
    )
DATABASES = {"default": database("DATABASE_URL", env.required("DATABASE_URL"))}
# Searches may read from a replica; without one they read where everything else does.
if search_url := env.text("SEARCH_DATABASE_URL"):
    DATABASES["search"] = database("SEARCH_DATABASE_URL", search_url) | {
        "TEST": {"MIRROR": "default"}
    }
SEARCH_DATABASE = "search" if search_url else "default"
# Look-ups may read from a replica likewise. Each tries the primary next, so none waits for long.
if read_url := env.text("READ_DATABASE_URL"):
    DATABASES["read"] = database("READ_DATABASE_URL", read_url, connect_timeout="2") | {
        "TEST": {"MIRROR": "default"}
    }
READ_DATABASE = "read" if read_url else "default"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["config.formats"]
LOCALE_PATHS = [BASE_DIR / "search" / "immediate" / "locale"]

REDIS_SCHEMES = ("redis", "rediss", "unix")
env.required("REDIS_URL")
REDIS_URL = env.url("REDIS_URL", schemes=REDIS_SCHEMES)


def broker_url(url: str) -> str:
    """Celery's spelling of a Redis URL: kombu wants `redis+socket://` where redis-py has `unix://`."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"


# Installations that share a broker or a Redis need queues and keys of their own.
QUEUE = env.text("KITH_QUEUE", "kith")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": QUEUE,
        # In seconds; who asks has an answer to give.
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
BROKER_SCHEMES = (*REDIS_SCHEMES, "redis+socket", "amqp", "amqps", "pyamqp")
CELERY_BROKER_URL = broker_url(env.url("KITH_BROKER_URL", REDIS_URL, schemes=BROKER_SCHEMES))

STORAGES: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "results", "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if bucket := env.text("KITH_S3_BUCKET"):
    STORAGES["default"] = {
        "BACKEND": "config.files.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": bucket,
            # Off where clients cannot reach the bucket: then the files pass through the web server.
            "presigned": env.flag("KITH_S3_PRESIGNED", default=True),
            "endpoint_url": env.url("KITH_S3_ENDPOINT_URL", schemes=("http", "https")) or None,
            "region_name": env.text("KITH_S3_REGION") or None,
            "access_key": env.text("KITH_S3_ACCESS_KEY") or None,
            "secret_key": env.text("KITH_S3_SECRET_KEY") or None,
            "default_acl": None,
            "file_overwrite": True,
        },
    }
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = ["customers.second_factor.Backend"]
# An e-mail address is unique without regard to case, by the constraint `user_email_once`.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# Superusers may belong to no business account, which is what requires two factors of others.
SUPERUSERS_NEED_TWO_FACTORS = env.flag("KITH_SUPERUSER_TWO_FACTOR")
# How long a link by which a person chooses a password is good.
PASSWORD_RESET_TIMEOUT = env.integer("KITH_PASSWORD_LINK_SECONDS", 86_400, minimum=60)

# `smtp+tls` begins in clear and goes on encrypted, `smtps` is encrypted from the first byte.
EMAIL_URL = env.url("EMAIL_URL", schemes=("smtp", "smtp+tls", "smtps"))
mail_server = urlsplit(EMAIL_URL)
EMAIL_HOST = mail_server.hostname or ""
EMAIL_PORT = mail_server.port or {"smtps": 465, "smtp+tls": 587}.get(mail_server.scheme, 25)
EMAIL_HOST_USER = unquote(mail_server.username or "")
EMAIL_HOST_PASSWORD = unquote(mail_server.password or "")
EMAIL_USE_TLS = mail_server.scheme == "smtp+tls"
EMAIL_USE_SSL = mail_server.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = parse_qs(mail_server.query).get("from", [f"kith@{PUBLIC_HOST}"])[0]

ACCESS_TOKEN_SECONDS = env.integer("KITH_ACCESS_TOKEN_SECONDS", 3600, minimum=1)
OAUTH2_PROVIDER_APPLICATION_MODEL = "customers.OAuthClient"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "customers.AccessToken"  # noqa: S105 -- a model
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "customers.RefreshToken"  # noqa: S105 -- a model
OAUTH2_PROVIDER_GRANT_MODEL = "customers.Grant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "customers.IDToken"  # noqa: S105 -- a model
OAUTH2_PROVIDER = {
    "SCOPES_BACKEND_CLASS": "customers.oauth.ClientScopes",
    "OAUTH2_SERVER_CLASS": "customers.oauth.Server",
    "OAUTH2_VALIDATOR_CLASS": "customers.oauth.Validator",
    "OIDC_ISS_ENDPOINT": PUBLIC_URL,
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": [
        "client_credentials",
        "authorization_code",
        "refresh_token",
    ],
    "ACCESS_TOKEN_EXPIRE_SECONDS": ACCESS_TOKEN_SECONDS,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86_400,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "CLIENT_SECRET_HASHER": "machine_secret",
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],
}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "customers.oauth.MachineSecretHasher",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["customers.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["customers.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["config.api.json.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.json.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["config.api.throttling.ClientRate"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.schema.ApiSchema",
    "EXCEPTION_HANDLER": "config.api.handlers.handle",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.json.JSONOnly",
    # Formats are chosen by `Accept` alone.
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
# Requests a client may make in a minute; 0 switches the limit off.
REQUESTS_PER_MINUTE = env.integer("KITH_REQUESTS_PER_MINUTE", 60_000)
# Failed authentications an address may have in a minute; 0 switches the limit off.
FAILED_AUTHENTICATIONS_PER_MINUTE = env.integer("KITH_FAILED_AUTHENTICATIONS_PER_MINUTE", 60)
# How often an employee may look at the sensitive values of customers within an hour.
REVEALS_PER_HOUR = env.integer("KITH_REVEALS_PER_HOUR", 30, minimum=1)
# Larger bodies are 413; /v2/data allows 5 MB, and its files go by their own limit.
MAX_BODY_BYTES = env.integer("KITH_MAX_BODY_BYTES", 5_000_000, minimum=1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
# A larger file of `/v2/data/files` is 413, while it is being read.
MAX_FILE_BYTES = env.integer("KITH_MAX_FILE_BYTES", 2 * 1024**3, minimum=1024, maximum=1024**4)
MAX_FILE_LINES = env.integer("KITH_MAX_FILE_LINES", 10_000_000, minimum=1)

# Threads of one process of the web server that run requests, and that receive files.
WEB_THREADS = env.integer("KITH_WEB_THREADS", 4, minimum=1)
UPLOAD_THREADS = env.integer("KITH_UPLOAD_THREADS", 16, minimum=1)
# A client that sends or reads fewer bytes in so many seconds is cut off.
LEAST_BYTES_PER_SECOND = env.integer("KITH_LEAST_BYTES_PER_SECOND", 1000)
STALL_SECONDS = env.integer("KITH_STALL_SECONDS", 10, minimum=1)
# A body that takes longer is 408; a file goes by the rate alone.
BODY_SECONDS = env.integer("KITH_BODY_SECONDS", 60, minimum=1)
# What a web request waits for one answer of the database, for a connection, or for a thread.
STATEMENT_SECONDS = env.integer("KITH_STATEMENT_SECONDS", 10, minimum=2)

# What the API documentation says is in `config.openapi`; here is how it is made.
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": ["config.openapi.schema.complete"],
    "PATH_CONVERTER_OVERRIDES": {
        "id": {"type": "string", "format": "uuid"},
        "opaque": {"type": "string"},
    },
    "CAMELIZE_NAMES": True,
    "COMPONENT_SPLIT_PATCH": False,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# How long a finished search's file is kept, and how long one signed link to it is good.
RESULT_SECONDS = env.integer("KITH_RESULT_SECONDS", 7 * 86_400, minimum=60)
RESULT_LINK_SECONDS = env.integer("KITH_RESULT_LINK_SECONDS", 3600, minimum=10)
# How long after its end a bulk load can be undone; what that takes is kept so long at least.
UNDO_DAYS = env.integer("KITH_UNDO_DAYS", 30, minimum=1)
# How long what has ended is kept, with ledgers.
BULK_RETENTION_DAYS = env.integer("KITH_BULK_RETENTION_DAYS", 90, minimum=UNDO_DAYS)
SEARCH_RETENTION_DAYS = env.integer("KITH_SEARCH_RETENTION_DAYS", 90, minimum=1)
# 0: the change log is kept for ever.
CHANGE_RETENTION_DAYS = env.integer("KITH_CHANGE_RETENTION_DAYS", 0)
if 0 < CHANGE_RETENTION_DAYS < UNDO_DAYS:
    raise ImproperlyConfigured(
        "KITH_CHANGE_RETENTION_DAYS must be 0 (for ever), or KITH_UNDO_DAYS or more."
    )
# How long the list of sign-ins goes back.
SIGN_IN_RETENTION_DAYS = env.integer("KITH_SIGN_IN_RETENTION_DAYS", 180, minimum=1)
# A worker that has not been heard of for this long has lost its job.
JOB_LEASE_SECONDS = env.integer("KITH_JOB_LEASE_SECONDS", 30, minimum=2)
# What a worker that is told to stop leaves its jobs to end; then they are another worker's.
JOB_STOP_SECONDS = env.integer("KITH_JOB_STOP_SECONDS", 5)
# A job that takes longer is stopped.
JOB_SECONDS = env.integer("KITH_JOB_SECONDS", 3600, minimum=1)

# By how much jobs go behind requests on a machine that has too little for both.
WORKER_NICENESS = env.integer("KITH_WORKER_NICENESS", 5, maximum=19)

# How many processes load one file: one more than cores, for each waits for its database session now
# and then. Each has a session of its own.
LOADER_PROCESSES = env.integer(
    "KITH_LOADER_PROCESSES", min(len(os.sched_getaffinity(0)), 8) + 1, minimum=1
)

# With it, `/metrics` tells figures to who has it; without, nothing is counted.
METRICS_TOKEN = env.bearer("KITH_METRICS_TOKEN")

# Where traces of requests and jobs are sent, by OTLP over HTTP; without, none are made.
TRACES_URL = env.url("KITH_TRACES_URL", schemes=("http", "https"))

# How many database sessions read a large result at once.
SEARCH_SESSIONS = env.integer(
    "KITH_SEARCH_SESSIONS", min(len(os.sched_getaffinity(0)), 64), minimum=1, maximum=64
)

LOG_LEVEL = env.choice("KITH_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logging.JSONFormatter"}},
    "handlers": {"stderr": {"class": "config.logging.StandardError", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # Django's own loggers would print request lines with personal data in query strings.
    "loggers": {
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
        # Celery's lines about a task's end quote exceptions; `config.jobs.signals` writes its own.
        "celery.app.trace": {"level": "CRITICAL"},
        # A line for each message that comes or goes, and most of them find nothing to do.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        # At DEBUG they write codes and tokens.
        "oauthlib": {"level": "INFO"},
        "oauth2_provider": {"level": "INFO"},
        # How many tokens of each kind were deleted, and mostly none.
        "oauth2_provider.models": {"level": "WARNING"},
    },
}
# The back office in the mark and the green of the other pages.
UNFOLD = {
    "SITE_TITLE": "Kith",
    "SITE_HEADER": "Kith",
    "SITE_SUBHEADER": "config.api.time_zone.in_words",
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "customers.admin.dashboard.dashboard",
    "SIDEBAR": {"navigation": "customers.admin.navigation.navigation"},
    "STYLES": [lambda _: static("kith/admin.css")],
    "SCRIPTS": [lambda _: static("kith/time-zone.js")],
    "ACCOUNT": {
        "navigation": [
            {"title": "Your account", "link": reverse_lazy("admin:customers_user_account")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SITE_ICON": lambda _: static("kith/icon.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("kith/icon.svg")}
    ],
    "COLORS": {
        "primary": {
            "50": "#f0faf7",
            "100": "#d7f0e8",
            "200": "#b0e0d3",
            "300": "#84cbb9",
            "400": "#4fae99",
            "500": "#2f8f7a",
            "600": "#1f6f5c",
            "700": "#1a5b4c",
            "800": "#17493e",
            "900": "#143d34",
            "950": "#0a231e",
        }
    },
}
