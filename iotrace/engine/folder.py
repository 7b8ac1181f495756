"""Where images are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """/var/cache/iotrace for root, else $XDG_CACHE_HOME/iotrace (freedesktop.org basedir)."""
    if os.geteuid() == 0:
        return Path("/var/cache/iotrace")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iotrace"


def is_empty() -> bool:
    """Whether nothing at all is kept: then there will be something to compile."""
    try:
        return not any(cache_directory().iterdir())
    except OSError:
        return True
