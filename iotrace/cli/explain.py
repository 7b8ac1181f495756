# SPDX-License-Identifier: Apache-2.0
"""``iotrace explain``: what a finding means, why it hurts, how to fix it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from itertools import groupby

import click

from iotrace.errors import UsageError

_PAGES = "iotrace.findings"
"""docs/findings of the source tree."""
_ITEM = re.compile(r"(?:[-*]|\d+\.) ")


def page(finding_id: str) -> str:
    """The page of a rule, Markdown. Raises UsageError for an id that there is no rule of."""
    from iotrace.verdict.rules.registry import RULES

    ids = sorted(rule.id for rule in RULES)
    wanted = (
        f"IO{finding_id}" if finding_id.isascii() and finding_id.isdigit() else finding_id.upper()
    )
    if wanted not in ids:
        raise UsageError(
            f"there is no finding {finding_id!a}",
            why=f"the findings are {ids[0]} to {ids[-1]}",
            paste="iotrace explain   # lists them",
        )
    return resources.files(_PAGES).joinpath(f"{wanted}.md").read_text(encoding="utf-8")


def listing(columns: int) -> str:
    """A line a rule, or more where it is long."""
    from iotrace.output.text import wrap
    from iotrace.verdict.rules.registry import RULES

    return "\n".join(
        line
        for rule in sorted(RULES, key=lambda rule: rule.id)
        for line in wrap(rule.title, columns, indent=" " * 7, first=f"{rule.id}  ")
    )


def wrapped(markdown: str, columns: int) -> str:
    """The same with paragraphs and items as wide as the terminal; code and tables stay."""
    from iotrace.output.text import wrap

    lines: list[str] = []
    for prose, block in groupby(_marked(markdown.splitlines()), key=lambda one: one[0]):
        texts = [line for _, line in block]
        if not prose:
            lines += texts
            continue
        text = " ".join(line.strip() for line in texts)
        item = _ITEM.match(text)
        lines += wrap(text, columns, indent=" " * len(item[0]) if item else "", first="")
    return "\n".join(lines)


def _marked(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Each with the number of its paragraph or item; 0: it is of none."""
    code, number, within = False, 0, False
    for line in lines:
        fence = line.startswith("```")
        code ^= fence
        prose = not code and not fence and _is_prose(line)
        number += prose and (not within or _ITEM.match(line) is not None)
        within = prose
        yield number if prose else 0, line


def _is_prose(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("#", "|", "    ", "```"))


@click.command(name="explain", short_help="Say what a finding means and how to fix it.")
@click.argument("finding", metavar="[ID]", required=False)
def command(finding: str | None) -> int:
    """Say what a finding means, why it hurts, how it is seen, how to fix it, when it is fine.

    Without an ID, list the findings. 104 is IO104.
    """
    from iotrace.cli.columns import columns

    click.echo(wrapped(page(finding), columns()) if finding else listing(columns()))
    return 0
