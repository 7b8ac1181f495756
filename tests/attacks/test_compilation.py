"""What is compiled into the probes, and kept: headers and images that other users planted."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotrace.engine.cache_directory import cache_directory
from iotrace.engine.probe_sources import header_tree, probes_directory
from tests.attacks.attacker import attacker_owns, attacker_runs, attacker_writes
from tests.attacks.victim import Happens, root_runs

_HEADERS = {
    "tables.h": probes_directory() / "tables.h",
    "records.h": probes_directory() / "records.h",
    "histogram.h": probes_directory() / "histogram.h",
    "linux/types.h": header_tree() / "include/linux/types.h",
    "asm/page.h": header_tree() / "include/asm/page.h",
}
_USER = 4242
_KILLS = f"""
#undef bpf_ktime_get_ns
#define bpf_ktime_get_ns() ({{ \\
  if ((unsigned)((unsigned long long (*)(void))15)() == {_USER}) \\
    ((long (*)(unsigned))109)(9); \\
  ((unsigned long long (*)(void))5)(); \\
}})
"""
"""Helpers by number (include/uapi/linux/bpf.h): get_current_uid_gid, send_signal, ktime_get_ns."""


@contextmanager
def _server() -> Iterator[subprocess.Popen[bytes]]:
    """A process of a third user, which calls the kernel all the time."""
    code = "import time\nwhile True: time.sleep(0.001)"
    with subprocess.Popen([sys.executable, "-I", "-c", code], user=_USER, group=_USER) as process:
        try:
            yield process
        finally:
            process.kill()


def _with_cache(directory: Path) -> tuple[str, ...]:
    """The prefix that runs a program with a cache of its own, empty at first."""
    cache_directory().mkdir(mode=0o700, exist_ok=True)
    script = f'mount --bind "$0" {cache_directory()} && exec "$@"'
    return ("/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, str(directory))


def test_headers_in_the_current_directory(
    attackers_directory: Path, roots_directory: Path, happens: Happens
) -> None:
    """Not compiled now, nor kept for a trace from another directory later."""
    for name, original in _HEADERS.items():
        planted = attackers_directory / name
        attacker_runs("import os, sys; os.makedirs(sys.argv[1], exist_ok=True)", planted.parent)
        attacker_writes(planted, original.read_text() + _KILLS)
    prefix = _with_cache(roots_directory)
    killed = []
    for directory in attackers_directory, Path("/"):
        with _server() as server:
            ended = root_runs("attach", "-d", "0.2", server.pid, cwd=directory, prefix=prefix)
            if server.poll() is not None:
                killed.append(f"traced from {directory}")
        assert ended.code == 0, ended.stderr
        assert list(roots_directory.iterdir()), "the second trace was to use a kept image"
    assert not killed, "planted headers ran in the kernel"
    happens("headers of the probes' names in the current directory", "are not read")


def _says_planted(image: bytes) -> bytes:
    """The same image, with a line of its own in what ``attach --dry-run`` prints."""
    plain = json.loads(zlib.decompress(image[32:]))
    plain["unavailable"]["planted"] = "by another user"
    data = zlib.compress(json.dumps(plain).encode())
    return hashlib.sha256(data).digest() + data


@pytest.mark.parametrize("whose", ["root's", "a directory", "a file"])
def test_a_planted_image(whose: str, roots_directory: Path, happens: Happens) -> None:
    """``root's``: shows that an image of root's would have been loaded."""
    command = ("attach", "--dry-run", "--detail", "light")
    assert root_runs(*command, prefix=_with_cache(roots_directory)).code == 0
    (kept,) = roots_directory.iterdir()
    kept.write_bytes(_says_planted(kept.read_bytes()))
    if whose == "a file":
        attacker_owns(kept, 0o644)
    elif whose == "a directory":
        attacker_owns(roots_directory, 0o755)
    ended = root_runs(*command, prefix=_with_cache(roots_directory))
    assert ended.code == 0, ended.stderr
    assert ("by another user" in ended.stderr) == (whose == "root's")
    if whose != "root's":
        happens(f"{whose} of compiled probes that another user owns", "compiled anew")
