"""Compile in a short-lived child, which hands the image over and is gone.

So clang and LLVM (120 MB) never enter the memory of the process that traces.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile

from iotrace import errors
from iotrace.engine.compiler import compile_image
from iotrace.engine.image import Image
from iotrace.engine.program import Limits
from iotrace.errors import IotraceError, Unsupported

_NO_ROOM = re.compile(r"could not open bpf map: (\S+), error: ([^\n]+)")
_IMAGE, _ERROR = b"I", b"E"


def compile_in_child(
    limits: Limits, absent: frozenset[str] = frozenset(), namespaced: bool = False
) -> Image:
    """The image. The caller must not have started threads.

    Raises what compile_image raises; ``details`` of the error are the compiler's own words.
    """
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as details:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                os.close(reader)
                # clang and libbpf write to 1 and 2 past anything that Python could redirect.
                os.dup2(details.fileno(), 1)
                os.dup2(details.fileno(), 2)
                with os.fdopen(writer, "wb") as pipe:
                    pipe.write(_answer(limits, absent, namespaced))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as received:
            answer = received.read()
        _, status = os.waitpid(pid, 0)
        details.seek(0)
        words = details.read().decode(errors="replace")
    if answer[:1] == _IMAGE:
        return Image.from_bytes(answer[1:])
    error = _error(answer[1:]) if answer else _ended(status)
    if no_room := _NO_ROOM.search(words):
        error = Unsupported(
            f"The kernel does not let iotrace make the table {no_room[1]}.",
            why=f"{no_room[2]}. There may be no memory for it.",
            paste="free -m",
        )
    error.details = words
    raise error


def _answer(limits: Limits, absent: frozenset[str], namespaced: bool) -> bytes:
    """What the child sends: an image, or the error in full."""
    try:
        return _IMAGE + compile_image(limits, absent, namespaced).to_bytes()
    except IotraceError as error:
        described = (type(error).__name__, error.what, error.why, error.paste)
    except BaseException as error:
        described = (
            IotraceError.__name__,
            "Compiling the probes failed unexpectedly.",
            f"{type(error).__name__}: {error}",
            "iotrace doctor",
        )
    return _ERROR + json.dumps(described).encode()


def _error(described: bytes) -> IotraceError:
    name, what, why, paste = json.loads(described)
    kind: type[IotraceError] = getattr(errors, name, IotraceError)
    return kind(what, why=why, paste=paste)


def _ended(status: int) -> IotraceError:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return Unsupported(
            "The compiler of the probes was killed.",
            why=f"Signal {-code} ended it; there may have been no memory for it (it takes 130 MB).",
            paste="free -m; sudo dmesg | tail",
        )
    return Unsupported(
        "The probes could not be compiled.",
        why="clang gave up. Its own words are in the details (-v).",
        paste="iotrace doctor",
    )
