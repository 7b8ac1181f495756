# SPDX-License-Identifier: Apache-2.0
"""Who metrics are of: a program, in a systemd unit or a container."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_PYTHON = re.compile(r"(?:pypy|python)[\d.]*(?:t|d|td)?\Z")
_PLAIN_SCRIPTS = frozenset(("__main__.py", "main.py", "app.py", "manage.py", "server.py", "run.py"))
_UNKNOWN = re.compile(r"[^\w.@:+/-]+", re.ASCII)
_LONGEST = 64


class Group(NamedTuple):
    """``program``: "gunicorn", "shop/main.py"; ``unit`` and ``container``: "" for none."""

    program: str
    unit: str = ""
    container: str = ""


OTHER = Group("other")
"""What has no room for a group of its own."""


def program_name(cmdline: Sequence[str], name: str) -> str:
    """What a program is called by its command line, by ``name`` where there is none.

    Of "python3 -m celery worker" and "/opt/venv/bin/celery worker" it is "celery", of "python3
    /srv/shop/main.py" it is "shop/main.py". Titles that programs give themselves ("gunicorn: master
    [shop]") count up to their colon. Characters that are not of a plain name are replaced, for a
    process chooses them.
    """
    found = _named(cmdline) or name
    return _UNKNOWN.sub("_", found).strip("_")[:_LONGEST] or "unknown"


def _named(cmdline: Sequence[str]) -> str:
    if not cmdline:
        return ""
    first = _base(cmdline[0].partition(": ")[0].partition(" ")[0])
    if not _PYTHON.match(first):
        return first
    arguments = iter(cmdline[1:])
    for argument in arguments:
        if argument == "-m":
            return next(arguments, first)
        if argument == "-c":
            return f"{first}-c"
        if argument in ("-W", "-X", "--check-hash-based-pycs"):
            next(arguments, None)
        elif not argument.startswith("-"):
            return _script(argument)
    return first


def _script(path: str) -> str:
    """With the folder of scripts whose name says nothing."""
    parts = path.rstrip("/").split("/")
    return "/".join(parts[-2:] if parts[-1] in _PLAIN_SCRIPTS else parts[-1:])


def _base(path: str) -> str:
    return path.rstrip(":").rpartition("/")[2]
