"""Only a conversion switches an attribute, and no value is stored in a form that it must not have.

Triggers say so, to whoever writes past the code. Attributes that were switched in place before, or
may have been, are handed to a conversion, which also masks what the change log has of them in clear.
"""

from django.db import migrations

from config.db import online

UNCONVERTED = """
UPDATE customers_attributedefinition AS definition
SET is_encrypted = true, conversion = CASE WHEN is_encrypted THEN 'ENCRYPTING' ELSE 'DECRYPTING' END
WHERE is_encrypted OR EXISTS (
    SELECT FROM customers_attributevalue value
    WHERE value.definition_id = definition.id AND value.value_sealed IS NOT NULL);
INSERT INTO customers_attributeconversion (
    id, status, business_account_id, actor_type, actor_id, client_id, request_id, attempts, worker,
    error_code, error_message, definition_id, to_encrypted, converted, masked, unreadable)
SELECT gen_random_uuid(), 'SUBMITTED', business_account_id, 'internal', '', '', '', 0, '',
       '', '', id, conversion = 'ENCRYPTING', 0, 0, 0
FROM customers_attributedefinition WHERE conversion <> ''"""

DEFINITION = """
CREATE FUNCTION kith_guard_attribute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.conversion <> '' THEN
            RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
                'attribute ' || OLD.id || ' is being converted, and cannot be deleted before it ends';
        END IF;
        RETURN OLD;
    END IF;
    IF (NEW.is_encrypted, NEW.conversion) = (OLD.is_encrypted, OLD.conversion) THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT FROM customers_attributeconversion
        WHERE definition_id = NEW.id AND status IN ('PICKED', 'STARTED')
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
            'attribute ' || NEW.id || ' is encrypted and decrypted by a conversion only';
    END IF;
    IF NEW.conversion = '' AND (
        NEW.is_encrypted AND EXISTS (
            SELECT FROM customers_attributevalue
            WHERE definition_id = NEW.id AND value_sealed IS NULL)
        OR NOT NEW.is_encrypted AND EXISTS (
            SELECT FROM customers_attributevalue
            WHERE definition_id = NEW.id AND value_sealed IS NOT NULL)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
            'attribute ' || NEW.id || ' has values that are not converted';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guarded BEFORE UPDATE OR DELETE ON customers_attributedefinition
    FOR EACH ROW EXECUTE FUNCTION kith_guard_attribute()"""

# The lock is `AttributeDefinition.hold`: what is read after it stays true until the end.
VALUES = """
CREATE FUNCTION kith_guard_attribute_values() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('attributes:' || account, 0))
    FROM (
        SELECT DISTINCT definition.business_account_id AS account
        FROM customers_attributedefinition definition
        WHERE definition.id IN (SELECT definition_id FROM new_rows)) concerned;
    IF EXISTS (
        SELECT FROM new_rows value
        JOIN customers_attributedefinition definition ON definition.id = value.definition_id
        WHERE CASE WHEN value.value_sealed IS NULL
            THEN definition.is_encrypted AND definition.conversion <> 'DECRYPTING'
            ELSE NOT definition.is_encrypted END
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
            'a value of an encrypted attribute must be sealed, and one of another must not be';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER guarded_insert AFTER INSERT ON customers_attributevalue
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION kith_guard_attribute_values();
CREATE TRIGGER guarded_update AFTER UPDATE ON customers_attributevalue
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION kith_guard_attribute_values()"""


class Migration(online.Migration):
    dependencies = [("customers", "0011_attribute_conversions")]

    operations = [
        # At once, so that no attribute is switched in between.
        migrations.RunSQL(
            [UNCONVERTED, DEFINITION, VALUES],
            [
                "DROP TRIGGER guarded ON customers_attributedefinition",
                "DROP FUNCTION kith_guard_attribute()",
                "DROP TRIGGER guarded_insert ON customers_attributevalue",
                "DROP TRIGGER guarded_update ON customers_attributevalue",
                "DROP FUNCTION kith_guard_attribute_values()",
            ],
        ),
    ]
