"""The container image: built from a base made here, run with podman beside a server of the host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from iotrace import __version__
from tests.apt import Unreachable
from tests.packages.chroots import Failed, base_system
from tests.packages.ways import GUEST, PRODUCT, check_trace

SUITE = "trixie"
_BASE = f"localhost/iotrace-base:{SUITE}"
_IMAGE = f"localhost/iotrace:{__version__}"
_MOST_SECONDS = 1200
_LIMIT = 4096


def try_image(cache: Path) -> str:
    """Build it, and trace with it. Raises Unreachable, Failed, AssertionError."""
    if not shutil.which("podman"):
        raise Unreachable("podman is missing")
    if not _is_there(_BASE):
        _import_base(base_system(SUITE, cache))
    _run([str(PRODUCT / "packaging/image.sh")], {"BASE": _BASE})
    told = check_trace(_run([sys.executable, str(GUEST), *_podman_run(), _IMAGE]))
    size = int(_run(["podman", "image", "inspect", "--format", "{{.Size}}", _IMAGE]))
    base = int(_run(["podman", "image", "inspect", "--format", "{{.Size}}", _BASE]))
    return f"{told}; {size / 1e6:.0f} MB, of which the base {base / 1e6:.0f} MB"


def _podman_run() -> list[str]:
    """Privileged, in the host's PID namespace, with what small hosts have of everything else."""
    runtime = ["--runtime", "runc"] if shutil.which("runc") else []
    options = ["--rm", "--privileged", "--pid=host", "--network=none"]
    # podman's own defaults are above what some machines allow.
    options += [f"--ulimit={name}={_LIMIT}:{_LIMIT}" for name in ("nofile", "nproc")]
    return ["podman", "run", *runtime, *options]


def _is_there(image: str) -> bool:
    return subprocess.run(["podman", "image", "exists", image], check=False).returncode == 0


def _import_base(root: Path) -> None:
    """No registry is asked for a base image."""
    left_out = ("--exclude=./var/cache/apt/archives/*", "--exclude=./var/lib/apt/lists/*")
    with subprocess.Popen(
        ["tar", "-C", root, *left_out, "-c", "."], stdout=subprocess.PIPE
    ) as packed:
        done = subprocess.run(
            ["podman", "import", "-", _BASE], stdin=packed.stdout, capture_output=True, text=True
        )
    if done.returncode:
        raise Failed(f"podman import: {done.stderr.strip()}")


def _run(command: list[str], more: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_MOST_SECONDS,
        env={**os.environ, **(more or {})},
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Failed(f"{command[0]}: exit {done.returncode}: {' / '.join(said[-6:])}")
    return done.stdout
