# SPDX-License-Identifier: Apache-2.0
"""Where images are kept."""

from __future__ import annotations

from pathlib import Path


def cache_directory() -> Path:
    """Root's. Nobody else keeps images, see image_cache.py."""
    return Path("/var/cache/iotrace")


def is_empty() -> bool:
    """Whether no image can be loaded: then there will be something to compile."""
    try:
        return not any(cache_directory().iterdir())
    except OSError:
        return True
