# SPDX-License-Identifier: Apache-2.0
"""Plain data as JSON that every reader takes."""

from __future__ import annotations

import io
import json
from typing import Any


def dump(data: object) -> str:
    """In ASCII, indented, with a line break at its end."""
    # dumps would hold each token as a text of its own until the end: twenty times the result.
    text = io.StringIO()
    json.dump(whole(data), text, indent=2, allow_nan=False)
    text.write("\n")
    return text.getvalue()


def whole(value: Any) -> Any:
    """The same data with texts that every JSON reader takes: without lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    return value
