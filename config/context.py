"""What a request or a job carries along: its id, for every log line and every logged change."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
