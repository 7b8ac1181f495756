# SPDX-License-Identifier: Apache-2.0
"""The shape of a report, read off its dataclasses: what the codec checks and the schema publishes.

The dataclasses are the only source. A tuple's items are of one type: ``tuple[int, ...]`` is any
number of them, ``tuple[int, int, int]`` exactly three. What the types cannot say (which keys, which
words) is in the two tables below.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from iotrace.report.detail import Detail
from iotrace.report.model import SCHEMA, SEVERITIES, Finding, Loop, Report, Stalls, States, Symptom
from iotrace.report.stacks import StallCause
from iotrace.report.task_list import KNOWN_BY, STATES, AsyncioTask, Suspension, TaskList
from iotrace.report.task_list import SCHEMA as TASKS_SCHEMA
from iotrace.vocabulary.waits import WAIT_REASONS

# A number in a report fits in a signed machine word, on every reader's side.
INT_MIN = -(2**63)
INT_MAX = 2**63 - 1

# Fields that hold one of a few words.
WORDS: dict[tuple[type, str], tuple[str, ...]] = {
    (Report, "schema"): (SCHEMA,),
    (Report, "detail"): tuple(one.value for one in Detail),
    (Finding, "severity"): SEVERITIES,
    (Symptom, "severity"): SEVERITIES,
    (Loop, "trigger"): ("level", "edge", "mixed"),
    (StallCause, "cause"): ("cpu", "gc", "call", "gil", "runq", "poll"),
    (TaskList, "schema"): (TASKS_SCHEMA,),
    (AsyncioTask, "state"): STATES,
    (Suspension, "known_by"): KNOWN_BY,
}

# Dictionaries that have these keys; one that is absent is 0, for reasons were added in time.
KEYS: dict[tuple[type, str], tuple[str, ...]] = {(States, "wait"): WAIT_REASONS}

OLD_NAMES: dict[type, dict[str, str]] = {Stalls: {"culprits": "causes"}}
"""Keys of files that were written before a field was renamed -> its name."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dataclass. ``required``: it has no default."""

    name: str
    type: Any
    required: bool
    words: tuple[str, ...]
    keys: tuple[str, ...]


_fields: dict[type, tuple[Field, ...]] = {}


def fields_of(kind: type) -> tuple[Field, ...]:
    """The fields of one of the report's dataclasses, in order."""
    if kind not in _fields:  # resolving the hints anew for each of 100,000 rows takes seconds
        hints = get_type_hints(kind)
        _fields[kind] = tuple(
            Field(
                name=field.name,
                type=hints[field.name],
                required=field.default is MISSING and field.default_factory is MISSING,
                words=WORDS.get((kind, field.name), ()),
                keys=KEYS.get((kind, field.name), ()),
            )
            for field in fields(kind)
        )
    return _fields[kind]


def choices(kind: Any) -> Iterator[Any]:
    """The members of a union; any other type alone. ``None`` is ``type(None)``."""
    if get_origin(kind) in (Union, types.UnionType):
        yield from get_args(kind)
    else:
        yield kind
