"""Who is deactivated loses all tokens and codes, and a version ends sessions, whoever does it."""

from django.db import migrations, models

from config.db import online

TRIGGER = """
DROP TRIGGER password_ends_access ON customers_user;
CREATE TRIGGER password_ends_access AFTER UPDATE OF password, is_active ON customers_user
    FOR EACH ROW
    WHEN (NEW.password IS DISTINCT FROM OLD.password OR (OLD.is_active AND NOT NEW.is_active))
    EXECUTE FUNCTION kith_end_access()"""
BEFORE = """
DROP TRIGGER password_ends_access ON customers_user;
CREATE TRIGGER password_ends_access AFTER UPDATE OF password ON customers_user
    FOR EACH ROW WHEN (NEW.password IS DISTINCT FROM OLD.password)
    EXECUTE FUNCTION kith_end_access()"""


class Migration(online.Migration):
    dependencies = [("customers", "0020_secret_rotation")]

    operations = [
        *online.checked_field(
            "user",
            "access_version",
            models.PositiveIntegerField(default=0, editable=False),
            default="0",
        ),
        migrations.AlterModelOptions(
            "user",
            {"ordering": ["email"], "verbose_name": "person", "verbose_name_plural": "people"},
        ),
        migrations.RunSQL(TRIGGER, BEFORE),
    ]
