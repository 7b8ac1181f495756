# SPDX-License-Identifier: Apache-2.0
"""The published JSON Schemas, made from the dataclasses: of reports, and of lists of tasks.

``python -m iotrace.report.schema`` prints that of reports; docs/report.schema.json is that output.
``python -m iotrace.report.schema tasks`` prints docs/tasks.schema.json.
"""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin

from iotrace.report import task_list
from iotrace.report.model import SCHEMA, Report
from iotrace.report.shape import INT_MAX, INT_MIN, Field, choices, fields_of

_SCALARS: dict[Any, dict[str, object]] = {
    int: {"type": "integer", "minimum": INT_MIN, "maximum": INT_MAX},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    type(None): {"type": "null"},
}


def schema(kind: type = Report, title: str = SCHEMA) -> dict[str, object]:
    """The schema (JSON Schema, draft 2020-12) of ``Report``, or of another such dataclass."""
    definitions: dict[str, object] = {}
    _define(kind, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": f"#/$defs/{kind.__name__}",
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The schema of reports as the text of its file."""
    return json.dumps(schema(), indent=2) + "\n"


def tasks_text() -> str:
    """The schema of lists of tasks as the text of its file."""
    return json.dumps(schema(task_list.TaskList, task_list.SCHEMA), indent=2) + "\n"


def _define(kind: type, definitions: dict[str, object]) -> None:
    if kind.__name__ in definitions:
        return
    definitions[kind.__name__] = None  # its place is taken while its fields are looked at
    fields = fields_of(kind)
    definitions[kind.__name__] = {
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "type": "object",
        "properties": {field.name: _of_field(field, definitions) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _of_field(field: Field, definitions: dict[str, object]) -> dict[str, object]:
    if field.words:
        nullable = type(None) in choices(field.type)
        return {"enum": [*field.words, *([None] if nullable else [])]}
    if field.keys:
        inner = _of_type(get_args(field.type)[1], definitions)
        return {
            "type": "object",
            "properties": dict.fromkeys(field.keys, inner),
            "additionalProperties": False,
        }
    return _of_type(field.type, definitions)


def _of_type(kind: Any, definitions: dict[str, object]) -> dict[str, object]:
    kinds = list(choices(kind))
    if len(kinds) > 1:
        return {"anyOf": [_of_type(choice, definitions) for choice in kinds]}
    if is_dataclass(kind):
        assert isinstance(kind, type)
        _define(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if get_origin(kind) is tuple:
        inner, *others = get_args(kind)
        size = {} if others == [...] else dict.fromkeys(("minItems", "maxItems"), 1 + len(others))
        return {"type": "array", "items": _of_type(inner, definitions), **size}
    if get_origin(kind) is dict:
        return {
            "type": "object",
            "additionalProperties": _of_type(get_args(kind)[1], definitions),
        }
    return _SCALARS[kind]


if __name__ == "__main__":
    print(tasks_text() if sys.argv[1:] == ["tasks"] else text(), end="")
