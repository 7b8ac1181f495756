"""``-o``: what other users put where root writes its output."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from iotrace.errors import ExitCode, UsageError
from iotrace.privileges.safe_file import SafeFile
from tests.attacks.attacker import (
    AS_ATTACKER,
    attacker_process,
    attacker_runs,
    attacker_writes,
)
from tests.attacks.victim import Ended, Happens, root_runs
from tests.kernel.targets import Target
from tests.unit.recording.damage import written

Run = Callable[[Path], Ended]

_READ_ALL = "import sys; print('ready'); print(open(sys.argv[1]).read(), end='')"
_LINK = "import os, sys; os.symlink(*sys.argv[1:])"
_HARD_LINK = "import os, sys; os.link(*sys.argv[1:])"
_SOCKET = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
_EXCHANGE = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
print("ready")
while True:  # RENAME_EXCHANGE is 2
    libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2)
"""


@pytest.fixture(params=["attach", "record", "report -f chrome"])
def run(request: pytest.FixtureRequest, roots_directory: Path) -> Run:
    """Root runs something with ``-o PATH``."""
    way, *options = request.param.split()

    def trace(output: Path) -> Ended:
        with Target("calls.py") as target:
            return root_runs(way, "-d", "0.1", "-o", output, target.pid)

    def report(output: Path) -> Ended:
        recording = roots_directory / "made.iot"
        written(recording)
        return root_runs(way, recording, *options, "-o", output)

    return report if way == "report" else trace


def _refused(ended: Ended) -> str:
    assert ended.code == ExitCode.USAGE, ended
    assert "made.iot" not in ended.stderr, ended  # the recording is sound: it is -o that is refused
    return ended.summary()


def test_a_planted_link(
    run: Run, shared_directory: Path, roots_directory: Path, happens: Happens
) -> None:
    victim = roots_directory / "precious"
    victim.write_text("precious")
    attacker_runs(_LINK, victim, shared_directory / "report")
    now = _refused(run(shared_directory / "report"))
    assert victim.read_text() == "precious"
    happens("-o NAME, where NAME is a planted link", now)


@pytest.mark.parametrize("where", ["its own directory", "/tmp"])
def test_a_pipe_with_a_reader(
    run: Run, where: str, attackers_directory: Path, shared_directory: Path, happens: Happens
) -> None:
    directory = shared_directory if where == "/tmp" else attackers_directory
    pipe = directory / "report"
    attacker_runs("import os, sys; os.mkfifo(sys.argv[1]); os.chmod(sys.argv[1], 0o666)", pipe)
    with attacker_process(_READ_ALL, pipe) as reader:
        now = _refused(run(pipe))
        reader.kill()
        assert reader.communicate()[0] == ""
    happens(f"-o to a pipe of another user, in {where}", now)


def test_a_planted_file(run: Run, attackers_directory: Path, happens: Happens) -> None:
    planted = attacker_writes(attackers_directory / "report", "")
    now = _refused(run(planted))
    assert planted.read_text() == ""
    happens("-o to a file that another user planted in its own directory", now)


def test_a_link_on_the_way(
    run: Run, attackers_directory: Path, roots_directory: Path, happens: Happens
) -> None:
    precious = roots_directory / "cron.d"
    precious.mkdir()
    attacker_runs(_LINK, precious, attackers_directory / "out")
    now = _refused(run(attackers_directory / "out" / "report"))
    assert not list(precious.iterdir())
    happens("-o LINK/NAME, where another user's LINK leads to root's directory", now)


def test_a_link_on_the_way_in_a_shared_directory(
    run: Run, shared_directory: Path, roots_directory: Path, happens: Happens
) -> None:
    attacker_runs(_LINK, roots_directory, shared_directory / "out")
    now = _refused(run(shared_directory / "out" / "report"))
    assert not (roots_directory / "report").exists()
    happens("-o /tmp/LINK/NAME, where LINK is another user's", now)


def test_a_hard_link(run: Run, shared_directory: Path, happens: Happens) -> None:
    """The attacker may read and write the file, else fs.protected_hardlinks forbids the link."""
    victim = shared_directory / "precious"
    victim.write_text("precious")
    victim.chmod(0o666)
    attacker_runs(_HARD_LINK, victim, shared_directory / "report")
    now = _refused(run(shared_directory / "report"))
    assert victim.read_text() == "precious"
    happens("-o to a hard link that another user made of root's file", now)


def test_a_socket(run: Run, attackers_directory: Path, happens: Happens) -> None:
    attacker_runs(_SOCKET, attackers_directory / "report")
    now = _refused(run(attackers_directory / "report"))
    happens("-o to a socket of another user", now)


def test_a_directory_that_becomes_a_link_and_back(
    attackers_directory: Path, roots_directory: Path, happens: Happens
) -> None:
    """Hundreds of files written while the attacker exchanges the two as fast as it can."""
    mine = attackers_directory / "out"
    target = roots_directory / "cron.d"
    target.mkdir()
    attacker_runs("import os, sys; os.mkdir(sys.argv[1])", mine)
    attacker_runs(_LINK, target, attackers_directory / "link")
    outcomes = {"written": 0, "refused": 0}
    with attacker_process(_EXCHANGE, mine, attackers_directory / "link"):
        while outcomes["written"] + outcomes["refused"] < 3000 and min(outcomes.values()) < 100:
            try:
                file = SafeFile(mine / "report", None)
                file.write(b"x")
                file.commit()
                outcomes["written"] += 1
            except UsageError:
                outcomes["refused"] += 1
    assert min(outcomes.values()) > 0
    assert not list(target.iterdir())
    happens(
        "-o DIR/NAME, where DIR is exchanged for a link all the time",
        "written to DIR or refused, never through the link",
    )


def test_others_cannot_read_a_recording(attackers_directory: Path, happens: Happens) -> None:
    path = attackers_directory / "made.iot"
    with Target("calls.py", prefix=AS_ATTACKER) as target:
        ended = root_runs("record", "-d", "0.2", "-o", path, target.pid)
    assert ended.code == 0, ended
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    code = "import sys\ntry: open(sys.argv[1])\nexcept PermissionError: print('denied')"
    assert attacker_runs(code, path) == "denied\n"
    happens("read root's recording", "exit 0: a recording has the mode 0600")
