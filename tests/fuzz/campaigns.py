"""What is fed with damaged inputs, and what it may answer."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from iotrace.asyncio_tasks.listing import NoAsyncio
from iotrace.doctor.rights import parse_lockdown
from iotrace.doctor.suggested_commands import parse_os_release
from iotrace.engine.image import Function, Image, MapSpec
from iotrace.errors import IotraceError
from iotrace.output.as_json import render
from iotrace.output.formats import FORMATS
from iotrace.output.formats import render as render_format
from iotrace.output.text import escape
from iotrace.pystack.memory import Unreadable
from iotrace.recording import container
from iotrace.report import codec
from iotrace.report.model import Report
from tests.fuzz.memory import read_damaged
from tests.fuzz.tasks import read_damaged_tasks
from tests.unit import reports
from tests.unit.procfs.test_damaged_files import RECORDS, TABLES
from tests.unit.random_reports import random_report

Reader = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One reader and the whole inputs that are damaged for it; ``weight``: of its share."""

    name: str
    read: Reader
    samples: tuple[bytes, ...]
    allowed: tuple[type[BaseException], ...] = ()
    weight: int = 4


def _recording() -> bytes:
    body = container.header()
    digest = hashlib.sha256()
    report = render(reports.hostile()).encode()
    whole = (
        body + container.part(container.SAMPLE, report) + container.part(container.REPORT, report)
    )
    digest.update(whole)
    return whole + container.end(digest.digest())


def _read_recording(data: bytes) -> None:
    for part in container.read_parts(io.BytesIO(data)):
        codec.loads(part.plain())


def _read_forged(data: bytes) -> None:
    """A recording whose checksums are all right, and whose contents are damaged."""
    made = container.header() + container.part(container.REPORT, data)
    for part in container.read_parts(io.BytesIO(made + container.end(b"\0" * 32))):
        _read_and_show(part.plain())


_shown = 0


def _read_and_show(data: bytes) -> None:
    """What a damaged report still says must not reach a terminal as more than text."""
    _show(codec.loads(data))


def _show_random(data: bytes) -> None:
    """A report of odd texts and numbers in every field, made from these bytes, there and back."""
    report = codec.loads(render(random_report(zlib.crc32(data))))
    _show(report)


def _show(report: Report) -> None:
    global _shown
    _shown += 1
    name = FORMATS[_shown % len(FORMATS)]
    try:
        text = render_format(report, name)
    except IotraceError:
        return
    odd = {c for c in text if not c.isprintable()} - set("\n\t\u200b")
    assert not odd, (name, odd)
    text.encode("utf-8")


def _image() -> bytes:
    function = Function("sys_enter", "f", ("x",), base64.b64encode(bytes(16)).decode(), ((0, "m"),))
    layout = '["thread", [["seq", "unsigned int"], ["name", "char", [16]]], "struct"]'
    return Image({"m": MapSpec(1, 4, 8, 16, 0, layout)}, (function,), {"a": "b"}, True).to_bytes()


def _read_image(data: bytes) -> None:
    image = Image.from_bytes(data)
    for function in image.functions:
        function.code  # noqa: B018


def _read_plain_image(data: bytes) -> None:
    _read_image(zlib.compress(data, 1))


def _escape(data: bytes) -> None:
    shown = escape(data.decode("utf-8", "surrogateescape"))
    assert all(character.isprintable() for character in shown), shown
    shown.encode("utf-8")


def _host_text(data: bytes) -> None:
    text = data.decode(errors="replace")
    parse_os_release(text)
    parse_lockdown(text)


_REPORT = render(reports.hostile()).encode()
_HOSTILE_TEXTS = (
    b"\x1b]0;owned\x07\x1b[2J\xff\xfe\r\n\t\0",
    "\u202e\u2066gnp.exe\u200b\ufeff\U000e0041".encode(),
    b"<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
)

CAMPAIGNS: tuple[Campaign, ...] = (
    *(
        Campaign(f"/proc: {parse.__name__}", parse, (sample,), (ValueError,), 2)
        for parse, sample in RECORDS
    ),
    *(Campaign(f"/proc: {parse.__name__}", parse, (sample,), (), 2) for parse, sample in TABLES),
    Campaign("recordings", _read_recording, (_recording(),), (IotraceError,), 8),
    Campaign("recordings, forged", _read_forged, (_REPORT,), (IotraceError,), 4),
    Campaign("reports as JSON, shown", _read_and_show, (_REPORT,), (IotraceError,), 4),
    Campaign("random reports, shown", _show_random, (_REPORT[:512],), (IotraceError,), 4),
    Campaign("kept images", _read_image, (_image(),), (ValueError,), 4),
    Campaign("kept images, forged", _read_plain_image, (zlib.decompress(_image()),), (ValueError,)),
    Campaign("Python memory", read_damaged, (_REPORT[:512],), (Unreadable,), 16),
    Campaign("asyncio tasks", read_damaged_tasks, (_REPORT[:512],), (Unreadable, NoAsyncio), 8),
    Campaign("texts of processes", _escape, _HOSTILE_TEXTS, (), 8),
    Campaign("os-release, lockdown", _host_text, (b'ID=debian\nID_LIKE="a b"\nnone [x]\n',), ()),
)
