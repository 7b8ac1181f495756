# SPDX-License-Identifier: Apache-2.0
"""Rows of a report as plain data: dictionaries, lists, texts and numbers."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

_ATOMS = frozenset({str, int, float, bool, type(None)})
_names: dict[type, tuple[str, ...] | None] = {}


def to_plain(value: object) -> Any:
    """Any dataclass of a report, or what may be in it; the field names are the keys."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    names = field_names(kind)
    if names is not None:
        return {
            name: one if type(one := getattr(value, name)) in _ATOMS else to_plain(one)
            for name in names
        }
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def field_names(kind: type) -> tuple[str, ...] | None:
    """Of a dataclass, in order; None: it is none."""
    if kind not in _names:
        known = is_dataclass(kind)
        _names[kind] = tuple([field.name for field in fields(kind)]) if known else None
    return _names[kind]
