"""No business account is its own ancestor: whoever moves one, the database checks.

Moves wait for each other, so that two at once cannot make a circle together. A tree that has one
already is not corrected here; the walk over it ends all the same, and says so in the log.
"""

from django.db import migrations

from config.db import online

CHECK = """
CREATE FUNCTION kith_check_account_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('kith_check_account_tree'));
    IF EXISTS (
        WITH RECURSIVE above AS (
            SELECT parent_id FROM customers_businessaccount WHERE id = NEW.id
            UNION
            SELECT account.parent_id FROM customers_businessaccount account
            JOIN above ON account.id = above.parent_id
        )
        SELECT FROM above WHERE parent_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'business account % would be its own ancestor', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'business_account_not_its_own_ancestor';
    END IF;
    RETURN NULL;
END
$$"""
# After the statement, when all of its rows are there.
TRIGGERS = """
CREATE TRIGGER account_tree_insert AFTER INSERT ON customers_businessaccount
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION kith_check_account_tree();
CREATE TRIGGER account_tree_move AFTER UPDATE OF parent_id ON customers_businessaccount
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL AND NEW.parent_id IS DISTINCT FROM OLD.parent_id)
    EXECUTE FUNCTION kith_check_account_tree()"""
DROP = """
DROP TRIGGER account_tree_insert ON customers_businessaccount;
DROP TRIGGER account_tree_move ON customers_businessaccount;
DROP FUNCTION kith_check_account_tree()"""


class Migration(online.Migration):
    dependencies = [("customers", "0006_change_order")]

    operations = [migrations.RunSQL([CHECK, TRIGGERS], DROP)]
