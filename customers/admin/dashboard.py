"""The first page of the back office: the figures of the operator's tree."""

from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone

from customers import figures
from customers.admin.scope import Context, own_account, visible_accounts


def dashboard(request: HttpRequest, context: Context) -> Context:
    """unfold's `DASHBOARD_CALLBACK`: the page's context with the sections for its reader."""
    root, accounts = own_account(request), visible_accounts(request)
    zone = ZoneInfo(timezone.get_current_timezone_name())
    sections = [
        (section, figures.current(section, root, accounts, zone))
        for section in figures.SECTIONS.values()
        if request.user.has_perm(section.permission)
    ]
    is_pending = any(known.counted_at is None for _section, known in sections)
    return context | {"sections": sections, "is_pending": is_pending}
