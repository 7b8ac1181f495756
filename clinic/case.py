# SPDX-License-Identifier: Apache-2.0
"""A case: a reported problem that can be set up, and what a good diagnosis must contain.

A case is a directory of clinic/cases with ``case.json``, ``start`` and what that runs:

    title      what people saw
    source     addresses of the public reports; empty for a control
    cause      what was found out in them: what a good diagnosis says
    healthy    true: nothing is wrong, no finding of medium or high severity may appear
    must       all to be found in the first two findings of the report, each one of
               {"words": [...]}  one of these words (regular expressions; case is ignored)
               {"line": "NAME"}  the line of the case's programs that ends in "# <- NAME"
               {"peer": "..."}   an address (a regular expression)
    must_not   words that may stand nowhere in the printed report
    needs      packages from PyPI, for the case's virtual environment
    have       commands that must exist
    warmup, seconds, patience   seconds from the start to the recording, of the recording, until
               the start must be done (2, 6, 60)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Demand:
    """``what``: for people; ``pattern``: what is searched for."""

    what: str
    pattern: str

    def met_by(self, text: str) -> bool:
        return re.search(self.pattern, text, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Case:
    """See the module's docstring."""

    directory: Path
    title: str
    cause: str
    source: tuple[str, ...] = ()
    healthy: bool = False
    must: tuple[Demand, ...] = ()
    must_not: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    have: tuple[str, ...] = ()
    warmup: float = 2
    seconds: float = 6
    patience: float = 60

    @property
    def name(self) -> str:
        return self.directory.name


def load(directory: Path) -> Case:
    """The case of a directory. Raises ValueError where case.json says what no case has."""
    said: dict[str, Any] = json.loads((directory / "case.json").read_text())
    unknown = said.keys() - set(Case.__slots__) | said.keys() & {"directory"}
    if unknown:
        raise ValueError(f"{directory}/case.json: unknown: {', '.join(sorted(unknown))}")
    said["must"] = tuple(_demand(one, directory) for one in said.get("must", ()))
    lists = {key: tuple(value) for key, value in said.items() if isinstance(value, list)}
    case = Case(directory, **{**said, **lists})
    if case.healthy == bool(case.must):
        raise ValueError(f"{directory}/case.json: either healthy or must")
    return case


def all_cases() -> list[Case]:
    return [load(path.parent) for path in sorted(CASES.glob("*/case.json"))]


def _demand(said: dict[str, Any], directory: Path) -> Demand:
    ((kind, value),) = said.items()
    if kind == "words":
        return Demand(value[0], "|".join(f"(?:{word})" for word in value))
    if kind == "peer":
        return Demand(f"peer {value}", value)
    if kind == "line":
        places = _marked(value, directory)
        if not places:
            raise ValueError(f'{directory}: no line ends in "# <- {value}"')
        return Demand(places[0], "|".join(rf"\b{re.escape(place)}\b" for place in places))
    raise ValueError(f"{directory}/case.json: must: unknown: {kind}")


def _marked(mark: str, directory: Path) -> list[str]:
    return [
        f"{path.name}:{number}"
        for path in sorted(directory.glob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.endswith(f"# <- {mark}")
    ]
