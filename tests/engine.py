"""What a distributed engine has besides PostgreSQL, as far as `distribute` uses it.

It is made within the current transaction, and is no engine: tables stay where they are, and are
noted in a catalog of the engine's shape. As there, a table with triggers or foreign keys to tables
of another kind is refused.
"""

from django.db import connection

ENGINE = """
CREATE FUNCTION citus_version() RETURNS text LANGUAGE sql AS $$ SELECT 'none' $$;
CREATE TABLE pg_dist_node (groupid int, nodename text, nodeport int);
INSERT INTO pg_dist_node VALUES (0, 'here', 5432), (1, 'there', 5432);
CREATE TABLE pg_dist_partition (
    logicalrelid regclass PRIMARY KEY, partmethod "char", repmodel "char", colocationid int);
CREATE TABLE pg_dist_shard (logicalrelid regclass, shardid serial, shardminvalue text);
CREATE TABLE pg_dist_object (classid oid, objid oid);

CREATE FUNCTION note_table(relation regclass, method text, model text, place int)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = relation) THEN
        RAISE EXCEPTION '% is distributed already', relation;
    ELSIF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND NOT tgisinternal) THEN
        RAISE EXCEPTION '% has triggers', relation;
    ELSIF EXISTS (
        SELECT FROM pg_constraint WHERE contype = 'f' AND relation IN (conrelid, confrelid)
    ) THEN
        RAISE EXCEPTION '% has foreign keys', relation;
    END IF;
    INSERT INTO pg_dist_partition VALUES (relation, method::"char", model::"char", place);
    INSERT INTO pg_dist_shard VALUES (relation, DEFAULT, 'low'), (relation, DEFAULT, 'high');
END $$;
CREATE FUNCTION create_reference_table(name text) RETURNS void LANGUAGE sql AS $$
    SELECT note_table(name::regclass, 'n', 't', 1) $$;
CREATE FUNCTION create_distributed_table(
    name text, its text, shard_count int DEFAULT 0, colocate_with text DEFAULT '')
RETURNS void LANGUAGE sql AS $$
    SELECT note_table(name::regclass, 'h', 's', 2)
    WHERE EXISTS (SELECT FROM pg_attribute WHERE attrelid = name::regclass AND attname = its) $$;
CREATE FUNCTION create_distributed_function(signature text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO pg_dist_object VALUES ('pg_proc'::regclass, signature::regprocedure) $$;
CREATE FUNCTION run_command_on_workers(
    command text, OUT nodename text, OUT nodeport int, OUT success bool, OUT result text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    FOR nodename, nodeport IN SELECT n.nodename, n.nodeport FROM pg_dist_node n WHERE groupid > 0
    LOOP
        success := true;
        IF command LIKE 'ALTER%%' THEN
            EXECUTE command;
        ELSIF command LIKE '%%current_setting%%' THEN
            SELECT substring(told from '=(.*)') INTO result
            FROM pg_db_role_setting, unnest(setconfig) AS told
            WHERE command LIKE '%%' || substring(told from '^[^=]*') || '%%';
        ELSE
            EXECUTE command INTO result;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
CREATE FUNCTION run_command_on_placements(
    relation text, command text, OUT nodename text, OUT nodeport int, OUT shardid int,
    OUT success bool, OUT result text)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    FOR nodename, nodeport, shardid IN
        SELECT 'there', 5432, s.shardid FROM pg_dist_shard s
        WHERE logicalrelid = relation::regclass ORDER BY s.shardid
    LOOP
        success := true;
        EXECUTE replace(command, '%%s', coalesce(
            to_regclass(relation || '_' || shardid)::text, relation)) INTO result;
        RETURN NEXT;
    END LOOP;
END $$"""


def make() -> None:
    """Make it, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(ENGINE.replace("%%", "%"))
