"""Ways to install iotrace; each is tried in a fresh system: install, trace, remove."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from iotrace.engine.loader import PROBE_REFUSED
from iotrace.report.codec import loads
from tests.kernel.tracing import check_ledger
from tests.packages.chroots import Chroot

PRODUCT = Path(__file__).parents[2]
GUEST = Path(__file__).with_name("guest") / "traced.py"
_USER = "somebody"
_LEFT_OF_THE_PACKAGE = (
    "usr/bin/iotrace",
    "usr/lib/python3/dist-packages/iotrace",
    "usr/share/bash-completion/completions/iotrace",
    "var/cache/iotrace",
)
_COMPLETED = """
. /usr/share/bash-completion/completions/iotrace
COMP_WORDS=(iotrace rec) COMP_CWORD=1
$(complete -p iotrace | sed 's/.*-F \\([^ ]*\\).*/\\1/') iotrace rec iotrace
echo "${COMPREPLY[@]}"
"""


def build_deb() -> Path:
    """dist/iotrace_*.deb of HEAD. Raises CalledProcessError."""
    subprocess.run([PRODUCT / "packaging/deb.sh"], check=True, stdout=subprocess.DEVNULL)
    (made,) = (PRODUCT / "dist").glob("iotrace_*_all.deb")
    return made


def build_wheel() -> Path:
    """dist/iotrace-*.whl of HEAD. Raises CalledProcessError."""
    subprocess.run([PRODUCT / "packaging/wheel.sh"], check=True, stdout=subprocess.DEVNULL)
    (made,) = (PRODUCT / "dist").glob("iotrace-*.whl")
    return made


def try_deb(system: Chroot, package: Path) -> str:
    """The Debian package. Raises Failed, AssertionError."""
    system.put(package, f"/srv/{package.name}")
    system.install(f"/srv/{package.name}")
    told = _trace(system, "iotrace")
    assert (system.root / "usr/share/man/man1/iotrace.1.gz").exists() or _excludes_pages(system)
    completed = system.run("bash", "-ec", _COMPLETED).split()
    assert completed == ["record"], completed
    assert PROBE_REFUSED not in system.run("iotrace", "doctor", "-f", "json")
    system.run("apt-get", "-qq", "purge", "-y", "iotrace")
    left = [name for name in _LEFT_OF_THE_PACKAGE if (system.root / name).exists()]
    assert not left, f"left after a purge: {left}"
    return told


def try_wheel(system: Chroot, wheel: Path) -> str:
    """The wheel, by root's pipx, as docs/installing.md says; then as `sudo iotrace`.

    Raises Failed, AssertionError.
    """
    system.put(wheel, f"/srv/{wheel.name}")
    system.install("python3-bpfcc", "pipx", "sudo")
    root_s = {"PIPX_HOME": "/opt/pipx", "PIPX_BIN_DIR": "/usr/local/bin"}
    system.run("pipx", "install", "--system-site-packages", f"/srv/{wheel.name}", env=root_s)
    system.run("useradd", "-m", _USER)
    sudoers = system.root / "etc/sudoers.d" / _USER
    sudoers.write_text(f"{_USER} ALL=(ALL) NOPASSWD: ALL\n")
    sudoers.chmod(0o440)
    told = _trace(system, "su", _USER, "-c", 'exec sudo iotrace "$@"', "--", "sudo")
    system.run("pipx", "uninstall", "iotrace", env=root_s)
    assert not (system.root / "usr/local/bin/iotrace").exists()
    return told


@dataclass(frozen=True, slots=True)
class Way:
    """``work`` installs what ``build`` made, and says what a trace with it said."""

    build: Callable[[], Path]
    work: Callable[[Chroot, Path], str]


WAYS = {"deb": Way(build_deb, try_deb), "wheel": Way(build_wheel, try_wheel)}


def _trace(system: Chroot, *iotrace: str) -> str:
    """What a trace of a real server said. Raises Failed, AssertionError."""
    system.put(GUEST, "/srv/traced.py")
    return check_trace(system.run("python3", "/srv/traced.py", *iotrace))


def check_trace(text: str) -> str:
    """The label of the server in a report (JSON), in which nothing lacks. Raises AssertionError."""
    report = loads(text)
    check_ledger(report)
    (process,) = report.processes
    assert process.python, "its Python was not recognised"
    assert process.model and process.model.id != "unknown", process.model
    assert process.requests, "no requests were seen"
    assert set(report.quality.unavailable) == {"probe_ns"}, report.quality.unavailable
    return f"Python {process.python}, {process.model.id}"


def _excludes_pages(system: Chroot) -> bool:
    """Whether this system's dpkg installs no manual pages (as container images do)."""
    rules = (system.root / "etc/dpkg/dpkg.cfg.d").glob("*")
    return any("path-exclude=/usr/share/man" in rule.read_text() for rule in rules)
