# SPDX-License-Identifier: Apache-2.0
"""A report as plain data (what JSON holds) and back.

``from_dict`` and ``loads`` take files from anywhere: whatever is not exactly a report is refused
with the place and the reason, and nothing of it is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass, replace
from itertools import islice
from typing import Any, NoReturn, TypeVar, get_args, get_origin

from iotrace import __version__
from iotrace.errors import ExitCode, IotraceError
from iotrace.report.big_json import LongList, TooLarge, parse
from iotrace.report.model import SCHEMA, Report
from iotrace.report.plain import to_plain
from iotrace.report.shape import INT_MAX, INT_MIN, OLD_NAMES, Field, choices, fields_of

T = TypeVar("T")

_OLDER_SCHEMAS = ("iotrace.report/1",)
"""They have no requests and no upstreams; the rest is as in this one."""

_PASTE = "iotrace attach PID -f json -o report.json"

# Of a histogram: 8 for each power of two are 512.
_MOST_BUCKETS = 1024

# How much of a foreign text an error message repeats.
_QUOTED = 40


class _Unknown(Exception):
    """A key that this version does not know; ``why`` names it and its place."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BadReport(IotraceError):
    """The data is not a report that this version can read."""

    code = ExitCode.USAGE


def to_dict(report: Report) -> dict[str, Any]:
    """The report as dictionaries, lists, texts and numbers; the field names are the keys."""
    plain = to_plain(report)
    assert isinstance(plain, dict)
    return plain


def from_dict(data: object) -> Report:
    """The report that ``to_dict`` made the data from.

    Raises BadReport on another schema, a missing or unknown key, a wrong type, a number that
    does not fit in 64 bits or is not finite. Keys that have a default may be missing: files of
    older versions lack what was added since. One of a newer version, that has what this one does
    not know, is refused as such.
    """
    if not isinstance(data, dict) or "schema" not in data:
        raise BadReport("this is not an iotrace report", why='it has no key "schema"', paste=_PASTE)
    if data["schema"] not in (SCHEMA, *_OLDER_SCHEMAS):
        readable = " and ".join(f'"{one}"' for one in (*_OLDER_SCHEMAS, SCHEMA))
        raise BadReport(
            f"this report has the schema {_quote(data['schema'])}",
            why=f"this version of iotrace reads {readable} only",
            paste=_PASTE,
        )
    try:
        report = _dataclass(Report, {**data, "schema": SCHEMA}, "")
    except _Unknown as unknown:
        raise _newer(data, unknown.why) from None
    return _without_requests(report) if data["schema"] in _OLDER_SCHEMAS else report


def _without_requests(report: Report) -> Report:
    unavailable = {"requests": "files of version 1 have none", **report.quality.unavailable}
    return replace(report, quality=replace(report.quality, unavailable=unavailable))


def loads(text: str | bytes) -> Report:
    """The report in a JSON text.

    Raises BadReport, also where the text is not JSON, or nests deeper or holds more than a report
    does (report/big_json.py).
    """
    try:
        return from_dict(parse(text))
    except TooLarge as error:
        raise BadReport(
            "this report is too large to be read", why=str(error), paste=_PASTE
        ) from None
    except ValueError as error:
        raise BadReport(
            "this is not a JSON file", why=_quote(str(error))[1:-1], paste=_PASTE
        ) from None


def _dataclass(kind: type[T], data: object, place: str) -> T:
    items = _expect(dict, data, "an object", place)
    for old, name in OLD_NAMES.get(kind, {}).items():
        if old in items and name not in items:
            items = {**items, name: items[old]}
            del items[old]
    known = {field.name: field for field in fields_of(kind)}
    for key in items:
        if key not in known:
            _refuse_newer(place, f"unknown key {_quote(key)}")
    for field in known.values():
        if field.required and field.name not in items:
            _refuse(place, f'the key "{field.name}" is missing')
    values = {
        name: _field(known[name], value, f"{place}.{name}".lstrip("."))
        for name, value in items.items()
    }
    return kind(**values)


def _field(field: Field, data: object, place: str) -> object:
    value = _value(field.type, data, place)
    if field.words and value is not None and value not in field.words:
        _refuse(place, f"expected one of {', '.join(field.words)}, found {_quote(value)}")
    if field.keys and isinstance(value, dict):
        for key in value:
            if key not in field.keys:
                _refuse_newer(place, f"unknown key {_quote(key)}")
        return dict.fromkeys(field.keys, 0) | value
    return value


def _value(kind: Any, data: object, place: str) -> object:
    kinds = list(choices(kind))
    if data is None and type(None) in kinds:
        return None
    kinds = [choice for choice in kinds if choice is not type(None)]
    if len(kinds) > 1:  # numbers and texts: what it is, it is
        exact = [choice for choice in kinds if type(data) is choice]
        if not exact:
            _refuse(place, f"expected a number or a text, found {_quote(data)}")
        kinds = exact
    return _single(kinds[0], data, place)


def _single(kind: Any, data: object, place: str) -> object:
    if is_dataclass(kind):
        assert isinstance(kind, type)
        return _dataclass(kind, data, place)
    if get_origin(kind) is tuple:
        inner, *others = get_args(kind)
        items: Iterable[object] = (
            data if type(data) is LongList else _expect(list, data, "a list", place)
        )
        if others != [...] and (type(data) is not list or len(data) != 1 + len(others)):
            found = len(data) if type(data) is list else "thousands"
            _refuse(place, f"expected {1 + len(others)} items, found {found}")
        if get_origin(inner) is tuple:
            items = list(islice(items, _MOST_BUCKETS + 1))
            if len(items) > _MOST_BUCKETS:
                _refuse(place, f"more than {_MOST_BUCKETS} buckets")
        return tuple(_value(inner, item, f"{place}[{index}]") for index, item in enumerate(items))
    if get_origin(kind) is dict:
        entries = _expect(dict, data, "an object", place)
        inner = get_args(kind)[1]
        return {
            _expect(str, key, "a text", place): _value(inner, item, f"{place}[{_quote(key)}]")
            for key, item in entries.items()
        }
    return _SCALARS[kind](data, place)


def _integer(data: object, place: str) -> int:
    number = _expect(int, data, "a whole number", place)
    if not INT_MIN <= number <= INT_MAX:
        _refuse(place, "the number does not fit in 64 bits")
    return number


def _float(data: object, place: str) -> float:
    if type(data) is int:
        return float(_integer(data, place))
    number = _expect(float, data, "a number", place)
    if not math.isfinite(number):
        _refuse(place, "the number is not finite")
    return number


_SCALARS: dict[type, Callable[[object, str], object]] = {
    int: _integer,
    float: _float,
    bool: lambda data, place: _expect(bool, data, "true or false", place),
    str: lambda data, place: _expect(str, data, "a text", place),
}


def _expect(kind: type[T], data: object, what: str, place: str) -> T:
    # Not isinstance: true is an int to Python, not to JSON.
    if type(data) is not kind:
        _refuse(place, f"expected {what}, found {_quote(data)}")
    return data


def _refuse_newer(place: str, why: str) -> NoReturn:
    raise _Unknown(f"{place or 'the report'}: {why}")


def _newer(data: Mapping[str, object], why: str) -> BadReport:
    """A key is only ever added by a newer version, or by who is none of us."""
    maker = data.get("iotrace")
    if maker == __version__ or not isinstance(maker, str):
        return BadReport("this is not a report that iotrace can read", why=why, paste=_PASTE)
    return BadReport(
        f"this report was made by another version of iotrace, {_quote(maker)[1:-1]}",
        why=f"{why}; this is {__version__}, which reads reports of its own and older versions",
        paste="pip install --upgrade iotrace",
    )


def _refuse(place: str, why: str) -> NoReturn:
    raise BadReport(
        "this is not a report that iotrace can read",
        why=f"{place or 'the report'}: {why}",
        paste=_PASTE,
    )


def _quote(data: object) -> str:
    """A foreign value in ASCII and on one line, short."""
    if isinstance(data, dict | list | LongList):
        return "an object" if isinstance(data, dict) else "a list"
    if isinstance(data, int) and not INT_MIN <= data <= INT_MAX:
        return "a number of more than 64 bits"
    shown = ascii(data[:_QUOTED]) if isinstance(data, str) else ascii(data)
    return shown + ("..." if isinstance(data, str) and len(data) > _QUOTED else "")
