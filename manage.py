#!/usr/bin/env python
"""The command line of an installation."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

from config.commands import CommandLine, connect_as_owner

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    connect_as_owner(sys.argv)
    try:
        CommandLine(sys.argv).execute()
    except ImproperlyConfigured as error:
        sys.exit(f"kith: {error}")
