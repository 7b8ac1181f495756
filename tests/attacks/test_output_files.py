"""``-o``: what other users put where root writes its output."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotrace.errors import ExitCode
from tests.attacks.attacker import attacker_runs
from tests.attacks.victim import Happens, root_runs
from tests.kernel.targets import Target

_WAYS = (("attach", "-d", "0.2"), ("record", "-d", "0.2"))


@pytest.mark.parametrize("way", _WAYS, ids=lambda way: way[0])
def test_a_planted_link(
    way: tuple[str, ...], shared_directory: Path, roots_directory: Path, happens: Happens
) -> None:
    victim = roots_directory / "precious"
    victim.write_text("precious")
    output = shared_directory / "report"
    attacker_runs("import os, sys; os.symlink(*sys.argv[1:])", victim, output)
    with Target("calls.py") as target:
        ended = root_runs(*way, "-o", output, target.pid)
    assert ended.code == ExitCode.USAGE
    assert victim.read_text() == "precious"
    happens(f"{way[0]} -o through a planted link", ended.summary())
