"""What all unit tests need."""

from __future__ import annotations

import pytest

from iotrace.privileges import privilege_drop


@pytest.fixture(autouse=True)
def _commands_leave_us_our_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are run inside this very process here: what they drop would be gone for all tests.

    That they do is tested in tests/kernel/test_least_privilege.py.
    """
    monkeypatch.setattr(privilege_drop, "drop_all", lambda: None)
