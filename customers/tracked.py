"""What the change log has of which tables: the one description of it.

From it come the bodies of the triggers (`customers.trigger_bodies`). Those that a database has were
made by migrations, each of which keeps the SQL of its own day; `tests/test_trigger_bodies.py` fails
while the last of them is another than this module gives. So a new column of a logged table is named
here, and brought into the database by a migration that has the new function's SQL in it.
"""

from typing import NamedTuple


class Tracked(NamedTuple):
    """A logged table: the columns whose changes count, by how they are written down.

    `texts` are empty as '', `documents` (jsonb, arrays) as '{}', `values` as NULL only; of
    `secrets` the log has that they changed. Where the table is `undoable`, the log keeps more, for
    an undo: `companions` that go with other columns, the columns `of_deleted` rows, and the sealed
    values of secrets.
    """

    entity: str
    table: str
    texts: str = ""
    values: str = ""
    documents: str = ""
    secrets: str = ""
    customer: str = "customer_id"
    id: str = "id"
    companions: str = ""
    of_deleted: str = "created_at"
    undoable: bool = True

    @property
    def function(self) -> str:
        """The name of the trigger function."""
        return self.table.replace("customers_", "kith_record_")


TRACKED = (
    Tracked(
        "customer",
        "customers_customer",
        texts="type status external_id business_name role industry market_segment entitlements"
        " level how_referred",
        values="business_account_id department_id preferred_agent_id",
        documents="metadata",
        secrets="pin_sealed",
        customer="id",
        of_deleted="version created_at created_by_type created_by_id",
    ),
    Tracked(
        "contact",
        "customers_contact",
        texts="prefix first_name middle_name last_name suffix sex gender pronoun security_question"
        " birth_city birth_country social_id_country citizenship_country login_id",
        values="is_primary date_of_birth",
        secrets="security_answer_sealed social_id_sealed",
        companions="social_id_digest social_id_last4",
    ),
    Tracked(
        "contactPoint",
        "customers_contactpoint",
        texts="kind value phone_type provider extension",
        values="contact_id is_primary is_verified",
        companions="value_key",
    ),
    Tracked(
        "address",
        "customers_address",
        texts="type first_name middle_name last_name street_line_1 street_line_2 street_line_3"
        " street_line_4 street_line_5 city state country zip_code",
        values="is_primary",
    ),
    Tracked(
        "attributeValue",
        "customers_attributevalue",
        texts="value",
        values="contact_id definition_id",
        secrets="value_sealed",
    ),
    Tracked(
        "enrollment",
        "customers_enrollment",
        texts="source_parent_customer_id organization_id postal_code country"
        " enrollment_opt_in_status targeting_indicator redemption_eligibility",
        values="parent_customer_id customer_creation_date enrollment_start_date"
        " enrollment_end_date",
        documents="alert_opt_in_status",
        id="customer_id",
    ),
    Tracked(
        "account",
        "customers_account",
        texts="source_account_id primary_source_customer_id status type source_portfolio_id"
        " sent_under",
        values="business_account_id open_date close_date",
        documents="source_customer_ids",
    ),
    Tracked(
        "card",
        "customers_card",
        texts="last4 iin type status network_identifier",
        values="account_id open_date close_date",
    ),
    Tracked(
        "activity",
        "customers_activity",
        texts="type mode subject",
        values="is_read is_secure sent_date",
        undoable=False,
    ),
    Tracked("reveal", "customers_reveal", values="ends_at", undoable=False),
)
