# SPDX-License-Identifier: Apache-2.0
"""Builds HTML. Every text is escaped where it becomes markup, which is here and nowhere else."""

from __future__ import annotations

import html

from iotrace.output.text import escape


class Markup(str):
    """HTML that is safe to insert as it is."""

    __slots__ = ()


def text(raw: str) -> Markup:
    """A text as markup: what moves the cursor or hides is made visible, what is markup inert."""
    return escaped(escape(raw))


def escaped(visible: str) -> Markup:
    """A text that ``escape`` has been over, as markup."""
    return Markup(html.escape(visible, quote=True))


def tag(name: str, /, *children: str, **attributes: str | int | float | None) -> Markup:
    """One element. Children that are no Markup are texts; attributes that are None are left out.

    Attribute names: a trailing ``_`` is dropped (``class_``), an inner one is a dash.
    """
    opened = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in ("meta", "br", "rect", "line", "circle", "path"):
        return Markup(f"<{opened}>" if name in ("meta", "br") else f"<{opened}/>")
    return Markup(f"<{opened}>{join(*children)}</{name}>")


def join(*parts: str) -> Markup:
    """The parts one after the other, texts escaped."""
    return Markup("".join(part if isinstance(part, Markup) else text(part) for part in parts))


def _attribute(value: str | int | float) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return text(str(value))
