"""The change log is partitioned by time: the table of until now becomes its first partition.

No row is read, written or copied: at first that partition holds all times, which needs no proof.
What has policies and rights passes them on, so that programs that run meanwhile go on. Who makes
the partitions of the months, and drops old ones, is `customers.services.change_partitions`; the
functions do what only the owner of the tables may, and run as such where web and worker are
confined (`config.db.row_security`).

There is no default partition. PostgreSQL would not read the others in the order of time then, and
the last one is open to the future anyway: every row has its place.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor
from django.db.backends.utils import CursorWrapper

from config.db import online

# In text, before the table gets another name.
RIGHTS = """
    SELECT format('GRANT %s ON customers_change TO %s', privilege_type, role),
        format('REVOKE ALL ON customers_change_first FROM %s', role)
    FROM pg_class, aclexplode(relacl) given,
        LATERAL (SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END) AS r (role)
    WHERE oid = 'customers_change'::regclass AND grantee <> relowner"""
POLICIES = """
    SELECT format(
            'ALTER TABLE customers_change ENABLE ROW LEVEL SECURITY;'
            'CREATE POLICY %1$I ON customers_change USING (%2$s) WITH CHECK (%3$s);'
            'COMMENT ON POLICY %1$I ON customers_change IS %4$L',
            polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid),
            obj_description(pg_policy.oid, 'pg_policy')),
        format('DROP POLICY IF EXISTS %I ON customers_change_first', polname)
    FROM pg_policy WHERE polrelid = 'customers_change'::regclass AND polname = 'kith_rows'"""
REACHED = "SELECT last_value + is_called::int FROM customers_change_id_seq"
COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 'customers_change'::regclass AND attnum > 0 AND NOT attisdropped"""

# The partition's indexes have the names that PostgreSQL gives those of others.
FORWARDS = """
    ALTER TABLE customers_change ALTER id DROP IDENTITY;
    ALTER TABLE customers_change RENAME TO customers_change_first;
    ALTER INDEX customers_change_pkey RENAME TO customers_change_first_pkey;
    ALTER INDEX change_sealed RENAME TO customers_change_first_at_customer_id_id_idx;
    CREATE TABLE customers_change (
        LIKE customers_change_first INCLUDING COMMENTS INCLUDING COMPRESSION INCLUDING STORAGE
    ) PARTITION BY RANGE (at);
    CREATE SEQUENCE customers_change_id_seq START WITH {reached} OWNED BY customers_change.id;
    ALTER TABLE customers_change ALTER id SET DEFAULT nextval('customers_change_id_seq');
    ALTER TABLE customers_change
        ADD CONSTRAINT customers_change_pkey PRIMARY KEY (customer_id, at, id);
    CREATE INDEX change_sealed ON customers_change (at, customer_id, id) WHERE sealed IS NOT NULL;
    ALTER TABLE customers_change
        ATTACH PARTITION customers_change_first FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
    ALTER TABLE customers_change_first ENABLE ROW LEVEL SECURITY"""
# Rows of later partitions are copied, which takes as long as there are many.
BACKWARDS = """
    ALTER TABLE customers_change DETACH PARTITION customers_change_first;
    INSERT INTO customers_change_first ({columns}) SELECT {columns} FROM customers_change;
    ALTER TABLE customers_change_first ALTER id DROP DEFAULT;
    DROP TABLE customers_change;
    ALTER TABLE customers_change_first DISABLE ROW LEVEL SECURITY;
    DO $$ BEGIN
        EXECUTE coalesce((
            SELECT string_agg(format('ALTER TABLE customers_change_first DROP CONSTRAINT %I',
                                     conname), '; ')
            FROM pg_constraint WHERE conrelid = 'customers_change_first'::regclass
                AND conname LIKE 'change\\_until\\_%'), 'SELECT');
    END $$;
    ALTER TABLE customers_change_first RENAME TO customers_change;
    ALTER INDEX customers_change_first_pkey RENAME TO customers_change_pkey;
    ALTER INDEX customers_change_first_at_customer_id_id_idx RENAME TO change_sealed;
    ALTER TABLE customers_change
        ALTER id ADD GENERATED ALWAYS AS IDENTITY (START WITH {reached})"""

# Oldest first; without an end is the last one.
PARTITIONS = """
CREATE FUNCTION kith_change_partitions(
    OUT name text, OUT starts timestamptz, OUT ends timestamptz
) RETURNS SETOF record LANGUAGE sql STABLE SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
    SELECT relname::text,
        coalesce(nullif(bounds[1], 'MINVALUE')::timestamptz, '-infinity') AS starts,
        coalesce(nullif(bounds[2], 'MAXVALUE')::timestamptz, 'infinity')
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid,
        regexp_match(pg_get_expr(relpartbound, pg_class.oid),
                     'FROM \\(''?(.*?)''?\\) TO \\(''?(.*?)''?\\)') AS bounds
    WHERE inhparent = to_regclass('customers_change')
    ORDER BY starts
$$"""
# Makes the partitions of the months from the last one on, until that many months after this one
# have begun; how many, or -1 where that one has more than `most` rows, which would take too long to
# move. Another session that does the same is not waited for.
MAKE = """
CREATE FUNCTION kith_make_change_partitions(months integer, most integer) RETURNS integer
LANGUAGE plpgsql SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    wanted timestamptz :=
        date_trunc('month', statement_timestamp()) + make_interval(months => months);
    later record;
    month timestamptz;
    partition text;
    early bigint;
    made integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('kith change partitions', 0)) THEN
        RETURN 0;
    END IF;
    SELECT * INTO later FROM kith_change_partitions() WHERE ends = 'infinity';
    IF NOT FOUND OR later.starts >= wanted THEN
        RETURN 0;
    END IF;
    IF later.starts = '-infinity' THEN
        RETURN -1;
    END IF;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %I WHERE at < %L LIMIT %s) AS rows',
                   later.name, wanted, most + 1) INTO early;
    IF early > most THEN
        RETURN -1;
    END IF;
    EXECUTE format('ALTER TABLE customers_change DETACH PARTITION %I', later.name);
    month := later.starts;
    WHILE month < wanted LOOP
        partition := 'customers_change_' || to_char(month, 'YYYY_MM');
        EXECUTE format('CREATE TABLE %I PARTITION OF customers_change FOR VALUES FROM (%L) TO (%L)',
                       partition, month, month + interval '1 month');
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
        month := month + interval '1 month';
        made := made + 1;
    END LOOP;
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE at < %L RETURNING *)'
                   ' INSERT INTO customers_change SELECT * FROM moved', later.name, wanted);
    EXECUTE format('ALTER TABLE customers_change ATTACH PARTITION %I'
                   ' FOR VALUES FROM (%L) TO (MAXVALUE)', later.name, wanted);
    RETURN made;
END
$$"""
# Drops the partitions all of whose rows are older; how many. A clock may be set back: there is
# always a first one for what is older than all others.
DROP = """
CREATE FUNCTION kith_drop_change_partitions(days integer) RETURNS integer
LANGUAGE plpgsql SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    old record;
    has_rows boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('kith change partitions', 0)) THEN
        RETURN 0;
    END IF;
    SELECT array_agg(name ORDER BY starts) AS names, max(ends) AS until INTO old
    FROM kith_change_partitions()
    WHERE ends <= statement_timestamp() - make_interval(days => days);
    IF old.names IS NULL THEN
        RETURN 0;
    END IF;
    IF cardinality(old.names) = 1 THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', old.names[1]) INTO has_rows;
        IF NOT has_rows THEN
            RETURN 0;
        END IF;
    END IF;
    LOCK TABLE ONLY customers_change IN ACCESS EXCLUSIVE MODE;
    EXECUTE 'DROP TABLE ' || (SELECT string_agg(quote_ident(each), ', ')
                              FROM unnest(old.names) AS each);
    EXECUTE format('CREATE TABLE customers_change_first PARTITION OF customers_change'
                   ' FOR VALUES FROM (MINVALUE) TO (%L)', old.until);
    ALTER TABLE customers_change_first ENABLE ROW LEVEL SECURITY;
    RETURN cardinality(old.names);
END
$$"""


def replace_table(cursor: CursorWrapper, statements: str) -> None:
    """Put another table in the place of the change log, with its policy and everybody's rights."""
    cursor.execute("LOCK TABLE customers_change IN ACCESS EXCLUSIVE MODE")
    passed_on: list[tuple[str, str]] = []
    for query in (POLICIES, RIGHTS):
        cursor.execute(query)
        passed_on += cursor.fetchall()
    cursor.execute(REACHED)
    (reached,) = cursor.fetchone()
    cursor.execute(COLUMNS)
    (columns,) = cursor.fetchone()
    cursor.execute(statements.format(reached=reached, columns=columns))
    for gained, _ in passed_on:
        cursor.execute(gained)
    cursor.execute("SELECT to_regclass('customers_change_first')")
    if cursor.fetchone() != (None,):
        for _, lost in passed_on:
            cursor.execute(lost)


def partition(_apps: Apps, editor: Editor) -> None:
    """Put a partitioned table over the one of until now."""
    with online.short_transaction(editor.connection) as cursor:
        replace_table(cursor, FORWARDS)


def join(_apps: Apps, editor: Editor) -> None:
    """Bring all partitions back into one table."""
    with online.short_transaction(editor.connection) as cursor:
        replace_table(cursor, BACKWARDS)


class Migration(online.Migration):
    dependencies = [("customers", "0033_digits_within_words")]

    operations = [
        migrations.RunPython(partition, join),
        migrations.RunSQL(PARTITIONS, "DROP FUNCTION kith_change_partitions()"),
        migrations.RunSQL(MAKE, "DROP FUNCTION kith_make_change_partitions(integer, integer)"),
        migrations.RunSQL(DROP, "DROP FUNCTION kith_drop_change_partitions(integer)"),
    ]
