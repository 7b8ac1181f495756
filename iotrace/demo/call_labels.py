# SPDX-License-Identifier: Apache-2.0
"""The words of the picture: what a call asks for, what the kernel finds, what comes back."""

from __future__ import annotations

import errno

from iotrace.demo.thread_timeline import SystemCall
from iotrace.vocabulary.calls import (
    ACCEPTS,
    LIBRARY_NAMES,
    LOCKS,
    MULTIPLEXERS,
    READS,
    SIGNAL_WAITS,
    SLEEPS,
    URING,
    WRITES,
)

_WAITS = (
    (READS, "wait for data"),
    (WRITES, "wait for room to send"),
    (ACCEPTS, "wait for a client"),
    (MULTIPLEXERS, "wait for any client"),
    (SLEEPS, "a timer runs"),
    (SIGNAL_WAITS, "wait for a signal"),
    (URING, "wait for completion"),
    (LOCKS, "another thread has it"),
)
_RESTARTS = range(-516, -511)
"""ERESTARTSYS and its kin, include/linux/errno.h: interrupted by a signal."""


def name(call: SystemCall) -> str:
    """``recvfrom(4)``, ``select [pselect6]``."""
    known = LIBRARY_NAMES.get(call.syscall)
    named = f"{known} [{call.syscall}]" if known else call.syscall
    return f"{named}({call.fd})" if call.fd >= 0 else named


def asked(call: SystemCall, *, in_vain: bool) -> str:
    """What the kernel finds when the call comes in; ``in_vain``: what is asked for comes later."""
    result = -1 if call.result is None else call.result
    if call.syscall in READS:
        there = "data is there" if result > 0 else "the client has left"
        return "no data" if fruitless(call) else "no data yet" if in_vain else there
    if call.syscall in WRITES:
        return "no room yet" if in_vain else "take the answer"
    if call.syscall in ACCEPTS:
        waiting = "no client yet" if in_vain else "a client is there"
        return "no client waits" if fruitless(call) else waiting
    if call.syscall in MULTIPLEXERS:
        ready = "somebody is ready" if result > 0 else "nobody is ready"
        return "nobody is ready yet" if in_vain else ready
    if call.syscall in URING:
        return "take the operations"
    return {True: "not yet"}.get(in_vain and call.syscall in SIGNAL_WAITS, "")


def found(call: SystemCall) -> str:
    """What the kernel does once the thread has a CPU again."""
    if call.syscall in READS:
        return "data is there"
    if call.syscall in MULTIPLEXERS:
        return "who is ready?"
    return ""


def waits(call: SystemCall | None) -> str:
    """What is waited for in it."""
    syscall = call.syscall if call else ""
    return next((words for names, words in _WAITS if syscall in names), "wait")


def returned(call: SystemCall) -> str:
    """What comes back."""
    result = call.result
    if result is None:
        return ""
    if result < 0:
        interrupted = result in _RESTARTS or -result == errno.EINTR
        return "interrupted" if interrupted else errno.errorcode.get(-result, str(result))
    if call.syscall in READS | WRITES:
        return count(result, "byte")
    if call.syscall in ACCEPTS:
        return f"connection {result}"
    if call.syscall in MULTIPLEXERS:
        return f"{result:,} ready" if result else "none ready"
    return "done" if call.syscall in SLEEPS else ""


def fruitless(call: SystemCall) -> bool:
    """It found nothing and did not wait (EAGAIN)."""
    return call.result == -errno.EAGAIN


def count(number: int, thing: str) -> str:
    """``1 byte``, ``84 bytes``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
