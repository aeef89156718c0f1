"""Which request a change came from, where one transaction does many, in a setting of its own.

Each statement reads who acts anew, and the requests of a thousand customers are a long document: as
a part of the actor it was parsed once for each of the actor's members.
"""

from django.db import migrations

from config.db import online

ACT = """
CREATE OR REPLACE FUNCTION kith_act(
    OUT at timestamptz, OUT actor_type text, OUT actor_id text, OUT via text, OUT request_id text,
    OUT reason text, OUT requests jsonb
) LANGUAGE sql STABLE AS $$
    WITH said AS MATERIALIZED (
        SELECT coalesce(nullif(current_setting('kith.actor', true), ''), '{}')::jsonb AS act
    )
    SELECT coalesce((act ->> 'at')::timestamptz, statement_timestamp()),
           coalesce(act ->> 'type', 'internal'),
           coalesce(act ->> 'id', ''),
           coalesce(act ->> 'via', 'database'),
           coalesce(act ->> 'requestId', ''),
           coalesce(act ->> 'reason', ''),
           nullif(current_setting('kith.requests', true), '')::jsonb
    FROM said
$$"""
# As `change_record` made it.
BEFORE = """
CREATE OR REPLACE FUNCTION kith_act(
    OUT at timestamptz, OUT actor_type text, OUT actor_id text, OUT via text, OUT request_id text,
    OUT reason text, OUT requests jsonb
) LANGUAGE sql STABLE AS $$
    SELECT coalesce((act ->> 'at')::timestamptz, statement_timestamp()),
           coalesce(act ->> 'type', 'internal'),
           coalesce(act ->> 'id', ''),
           coalesce(act ->> 'via', 'database'),
           coalesce(act ->> 'requestId', ''),
           coalesce(act ->> 'reason', ''),
           act -> 'requests'
    FROM (SELECT coalesce(nullif(current_setting('kith.actor', true), ''), '{}')::jsonb AS act) said
$$"""


class Migration(online.Migration):
    dependencies = [("customers", "0002_change_record")]

    operations = [migrations.RunSQL(ACT, BEFORE)]
