"""The command on a real terminal (tmux), tracing a real process; without root there is no test."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

_MISSING = [
    what
    for what, there in (
        ("root", os.geteuid() == 0),
        ("BTF", Path("/sys/kernel/btf/vmlinux").exists()),
        ("tmux", shutil.which("tmux") is not None),
        ("textual", find_spec("textual") is not None),
        ("bcc", find_spec("bcc") is not None),
    )
    if not there
]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"needs {', '.join(_MISSING)}")

_DEADLINE_S = 60
_ROOT = Path(__file__).parents[3]
_ENDED = re.compile(r"^ended with (\d+)$", re.MULTILINE)
_SLEEPER = "import time\nwhile True: time.sleep(0.01)"


class _Terminal:
    """A tmux server of our own with one window; the shell in it is plain."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._socket = folder / "tmux"
        self.run(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
            "-c", str(_ROOT), "env PS1='ready> ' TERM=screen-256color sh",
        )  # fmt: skip

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-S", str(self._socket), *arguments],
            capture_output=True, text=True, check=True, timeout=_DEADLINE_S,
        ).stdout  # fmt: skip

    def type(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def everything(self) -> str:
        return self.run("capture-pane", "-p", "-J", "-S", "-500")

    def wait_for(self, shown: Callable[[str], bool], *, ended: bool = False) -> str:
        """``ended``: the command may have ended well. Otherwise that it has fails at once."""
        end = time.monotonic() + _DEADLINE_S
        while time.monotonic() < end:
            screen = self.screen()
            if shown(screen):
                return screen
            status = _ENDED.search(screen)
            if status and not (ended and status[1] == "0"):
                raise AssertionError(f"the command has ended:\n{self.everything()}")
            time.sleep(0.05)
        raise AssertionError(f"never shown; at last:\n{self.screen()}")


@pytest.fixture(params=[(80, 24), (200, 50)], ids=["80x24", "200x50"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[_Terminal]:
    terminal = _Terminal(tmp_path, *request.param)
    try:
        yield terminal
    finally:
        terminal.run("kill-server")


@pytest.fixture
def target() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", _SLEEPER])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _attach(terminal: _Terminal, pid: int, *options: str) -> None:
    command = f"{sys.executable} -m iotrace attach {pid} {' '.join(options)}"
    terminal.type(f"{command}; echo ended with $?", "Enter")
    terminal.wait_for(lambda screen: "q end and report" in screen and str(pid) in screen)


def _ended(terminal: _Terminal) -> str:
    """Back on the normal screen, with the report, and a terminal that works as before."""
    terminal.wait_for(lambda screen: "ended with 0" in screen, ended=True)
    text = terminal.everything()
    assert "Data quality" in text
    assert "System calls" in text
    terminal.type("stty -a | tr ' ' '\\n' | grep -x -e icanon -e isig -e echo | wc -l", "Enter")
    terminal.wait_for(lambda screen: "\n3\n" in screen, ended=True)
    return text


def test_pages_sorting_and_the_report(terminal: _Terminal, target: subprocess.Popen[bytes]) -> None:
    _attach(terminal, target.pid)
    terminal.wait_for(lambda screen: "sleep" in screen and "its time" in screen)
    terminal.type("2")
    terminal.wait_for(lambda screen: "clock_nanosleep" in screen)
    terminal.type("s")
    terminal.wait_for(lambda screen: "s sorted by calls" in screen)
    terminal.type("3")
    terminal.wait_for(lambda screen: "no event loop so far" in screen)
    terminal.type("5")
    terminal.wait_for(lambda screen: "judged by the whole trace" in screen)
    terminal.type("f")
    terminal.wait_for(lambda screen: "FROZEN" in screen)
    terminal.type("q")
    assert f"Process {target.pid}" in _ended(terminal)


def test_ctrl_c_ends_it(terminal: _Terminal, target: subprocess.Popen[bytes]) -> None:
    _attach(terminal, target.pid)
    terminal.type("C-c")
    _ended(terminal)


def test_it_ends_with_its_duration(terminal: _Terminal, target: subprocess.Popen[bytes]) -> None:
    # Long enough for the screen to be seen on a machine whose CPUs are taken.
    _attach(terminal, target.pid, "-d", "8")
    _ended(terminal)


def test_it_ends_with_its_target(terminal: _Terminal, target: subprocess.Popen[bytes]) -> None:
    _attach(terminal, target.pid)
    target.kill()
    target.wait()
    _ended(terminal)


def test_sigterm_ends_it(terminal: _Terminal, target: subprocess.Popen[bytes]) -> None:
    _attach(terminal, target.pid)
    wanted = [b"-m", b"iotrace", b"attach", b"%d" % target.pid]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[1:5] == wanted:
            os.kill(int(folder.name), signal.SIGTERM)
    _ended(terminal)


@pytest.mark.parametrize("terminal", [(80, 24)], indirect=True, ids=["80x24"])
def test_without_the_screen_there_is_the_line(
    terminal: _Terminal, target: subprocess.Popen[bytes]
) -> None:
    terminal.type(
        f"{sys.executable} -m iotrace attach {target.pid} --no-live; echo ended with $?", "Enter"
    )
    terminal.wait_for(lambda screen: "Ctrl-C ends it" in screen)
    terminal.type("C-c")
    _ended(terminal)
