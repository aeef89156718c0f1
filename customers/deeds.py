"""What was done to a customer in one event of its history, as a verb."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
STATUSES = {
    ("ACTIVE", "SUSPENDED"): "suspended the customer",
    ("SUSPENDED", "ACTIVE"): "activated the customer",
    ("DELETED", "ACTIVE"): "restored the customer",
}


def deed(rows: Sequence[Row]) -> tuple[str, str]:
    """What was done, as a verb, and its icon's name."""
    for row in rows:
        if row["entity"] == "reveal":
            return "revealed sensitive values", "visibility"
        if row["entity"] == "activity":
            return deed_of_activity(row)
        if row["entity"] != "customer":
            continue
        if row["operation"] == "created":
            return "created the customer", "add"
        for each in row["changes"]:
            if each["field"] == "status":
                if each["to"] == "DELETED":
                    return "deleted the customer", "delete"
                verb = STATUSES.get((each["from"], each["to"]), "changed the customer")
                return verb, "pause" if each["to"] == "SUSPENDED" else "play_arrow"
    return "changed the customer", "edit"


def deed_of_activity(row: Row) -> tuple[str, str]:
    """What was done with an activity."""
    if row["operation"] != "updated":
        is_new = row["operation"] == "created"
        return ("recorded an activity", "forum") if is_new else ("removed an activity", "delete")
    changed = {each["field"]: each["to"] for each in row["changes"]}
    if changed.keys() == {"isRead"}:
        return f"marked an activity as {'read' if changed['isRead'] else 'unread'}", "edit"
    return "corrected an activity", "edit"
