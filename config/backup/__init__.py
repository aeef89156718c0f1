"""Backups: one file that has a registry in it, made while it runs, and put back into an empty one.

A backup is a ZIP archive whose members are stored as they are:

- ``database.dump``: what `pg_dump` makes of one moment of the database, in its own format;
- ``files/…``: stored files, on request;
- ``keys.json``: the keys, on request, under a passphrase (`keys`);
- ``manifest.json``: release, migrations, fingerprints of the keys, and the dump's digest. It is
  written last: an archive without it is not whole.
"""
