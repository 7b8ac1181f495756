"""Reports of random content: every field, every shape that the types allow."""

from __future__ import annotations

import math
import random
import types
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from iotrace.report.model import SCHEMA, Report
from iotrace.vocabulary.waits import WAIT_REASONS

_TEXTS = ("", "x", "epoll_wait", "服务器", "\x1b[31m\n", "\u202e", "=1", '"\\', "\udcff")
_NUMBERS = (0, 1, 997, -3, 2**53 + 1, 2**63 - 1, -(2**63))
_REALS = (0.0, 0.1, 1e-300, -2.5, 1.7976931348623157e308)
_WORDS = {
    "schema": (SCHEMA,),
    "detail": ("full", "sockets", "light"),
    "severity": ("high", "medium", "low"),
    "trigger": ("level", "edge", "mixed", None),
    "cause": ("cpu", "gc", "call", "gil", "runq"),
}


class Dice(random.Random):
    """``largest``: the number of the largest magnitude that a figure may be."""

    largest: float = math.inf


def random_report(seed: int, largest: float = Dice.largest) -> Report:
    """The same report for the same seed."""
    dice = Dice(seed)
    dice.largest = largest
    made = _make(Report, dice)
    assert isinstance(made, Report)
    return made


def _make(kind: Any, dice: Dice) -> Any:
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(  # type: ignore[operator]
            **{field.name: _field(field.name, hints[field.name], dice) for field in fields(kind)}
        )
    if get_origin(kind) in (Union, types.UnionType):
        return _make(dice.choice(get_args(kind)), dice)
    if get_origin(kind) is tuple:
        inner, *others = get_args(kind)
        number = dice.randrange(4) if others == [...] else 1 + len(others)
        return tuple(_make(inner, dice) for _ in range(number))
    if get_origin(kind) is dict:
        keys = dice.sample(_TEXTS, dice.randrange(4))
        return {key: _make(get_args(kind)[1], dice) for key in keys}
    scalars = {
        int: [number for number in _NUMBERS if abs(number) <= dice.largest],
        float: [number for number in _REALS if abs(number) <= dice.largest],
        bool: (True, False),
        str: _TEXTS,
        type(None): (None,),
    }
    return dice.choice(scalars[kind])


def _field(name: str, kind: Any, dice: Dice) -> Any:
    if name in _WORDS:
        return dice.choice(_WORDS[name])
    if name == "wait":
        return {reason: _make(int, dice) for reason in WAIT_REASONS}
    return _make(kind, dice)
