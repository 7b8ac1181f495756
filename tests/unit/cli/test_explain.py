"""``iotrace explain``: ids as people type them, pages as wide as a terminal."""

from __future__ import annotations

import pytest

from iotrace.cli.explain import listing, page, wrapped
from iotrace.errors import UsageError
from iotrace.verdict.rules.registry import RULES


@pytest.mark.parametrize("typed", ["104", "io104", "IO104"])
def test_an_id_may_lack_its_letters(typed: str) -> None:
    assert page(typed).startswith("# IO104: ")


@pytest.mark.parametrize("typed", ["0104", "99", "104x", "IO", "¹²³", ""])
def test_what_is_no_finding_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="there is no finding"):
        page(typed)


@pytest.mark.parametrize("columns", [80, 132])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_has_all_its_words_in_lines_that_fit(rule: object, columns: int) -> None:
    text = page(rule.id)  # type: ignore[attr-defined]
    shown = wrapped(text, columns)
    assert shown.split() == text.split()
    assert shown.split("```")[1::2] == text.split("```")[1::2]  # its code
    prose = "".join(shown.split("```")[::2]).splitlines()
    assert not [line for line in prose if len(line) > columns and not line.startswith(("#", "|"))]


def test_items_of_a_list_hang() -> None:
    items = "A list:\n\n- one two three four\n  five six\n- seven\n\n"
    assert wrapped(items + "    code that is as long as it is\n", 16).splitlines() == [
        "A list:", "", "- one two three", "  four five six", "- seven", "",
        "    code that is as long as it is",
    ]  # fmt: skip


def test_the_list_fits_too() -> None:
    lines = listing(80).splitlines()
    assert max(map(len, lines)) <= 80
    ids = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert ids == sorted(rule.id for rule in RULES)
