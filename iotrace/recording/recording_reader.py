# SPDX-License-Identifier: Apache-2.0
"""Read a recording, or a report that ``-f json`` printed: from any machine, without root."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import BinaryIO

from iotrace.errors import PermissionDenied, UsageError
from iotrace.recording import container
from iotrace.recording.container import BadRecording
from iotrace.recording.kept_parts import KeptEvents, KeptSamples, report_json, too_large
from iotrace.recording.recording import Recording
from iotrace.report import codec
from iotrace.report.codec import BadReport
from iotrace.timeline.recorded_events import MOST_NAMES_BYTES, BadTimeline, decode
from iotrace.vocabulary.waits import FIRST_WAIT_REASONS

# A report as JSON is not compressed: its own size, blanks and all.
_MOST_JSON = 256 * 1024 * 1024


def read_recording(path: Path, *, samples: bool = True, timeline: bool = False) -> Recording:
    """What the file holds; ``samples`` and ``timeline`` False leave them out, which is quicker.

    Raises BadRecording, BadReport, UsageError or PermissionDenied, each naming the file.
    """
    try:
        with _open(path) as stream:
            return _read(stream, path, samples, timeline)
    except (BadRecording, BadReport, BadTimeline) as error:
        raise type(error)(f"{path}: {error.what}", why=error.why, paste=error.paste) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _open(path: Path) -> BinaryIO:
    # A pipe with nobody at its other end must not hang us; a directory cannot be opened.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"{path} is no file.", why="A recording is one.", paste="ls -ld FILE")
    return os.fdopen(descriptor, "rb")


def _read(stream: BinaryIO, path: Path, wants_samples: bool, wants_timeline: bool) -> Recording:
    start = stream.read(1)
    stream.seek(0)
    if start == b"{":
        return Recording(codec.loads(stream.read(_MOST_JSON)))
    text = names = None
    samples, events = KeptSamples(path), KeptEvents()
    # All parts, also those that are not wanted: only then the checksums are all checked.
    for part in container.read_parts(stream):
        if part.kind == container.REPORT:
            if text is not None:
                raise BadRecording("this recording is damaged", why="it holds two reports")
            text = report_json(part)
        elif part.kind == container.SAMPLE and wants_samples:
            samples.keep(part)
        elif part.kind == container.EVENTS and wants_timeline:
            events.keep(part)
        elif part.kind == container.NAMES and wants_timeline:
            names = part
    if text is None:
        raise BadRecording("this recording is damaged", why="it holds no report")
    reasons = FIRST_WAIT_REASONS
    if b'"gil":' not in text:  # older than that reason, and so are its events
        reasons = tuple(reason for reason in FIRST_WAIT_REASONS if reason != "gil")
    timeline = None
    if names is not None:
        if names.plain_bytes > MOST_NAMES_BYTES:
            raise too_large(f"more than {MOST_NAMES_BYTES >> 20} MiB of names for its events")
        events.check()
        timeline = decode(events, names.plain(), reasons)
    return Recording(codec.loads(text), samples or (), timeline)


def _unreadable(path: Path, error: OSError) -> UsageError | PermissionDenied:
    kind = PermissionDenied if isinstance(error, PermissionError) else UsageError
    return kind(
        f"{path} cannot be read.",
        why=f"{os.strerror(error.errno or 0)}.",
        paste=f"ls -ld {shlex.quote(str(path))}",
    )
