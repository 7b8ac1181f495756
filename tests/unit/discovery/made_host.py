"""A host of made-up files: /proc of a few processes, and what container runtimes keep."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class MadeHost:
    """``proc`` is its /proc, ``root`` where its other files are."""

    def __init__(self, directory: Path) -> None:
        self.root = directory
        self.proc = directory / "proc"
        self.proc.mkdir()

    def process(
        self,
        pid: int,
        parent: int = 1,
        *,
        name: str = "python3",
        cgroup: str = "0::/",
        network: str = "host",
        start_ticks: int = 7,
        kernel_thread: bool = False,
    ) -> None:
        """One process; those of the same ``network`` share a namespace."""
        directory = self.proc / str(pid)
        (directory / "ns").mkdir(parents=True, exist_ok=True)
        flags = 0x200000 if kernel_thread else 0
        after = f"S {parent} 0 0 0 0 {flags} 0 0 0 0 0 0 0 0 20 0 1 0 {start_ticks} 0 0"
        (directory / "stat").write_text(f"{pid} ({name}) {after}\n")
        (directory / "cgroup").write_text(cgroup + "\n")
        (directory / "exe").unlink(missing_ok=True)
        (directory / "exe").symlink_to("/usr/bin/python3")
        shared = self.root / f"net-{network}"
        shared.touch()
        (directory / "ns" / "net").unlink(missing_ok=True)
        os.link(shared, directory / "ns" / "net")

    def listen(self, pid: int, port: int, inode: int, *, holds: bool = True) -> None:
        """A socket in the tables that ``pid`` sees, and in its hands."""
        net, fds = self.proc / str(pid) / "net", self.proc / str(pid) / "fd"
        net.mkdir(exist_ok=True)
        fds.mkdir(exist_ok=True)
        head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid\n"
        entry = f"   0: 00000000:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
        (net / "tcp").write_text(f"{head}{entry}     0        0 {inode} 1 0 100 0 0 10 0\n")
        (net / "tcp6").write_text(head)
        if holds:
            (fds / "3").symlink_to(f"socket:[{inode}]")

    def file(self, path: str, content: Any) -> None:
        """JSON below ``root``."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(content))


class Reader:
    """Answers for processes: command line by pid, and which of them are Python."""

    def __init__(self, commands: dict[int, str], pythons: tuple[int, ...] = ()) -> None:
        self.commands = commands
        self.pythons = pythons
        self.asked: list[tuple[str, int]] = []

    def ask(self, question: str, pid: int, *_arguments: Any) -> Any:
        """As a TargetReader answers."""
        self.asked.append((question, pid))
        if question == "program":
            return tuple(self.commands.get(pid, "").split()), None
        if pid in self.pythons:
            return "3.11.2", "/usr/bin/python3", 0, None, False
        return None
