"""JSON piece by piece: the same as at once, in less memory where nothing of it is kept."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from iotrace.report.big_json import LongList, parse


def whole(value: Any) -> Any:
    """All of it at once."""
    if isinstance(value, LongList):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return value


def made(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.randrange(7 if depth < 5 else 5)
    if kind < 5:
        text = "".join(dice.choice('ab"\\[]{},:é\n\U0001f600') for _ in range(dice.randrange(9)))
        return (None, dice.random() < 0.5, dice.randint(-(10**9), 10**9), dice.random(), text)[kind]
    many = dice.choice((0, 1, 3)) if depth else 2000
    if kind == 5:
        return [made(dice, depth + 1) for _ in range(many)]
    return {f'{number}"\\': made(dice, depth + 1) for number in range(many)}


@pytest.mark.parametrize("seed", range(11))
@pytest.mark.parametrize("layout", [{}, {"indent": 3}, {"separators": (",", ":")}])
def test_it_is_what_the_json_module_says(seed: int, layout: dict[str, Any]) -> None:
    dice = random.Random(seed)
    value = {"a": [made(dice, 1) for _ in range(9000)], "b": made(dice), "long": 'x\\"' * 30_000}
    text = json.dumps(value, **layout, ensure_ascii=seed % 2 == 0)
    assert len(text) > 70_000
    assert whole(parse(text)) == value
    assert whole(parse(text.encode())) == value


@pytest.mark.parametrize("seed", range(5))
def test_damaged_text_is_refused_by_both_or_by_none(seed: int) -> None:
    """But for a list of nothing but 64 KiB of blanks."""
    dice = random.Random(seed)
    text = json.dumps([{"a": ["b\\", {}, 1.5]}] * 4000)
    for _ in range(60):
        at = dice.randrange(len(text))
        damaged = text[:at] + dice.choice('"\\[]{},: 1x') + text[at + dice.randrange(2) :]
        try:
            expected = json.loads(damaged)
        except ValueError:
            expected = None
        try:
            found = whole(parse(damaged))
        except ValueError:
            found = None
        assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "[" + "[]," * 60_000 + "[]]",
        "[" + "{}," * 60_000 + "{}]",
        '[["' + '","'.join(["ab"] * 80_000) + '"]]',
        "[" + "0," * 600_000 + "0]",
        '{"a":{"b":[' + "[0]," * 60_000 + "0]}}",
    ],
    ids=["lists", "objects", "texts", "numbers", "deep"],
)
def test_what_is_not_kept_takes_no_memory(text: str) -> None:
    def peak_bytes(read: Callable[[str], Any]) -> int:
        tracemalloc.start()
        read(text)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_bytes(parse) < 2**20 < 3 * 2**20 < peak_bytes(json.loads)
