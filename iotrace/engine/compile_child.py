"""Compile in short-lived children, which hand the image over and are gone.

So clang and LLVM (120 MB) never enter the memory of the process that traces.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import sys
import tempfile
from dataclasses import replace

from iotrace import errors
from iotrace.engine.compiler import compile_image
from iotrace.engine.image import Image
from iotrace.engine.program import Limits
from iotrace.engine.tracepoints import Part, attach_order, parts_of
from iotrace.errors import IotraceError, Unsupported

_NO_ROOM = re.compile(r"could not open bpf map: (\S+), error: ([^\n]+)")
_IMAGE, _ERROR = b"I", b"E"
_NOBODY = 65534
_PR_SET_SECUREBITS, _NO_SETUID_FIXUP = 28, 1 << 2
"""prctl(2); SECBIT_NO_SETUID_FIXUP of include/uapi/linux/securebits.h."""


def compile_in_child(
    limits: Limits, absent: frozenset[str] = frozenset(), namespaced: bool = False
) -> Image:
    """The image. The caller must not have started threads.

    Raises what compile_image raises; ``details`` of the error are the compiler's own words.
    """
    parts = parts_of(limits.detail, len(os.sched_getaffinity(0)))
    with contextlib.ExitStack() as ends:
        children = [ends.enter_context(_Child(limits, absent, namespaced, part)) for part in parts]
        images = [child.image() for child in children]
    functions = sorted(
        (function for image in images for function in image.functions),
        key=lambda function: attach_order(function.name),
    )
    return replace(images[0], functions=tuple(functions))


class _Child:
    """One that compiles a part. Leaving the context waits for its end."""

    def __init__(
        self, limits: Limits, absent: frozenset[str], namespaced: bool, part: Part
    ) -> None:
        reader, writer = os.pipe()
        self._details = tempfile.TemporaryFile()  # noqa: SIM115
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            with contextlib.suppress(BaseException):
                os.close(reader)
                # clang and libbpf write to 1 and 2 past anything that Python could redirect.
                os.dup2(self._details.fileno(), 1)
                os.dup2(self._details.fileno(), 2)
                _spare_symbols()
                with os.fdopen(writer, "wb") as pipe:
                    pipe.write(_answer(limits, absent, namespaced, part))
            os._exit(0)
        os.close(writer)
        self._answers = os.fdopen(reader, "rb")

    def image(self) -> Image:
        """What it compiled. Raises what compile_image raises."""
        answer = self._answers.read()
        if answer[:1] == _IMAGE:
            return Image.from_bytes(answer[1:])
        self._details.seek(0)
        words = self._details.read().decode(errors="replace")
        error = _error(answer[1:]) if answer else _ended(self._wait())
        if no_room := _NO_ROOM.search(words):
            error = Unsupported(
                f"The kernel does not let iotrace make the table {no_room[1]}.",
                why=f"{no_room[2]}. There may be no memory for it.",
                paste="free -m",
            )
        error.details = words
        raise error

    def _wait(self) -> int:
        pid, self._pid = self._pid, 0
        return os.waitpid(pid, 0)[1] if pid else 0

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self._wait()
        self._details.close()


def _spare_symbols() -> None:
    """Be nobody, with root's capabilities: for root, bcc reads all of the kernel's symbols.

    It looks for helpers that we do not call by those names (probes/maps.c); for others than root
    it does without. Where this can't be had, compiling takes a tenth of a second longer.
    """
    sys.dont_write_bytecode = True
    if not ctypes.CDLL(None).prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0):
        with contextlib.suppress(OSError):
            os.seteuid(_NOBODY)


def _answer(limits: Limits, absent: frozenset[str], namespaced: bool, part: Part) -> bytes:
    """What a child sends: an image, or the error in full."""
    try:
        return _IMAGE + compile_image(limits, absent, namespaced, part).to_bytes()
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
