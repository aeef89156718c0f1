"""The two ways in which the product uses its database: as one server, and as a distributed engine.

What a distributed engine allows, one server allows, too. So a module with this mark, whose tests
the switch could make a difference to, promises the same twice:
``pytestmark = pytest.mark.usefixtures("each_mode")``.
"""

import pytest
from django.conf import settings as django_settings

# Policies and a distributed engine do not go together.
MODES = [False] if django_settings.ROW_SECURITY else [False, True]


@pytest.fixture(params=MODES, ids=lambda is_on: "distributed" if is_on else "one server")
def each_mode(request, settings, monkeypatch) -> bool:
    """Without and with `KITH_DISTRIBUTED`, in this process and in those that it starts."""
    settings.DISTRIBUTED = request.param
    monkeypatch.setenv("KITH_DISTRIBUTED", str(int(request.param)))
    is_distributed: bool = request.param
    return is_distributed
