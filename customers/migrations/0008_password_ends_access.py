"""With a new password all tokens, refresh tokens and codes of a person end, whoever sets it.

Sessions end with it by themselves: they hold a hash of the password.
"""

from django.db import migrations

from config.db import online

END = """
CREATE FUNCTION kith_end_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM customers_grant WHERE user_id = NEW.id;
    DELETE FROM customers_refreshtoken WHERE user_id = NEW.id;
    DELETE FROM customers_accesstoken WHERE user_id = NEW.id;
    RETURN NULL;
END
$$"""
TRIGGER = """
CREATE TRIGGER password_ends_access AFTER UPDATE OF password ON customers_user
    FOR EACH ROW WHEN (NEW.password IS DISTINCT FROM OLD.password)
    EXECUTE FUNCTION kith_end_access()"""
DROP = """
DROP TRIGGER password_ends_access ON customers_user;
DROP FUNCTION kith_end_access()"""


class Migration(online.Migration):
    dependencies = [("customers", "0007_account_tree_without_circles")]

    operations = [migrations.RunSQL([END, TRIGGER], DROP)]
