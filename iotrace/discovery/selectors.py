# SPDX-License-Identifier: Apache-2.0
"""What was asked for on the command line, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ByPort:
    """Whoever listens on this TCP port, in any network namespace."""

    port: int

    def __str__(self) -> str:
        return f"--port {self.port}"


@dataclass(frozen=True, slots=True)
class ByUnit:
    """The processes of a systemd unit: "gunicorn" (a service), "user.slice"."""

    name: str

    @property
    def unit(self) -> str:
        """With its suffix, as control groups are named."""
        return self.name if "." in self.name else f"{self.name}.service"

    def __str__(self) -> str:
        return f"--unit {self.name}"


@dataclass(frozen=True, slots=True)
class ByCgroup:
    """The processes of a control group and those below it; with or without /sys/fs/cgroup."""

    path: str

    def __str__(self) -> str:
        return f"--cgroup {self.path}"


@dataclass(frozen=True, slots=True)
class ByContainer:
    """The processes of a container: its name, or 4 and more digits that its id begins with."""

    name: str

    def __str__(self) -> str:
        return f"--container {self.name}"


@dataclass(frozen=True, slots=True)
class ByPod:
    """The processes of all containers of a Kubernetes pod."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"--pod {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class ByName:
    """The processes whose name or command line this expression is found in."""

    pattern: re.Pattern[str]

    def __str__(self) -> str:
        return f"--name {self.pattern.pattern}"


@dataclass(frozen=True, slots=True)
class AllPython:
    """Every process that runs CPython."""

    def __str__(self) -> str:
        return "--all-python"


Selector: TypeAlias = ByPort | ByUnit | ByCgroup | ByContainer | ByPod | ByName | AllPython
