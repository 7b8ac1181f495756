"""Every rule is made to fire in the kernel: by a server of defects.py, or by another test."""

from __future__ import annotations

import pytest

from iotrace.verdict.rules.registry import RULES
from iotrace.verdict.rules.rule import Rule
from tests.kernel.verdict.defects import DEFECTS, TESTED_ELSEWHERE, Defect
from tests.unit.project.places import ROOT

_HERE = "tests/kernel/verdict/defects.py"
_PROGRAMS = "tests/kernel/verdict/programs"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_made_to_fire(rule: Rule) -> None:
    defects = [defect for defect in DEFECTS if defect.rule == rule.id]
    assert defects or rule.id in TESTED_ELSEWHERE, (
        f"{_HERE}: no Defect breaks {rule.id}, and TESTED_ELSEWHERE names no test that does"
    )
    assert not (defects and rule.id in TESTED_ELSEWHERE), (
        f"{_HERE}: {rule.id} has a Defect, and is in TESTED_ELSEWHERE"
    )


def test_nothing_else_is() -> None:
    made = {*(defect.rule for defect in DEFECTS), *TESTED_ELSEWHERE}
    unknown = sorted(made - {rule.id for rule in RULES})
    assert not unknown, f"{_HERE}: {unknown} are not in iotrace/verdict/rules/registry.py"


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.rule)
def test_its_program_is_there(defect: Defect) -> None:
    assert (ROOT / _PROGRAMS / defect.program).is_file(), (
        f"{_HERE}: {defect.rule} has the program {defect.program}, which {_PROGRAMS} has not"
    )


@pytest.mark.parametrize(("rule", "test"), TESTED_ELSEWHERE.items())
def test_the_test_elsewhere_names_the_rule(rule: str, test: str) -> None:
    assert rule in (ROOT / test).read_text(), f"{_HERE}: {test} does not name {rule}"
