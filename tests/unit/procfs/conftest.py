"""Processes and trees of files to read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class Child:
    """A Python script in a process of its own, stopped where it waits for its input to end."""

    def __init__(self, script: str, *arguments: str | bytes) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", _PRELUDE + script + _EPILOGUE, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.popen.stdout is not None
        self.said: dict[str, Any] = json.loads(self.popen.stdout.readline() or "null")

    @property
    def pid(self) -> int:
        return self.popen.pid


_PRELUDE = "import json, os, socket, sys, threading\nsaid = {}\n"
_EPILOGUE = "\nprint(json.dumps(said), flush=True)\nos.read(0, 1)\n"


@pytest.fixture
def spawn() -> Iterator[Callable[..., Child]]:
    """Starts scripts; what they put into ``said`` is the child's ``said``."""
    children: list[Child] = []

    def start(script: str, *arguments: str | bytes) -> Child:
        children.append(Child(script, *arguments))
        return children[-1]

    yield start
    for child in children:
        child.popen.kill()
        child.popen.communicate()


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[dict[str, bytes | str]], str]:
    """Writes a /proc of one's own: bytes become files, text becomes symbolic links."""

    def plant(files: dict[str, bytes | str]) -> str:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.symlink_to(content)
        return str(tmp_path)

    return plant
