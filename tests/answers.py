"""What answers have in common, whatever their dialect."""


def message_of(answer) -> str:
    """The sentence for a person, in whichever body."""
    body = answer.json()
    return body.get("message") or body.get("title") or body["developerMessage"]
