# SPDX-License-Identifier: Apache-2.0
"""A compile worker: a child that loads the compiler, then forks one more for each part."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from iotrace.engine.compile_answer import KILLED, error_answer, image_answer
from iotrace.engine.compiler import Compiler
from iotrace.engine.map_limits import Limits
from iotrace.engine.tracepoints import Part
from iotrace.report.detail import Detail

_NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS, _NO_SETUID_FIXUP = 28, 1 << 2
"""prctl(2); SECBIT_NO_SETUID_FIXUP of include/uapi/linux/securebits.h."""


def run_worker(requests: int, answers: Sequence[int], output: int) -> None:
    """Never returns. To be called in a child of one thread.

    ``requests``: a pipe; ``answers``: one for each part; ``output``: a file for compiler output.
    """
    sys.dont_write_bytecode = True
    # clang and libbpf write to 1 and 2 past anything that Python could redirect.
    os.dup2(output, 1)
    os.dup2(output, 2)
    _end_with_parent()
    compiler = _compiler()
    with os.fdopen(requests, "rb") as pipe:
        request = pipe.readline()
        if not request:
            os._exit(0)
        _spare_symbols()
        wanted = json.loads(request)
        parts = list(zip(answers, wanted["parts"], strict=False))
        for late in False, True:
            if late:
                pipe.read()  # until it is closed: charging has begun, or never will
                _pass_on(os.WNOHANG)
            for answer, (functions, is_late) in parts:
                if is_late == late and os.fork() == 0:
                    part = Part(frozenset(functions), late)
                    _compile(compiler, wanted, part, answer, set(answers) - {answer})
                if is_late == late:
                    os.close(answer)
    for answer in answers[len(parts) :]:
        os.close(answer)
    _pass_on(0)
    os._exit(0)


def _compile(
    compiler: Compiler | bytes,
    wanted: Mapping[str, Any],
    part: Part,
    answer: int,
    others: Collection[int],
) -> None:
    """In a child of its own: never returns."""
    with suppress(BaseException):
        _end_with_parent()
        for other in others:
            with suppress(OSError):
                os.close(other)
        with os.fdopen(answer, "wb") as pipe:
            pipe.write(_answer(compiler, wanted, part))
    os._exit(0)


def _pass_on(options: int) -> None:
    """End as a child did that was killed; else come back when none is left (WNOHANG: to reap)."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, options)
            if not pid:
                return
            if os.WIFSIGNALED(status):
                os._exit(KILLED + os.WTERMSIG(status))


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _spare_symbols() -> None:
    """Be nobody, with root's capabilities: for root, bcc reads all of the kernel's symbols.

    It looks for helpers that we do not call by those names (probes/maps.c); for others than root
    it does without. Where this can't be had, compiling takes a tenth of a second longer.
    """
    if not ctypes.CDLL(None).prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0):
        with suppress(OSError):
            os.seteuid(_NOBODY)
        _end_with_parent()  # the kernel forgets it with the user (commit_creds, kernel/cred.c)


def _compiler() -> Compiler | bytes:
    """The compiler, or why there is none, as an answer."""
    try:
        return Compiler()
    except BaseException as error:
        return error_answer(error)


def _answer(compiler: Compiler | bytes, wanted: Mapping[str, Any], part: Part) -> bytes:
    """What a child sends: an image, or the error in full."""
    if isinstance(compiler, bytes):
        return compiler
    limits = Limits(**{**wanted["limits"], "detail": Detail(wanted["limits"]["detail"])})
    try:
        image = compiler.compile(limits, frozenset(wanted["absent"]), wanted["namespaced"], part)
    except BaseException as error:
        return error_answer(error)
    return image_answer(image)
