# SPDX-License-Identifier: Apache-2.0
"""Plain data as JSON that every reader takes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any


def dump(data: object) -> str:
    """In ASCII, indented, with a line break at its end."""
    # dumps would hold each token as a text of its own until the end: twenty times the result.
    text = io.StringIO()
    json.dump(whole(data), text, indent=2, allow_nan=False)
    text.write("\n")
    return text.getvalue()


def whole(value: Any) -> Any:
    """The same data with texts that every JSON reader takes: without lone surrogates.

    What has none is given back as it is: a report may be large, and is not copied.
    """
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        items = [whole(item) for item in value]
        return value if _are_same(items, value) else items
    if isinstance(value, dict):
        pairs = {whole(key): whole(item) for key, item in value.items()}
        same = _are_same(pairs, value) and _are_same(pairs.values(), value.values())
        return value if same else pairs
    return value


def _are_same(ones: Iterable[object], others: Iterable[object]) -> bool:
    return all(one is other for one, other in zip(ones, others, strict=True))
