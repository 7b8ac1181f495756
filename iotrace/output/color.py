# SPDX-License-Identifier: Apache-2.0
"""Colours for a terminal: a few, and never the only way in which something is told.

ECMA-48 "select graphic rendition"; the eight basic colours follow the reader's own theme.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from iotrace.output.blocks import Tone

_CODES = {
    Tone.STRONG: "1",
    Tone.FAINT: "2",
    Tone.NOTICE: "36",
    Tone.WARNING: "1;33",
    Tone.ALARM: "1;31",
}


def tint(text: str, tone: Tone) -> str:
    """The text in its tone, each line on its own: a pager may begin with any of them."""
    code = _CODES.get(tone)
    if code is None:
        return text
    return "\n".join(f"\x1b[{code}m{line}\x1b[0m" if line else line for line in text.split("\n"))


def untinted(text: str, tone: Tone) -> str:
    """The text as it is."""
    return text


def wanted(choice: bool | None, environment: Mapping[str, str], is_terminal: bool) -> bool:
    """Whether to use colours. ``choice``: ``--color`` or ``--no-color``, None: neither.

    Else: on a terminal only, not where NO_COLOR is set (https://no-color.org) or TERM is dumb.
    """
    if choice is not None:
        return choice
    if environment.get("NO_COLOR") or environment.get("TERM", "dumb") == "dumb":
        return False
    return is_terminal


def wanted_here(choice: bool | None, is_terminal: bool) -> bool:
    """``wanted`` in this process's environment."""
    return wanted(choice, os.environ, is_terminal)
