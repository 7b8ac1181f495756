"""What attacks need, and the table of what happens now."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attacks.attacker import attacker_owns
from tests.attacks.victim import Happens
from tests.kernel.obstacle import obstacle

_PROPERTY = "attack"


@pytest.fixture(scope="session", autouse=True)
def _a_kernel_that_can_be_traced() -> None:
    reason = obstacle()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def attackers_directory() -> Iterator[Path]:
    """A directory below /tmp that the attacker owns and others may enter (mode 0755)."""
    with tempfile.TemporaryDirectory(prefix="iotrace-attacker-") as name:
        yield attacker_owns(Path(name), 0o755)


@pytest.fixture
def shared_directory() -> Iterator[Path]:
    """A directory of root's that anybody may write to, as /tmp is (mode 1777)."""
    path = Path(tempfile.mkdtemp(prefix="iotrace-shared-"))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def roots_directory() -> Iterator[Path]:
    """A directory of root's that others may neither enter nor list (mode 0700)."""
    with tempfile.TemporaryDirectory(prefix="iotrace-root-") as name:
        yield Path(name)


@pytest.fixture
def happens(record_property: Callable[[str, object], None]) -> Happens:
    """``happens(attack, now)``: a line of the table."""

    def note(attack: str, now: str) -> None:
        record_property(_PROPERTY, (attack, now))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line an attack; a test that failed is an attack that may have worked."""
    lines = []
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            if "tests/attacks/" not in report.nodeid or report.when == "teardown":
                continue
            lines += [value for name, value in report.user_properties if name == _PROPERTY]
            if outcome != "passed":
                lines.append((report.nodeid, f"NOT HELD OFF: the test {outcome}"))
    if not lines:
        return
    terminalreporter.section("attack -> what happens now")
    for attack, now in sorted(set(lines)):
        terminalreporter.line(f"{attack} -> {now}")
