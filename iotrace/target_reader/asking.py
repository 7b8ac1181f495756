# SPDX-License-Identifier: Apache-2.0
"""What the questions need of whoever asks them."""

from __future__ import annotations

from typing import Any, Protocol


class Asker(Protocol):
    """See ``reader.TargetReader``, which is one."""

    def ask(self, question: str, pid: int, *arguments: Any) -> Any:
        """The answer. Raises NoSuchProcess, PermissionDenied, Unsupported."""

    def cut_short(self, pid: int, what: str) -> None:
        """Not all of a process was read; ``what`` says what is missing."""
