"""The bodies that trigger functions have on a distributed engine.

A trigger of a distributed table fires on the node of a shard, where no distributed and no reference
table may be named but by the names of their shards. One of a reference table fires on each node
that has a copy, and only the coordinator has what it looks at beside it: there it does all.
"""

from customers.distribution.catalog import Function
from customers.tracked import TRACKED
from customers.trigger_bodies import sharded

# A table that stays on the coordinator, whatever else is distributed.
ONLY_THERE = "django_migrations"
BEGINNING = "\nBEGIN\n"
ELSEWHERE = f"""
BEGIN
    IF to_regclass('{ONLY_THERE}') IS NULL THEN
        -- On the coordinator it was seen to.
        RETURN coalesce(NEW, OLD);
    END IF;
"""
ON_COORDINATOR = ("kith_check_account_tree", "kith_end_access", "kith_guard_attribute")

# As the migration `attribute_guards` has it. The lock that it takes would be one of the node;
# whoever writes values through this product takes the one of the coordinator.
VALUES = """
DECLARE
    definitions text;
    is_wrong boolean;
BEGIN
    SELECT format('%I.%I', TG_TABLE_SCHEMA, 'customers_attributedefinition_' || shardid)
    INTO definitions
    FROM pg_dist_shard WHERE logicalrelid = 'customers_attributedefinition'::regclass;
    EXECUTE format($rows$
        SELECT EXISTS (
            SELECT FROM new_rows value
            JOIN %s definition ON definition.id = value.definition_id
            WHERE CASE WHEN value.value_sealed IS NULL
                THEN definition.is_encrypted AND definition.conversion <> 'DECRYPTING'
                ELSE NOT definition.is_encrypted END)$rows$, definitions) INTO is_wrong;
    IF is_wrong THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE =
            'a value of an encrypted attribute must be sealed, and one of another must not be';
    END IF;
    RETURN NULL;
END
"""


def wanted_body(function: Function) -> str:
    """The body that a function should have; of one that does not depend on it, its own."""
    name = function.signature.split("(")[0]
    own = {each.function: sharded(each) for each in TRACKED} | {
        "kith_guard_attribute_values": VALUES
    }
    if name in own:
        return own[name]
    if name in ON_COORDINATOR and ELSEWHERE not in function.body:
        return function.body.replace(BEGINNING, ELSEWHERE, 1)
    return function.body


def replaced(function: Function) -> str:
    """SQL that puts the wanted body into a function, and leaves all else of it."""
    return function.definition.replace(function.body, wanted_body(function))
