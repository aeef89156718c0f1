"""Under which licences packages may come, and the licences of those that say theirs in no code.

All are identifiers and expressions of SPDX.
"""

PERMISSIVE = "asks for no more than that its notice is kept"
UNMODIFIED = "a library of its own, unmodified, which everybody can replace by another version"
FILES = "asks for the source of its own files only where they were changed, which they are not"
CHOICE = "one of its licences is chosen, and that is permissive"

# Each expression as it is told, with the reason why it is admitted.
ADMITTED = {
    "MIT": PERMISSIVE,
    "MIT-0": PERMISSIVE,
    "0BSD": PERMISSIVE,
    "BSD-2-Clause": PERMISSIVE,
    "BSD-3-Clause": PERMISSIVE,
    "Apache-2.0": PERMISSIVE,
    "PostgreSQL": PERMISSIVE,
    "PSF-2.0": "that of Python itself, permissive",
    "Unlicense": "gives everything to the public",
    "OFL-1.1": "a font, which is not sold by itself",
    "MIT AND OFL-1.1": "its fonts are not sold by themselves, the rest is permissive",
    "Apache-2.0 AND BSD-2-Clause": PERMISSIVE,
    "Apache-2.0 AND BSD-3-Clause": PERMISSIVE,
    "Apache-2.0 OR BSD-2-Clause": CHOICE,
    "Apache-2.0 OR BSD-3-Clause": CHOICE,
    "Apache-2.0 OR MIT": CHOICE,
    "BSD-3-Clause OR Apache-2.0": CHOICE,
    "MPL-2.0": FILES,
    "MPL-2.0 AND MIT": FILES,
    "MPL-2.0 AND (Apache-2.0 OR MIT)": FILES,
    "LGPL-2.1-only": UNMODIFIED,
    "LGPL-3.0-only": UNMODIFIED,
    "LGPL-3.0-or-later": UNMODIFIED,
}

# Of packages whose metadata has a name such as "BSD" or nothing: as their licence files have it.
CONCLUDED = {
    "amqp": "BSD-3-Clause",
    "billiard": "BSD-3-Clause",
    "click-plugins": "BSD-3-Clause",
    "django-filter": "BSD-3-Clause",
    "django-oauth-toolkit": "BSD-2-Clause",
    "drf-spectacular-sidecar": "BSD-3-Clause",
    "prompt-toolkit": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 AND BSD-3-Clause",
    "s3transfer": "Apache-2.0",
    "segno": "BSD-3-Clause",
    "sqlparse": "BSD-3-Clause",
    "uritemplate": "BSD-3-Clause OR Apache-2.0",
    "uvloop": "Apache-2.0 OR MIT",
    "valkey": "MIT",
    "vine": "BSD-3-Clause",
    "wcwidth": "MIT",
}

# Of packages that are installed on other systems, or with other versions of Python, alone.
ELSEWHERE = {
    "async-timeout": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
}
