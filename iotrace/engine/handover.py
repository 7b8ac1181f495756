"""Compile and attach in a short-lived child, which hands its descriptors over and is gone.

So clang and LLVM (120 MB) never enter the memory of the process that traces. Descriptors go
over a unix socket (SCM_RIGHTS, man unix(7)), what they are as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from iotrace import errors
from iotrace.engine.loader import Attached, Map, compile_and_attach
from iotrace.engine.program import Limits
from iotrace.errors import IotraceError

_MAX_DESCRIPTORS = 128
_MAX_MESSAGE_BYTES = 1 << 20


def _describe(attached: Attached) -> tuple[dict[str, Any], list[int]]:
    """The attachment with places in a list of descriptors instead of the descriptors."""
    fds: list[int] = []

    def place(fd: int) -> int:
        fds.append(fd)
        return len(fds) - 1

    described = asdict(attached)
    for one in described["maps"].values():
        one["fd"] = place(one["fd"])
    for table in ("programs", "links"):
        described[table] = {name: place(fd) for name, fd in described[table].items()}
    return described, fds


def _restore(described: dict[str, Any], fds: list[int]) -> Attached:
    return Attached(
        maps={
            name: Map(**{**one, "fd": fds[one["fd"]]}) for name, one in described["maps"].items()
        },
        programs={name: fds[place] for name, place in described["programs"].items()},
        links={name: fds[place] for name, place in described["links"].items()},
        unavailable=described["unavailable"],
    )


def _child(link: socket.socket, details: int, work: Callable[[], Attached]) -> None:
    """What the child does: never returns to the caller's code, never prints."""
    # clang and libbpf write to descriptors 1 and 2 past anything that Python could redirect.
    os.dup2(details, 1)
    os.dup2(details, 2)
    try:
        described, fds = _describe(work())
        message: dict[str, Any] = {"attached": described}
    except IotraceError as error:
        fds = []
        message = {
            "error": type(error).__name__,
            "what": error.what,
            "why": error.why,
            "paste": error.paste,
        }
    except BaseException as error:
        fds = []
        message = {
            "error": "IotraceError",
            "what": "Loading the probes failed unexpectedly.",
            "why": f"{type(error).__name__}: {error}",
            "paste": "iotrace doctor",
        }
    text = json.dumps(message).encode()
    # The length goes first with the descriptors, for a message may be larger than one datagram.
    socket.send_fds(link, [len(text).to_bytes(4, "little")], fds)
    link.sendall(text)


def _receive(link: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    head, fds, _, _ = socket.recv_fds(link, 4, _MAX_DESCRIPTORS)
    if len(head) < 4:
        return None
    text = b""
    while len(text) < min(int.from_bytes(head, "little"), _MAX_MESSAGE_BYTES):
        part = link.recv(1 << 16)
        if not part:
            return None
        text += part
    return json.loads(text), list(fds)


def attach_in_child(limits: Limits, absent: frozenset[str] = frozenset()) -> Attached:
    """Attach the probes and give their descriptors; they are ours to close.

    Raises what compile_and_attach raises; ``details`` of the error holds the compiler's and the
    verifier's words. The caller must not have started threads.
    """
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as details:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                ours.close()
                _child(theirs, details.fileno(), lambda: compile_and_attach(limits, absent))
            os._exit(0)
        theirs.close()
        try:
            received = _receive(ours)
        finally:
            ours.close()
            _, status = os.waitpid(pid, 0)
        details.seek(0)
        words = details.read().decode(errors="replace")
    if received is None:
        raise _ended(status, words)
    message, fds = received
    if "error" in message:
        kind: type[IotraceError] = getattr(errors, message["error"], IotraceError)
        error = kind(message["what"], why=message["why"], paste=message["paste"])
        error.details = words
        raise error
    return _restore(message["attached"], fds)


def _ended(status: int, words: str) -> IotraceError:
    error = IotraceError(
        "The loader of the probes ended before it was done.",
        why=f"its wait status is {status}; it may have been killed for want of memory.",
        paste="iotrace doctor",
    )
    error.details = words
    return error
