# SPDX-License-Identifier: Apache-2.0
"""``iotrace explain``: what a finding means, why it hurts, how to fix it."""

from __future__ import annotations

from importlib import resources

import click

from iotrace.errors import UsageError

_PAGES = "iotrace.findings"
"""docs/findings of the source tree."""


def page(finding_id: str) -> str:
    """The page of a rule, Markdown. Raises UsageError for an id that there is no rule of."""
    from iotrace.verdict.rules.registry import RULES

    ids = sorted(rule.id for rule in RULES)
    if finding_id.upper() not in ids:
        raise UsageError(
            f"there is no finding {finding_id!a}",
            why=f"the findings are {ids[0]} to {ids[-1]}",
            paste="iotrace explain   # lists them",
        )
    name = f"{finding_id.upper()}.md"
    return resources.files(_PAGES).joinpath(name).read_text(encoding="utf-8")


def listing() -> str:
    """A line a rule."""
    from iotrace.verdict.rules.registry import RULES

    return "\n".join(sorted(f"{rule.id}  {rule.title}" for rule in RULES))


@click.command(name="explain", short_help="Say what a finding means and how to fix it.")
@click.argument("finding", metavar="[ID]", required=False)
def command(finding: str | None) -> int:
    """Say what a finding means, why it hurts, how it is seen, how to fix it, when it is fine.

    Without an ID, list the findings.
    """
    click.echo(page(finding) if finding else listing())
    return 0
