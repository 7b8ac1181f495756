# SPDX-License-Identifier: Apache-2.0
"""Numbers that the probes and Python share. The one source: the C side gets them by -D."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from iotrace.pystack.gil import GIL_HOLDER
from iotrace.vocabulary.events import EventKind
from iotrace.vocabulary.kinds import SOCKET_KINDS, Kind
from iotrace.vocabulary.waits import WAIT_REASONS


class State(IntEnum):
    """What a thread is doing (thread.state)."""

    UNKNOWN = 0
    USER = 1
    KERNEL = 2
    COPY = 3
    SLEEP = 4
    RUNQ = 5
    DEAD = 6


class CallFlag(IntFlag):
    """What a system call does (call_spec.flags)."""

    IN = 1
    OUT = 2
    MESSAGES = 4
    """It returns a number of messages, not of bytes."""
    ACCEPTS = 8
    """It returns a new descriptor of a connection."""
    CLOSES = 16
    REPLACES = 32
    """Its descriptor number becomes another object (dup2)."""
    FD_SETS = 64
    TIMEOUT_POINTER = 128
    NO_ARGUMENTS = 256
    """Nothing about its arguments matters."""
    FUTEX = 512
    WATCHES = 1024
    """It adds to an epoll's interest list."""
    CLOSES_RANGE = 2048


class Counter(IntEnum):
    """Slots of the counters map."""

    THREADS = 0
    CALLS = 1
    DESCRIPTORS = 2
    LOOPS = 3
    ENDED = 4
    LOST_THREADS = 5
    LOST_CALLS = 6
    LOST_DESCRIPTORS = 7
    LOST_LOOPS = 8
    LOST_ERRORS = 9
    LOST_OPERATIONS = 10
    LONG_VECTORS = 11
    """Message vectors whose bytes were counted in part."""
    LOST_EVENTS = 12
    TIMELINE_ON = 13
    """Written by user space: whether single events are streamed."""
    STARTED = 14
    """Threads that the probes entered."""
    STACKS = 15
    CODES = 16
    LOST_STACKS = 17
    EXECS = 18
    REPAIRED = 19
    """Calls whose sys_enter the kernel skipped (probes/repair.c)."""
    UNKNOWN_RESULTS = 20
    """Calls of which the kernel skipped every copy of sys_exit."""
    ENDPOINTS = 21
    TIERS = 22
    EXCHANGES = 23
    """Records of connections that were handed out; they are used again."""
    LOST_ENDPOINTS = 24
    """Listeners and peers (or latencies of theirs) for which there was no room."""
    UNTOLD_CONNECTIONS = 25
    """Made before the trace, and nothing tells whether they were accepted or connected."""
    MADE_UP_RECEIVED = 26
    """Reads of sockets that a spare copy of the probe saw and the first did not, of all threads."""
    MADE_UP_SENT = 27
    IDLE_CLOSES = 28
    """Connections that a process closed while they were idle (probes/late_requests.c)."""


class Role(IntEnum):
    """Which end of a stream connection a traced process has (readiness.role, endpoint.role)."""

    UNKNOWN = 0
    SERVER = 1
    """It accepted the connection."""
    CLIENT = 2
    """It connected."""
    NONE = 3
    """Neither, as of a pair of sockets; or a socket of messages."""


class Phase(IntEnum):
    """How far the exchange on a connection has come (readiness.phase)."""

    IDLE = 0
    ARRIVED = 1
    """Data has arrived and is not read yet."""
    SERVED = 2
    """A request was read and is not answered yet."""
    ASKED = 3
    """A query was written and the answer has not arrived."""
    CHANGING = 4
    """Somebody is about to set another phase."""


class Cause(IntEnum):
    """Why an event loop stalled (stall_cause.cause)."""

    CPU = 0
    CALL = 1
    GIL = 2
    RUNQ = 3
    GC = 4


class GilLookup(IntEnum):
    """How the probes know a thread's waits for the GIL (thread.gil_lookup)."""

    AT_ADDRESS = 0
    """By the futex, which lies in thread.gil."""
    OF_SEVERAL = 1
    """By the futex, which lies in one of python.gils."""
    BY_REQUEST = 2
    """By the PyThreadState, which says so."""
    NONE = 3
    """There is no GIL: other threads are stopped by locks."""


class Sample(IntEnum):
    """What a sample of a Python stack was taken of (sample_key.of)."""

    CPU = 0
    FAULT = 1


class TaskOf(IntEnum):
    """What an asyncio task ran in (task_key.of)."""

    LINE = 0
    STALL = 1
    EXCHANGE = 2


TASKS, TASK_NAME_BYTES = 4, 96
"""A running task and those that await it, each the one before; so much is kept of each name."""


def wait_classes(reasons: int) -> int:
    """Length of thread.wait_ns: a power of two, so that the verifier accepts a masked index, and
    more than there are reasons.
    """
    return 1 << reasons.bit_length()


WAIT_CLASSES = wait_classes(len(WAIT_REASONS))
WAIT_BY_KIND = WAIT_CLASSES - 1
"""No reason: recv, send or file, decided when the descriptor is known."""
CALL_OTHER = 0xFFFF
"""The number that stands for every call that is not listed."""
MAX_SYSCALLS = 1024
STALL_NS = 50_000_000
"""An iteration of an event loop that is longer is a stall: its time is kept apart."""
SHORT_TIMEOUT_NS = 20_000_000
"""CPython asks for its GIL with a timeout of sys.getswitchinterval(), by default 5 ms."""
SAMPLE_AFTER_NS = STALL_NS // 2
"""From when on a long iteration's Python stack is sampled."""
SAMPLES_HZ = 199
GIL_TAX_NS = 1_000_000
"""A wait for the GIL after so much computing is not the price of the call before."""
GIL_BYTES = 208
"""struct _gil_runtime_state with its two conditions and mutexes (glibc), CPython 3.9 to 3.15."""
GILS = 8
"""Interpreters of one process whose GILs are told from other locks."""
WAKE_RACE_NS = 50_000
"""Much longer than schedule() takes from its look at the task's state to the switch."""
TIER_FIRST_BUCKET, TIER_BUCKETS = 160, 4
"""Of the histogram of latencies: exchanges of one tier are added up. From 64 us on there are 4
tiers for each power of two."""
EXEMPLARS = 8
"""The slowest exchanges of each endpoint that are kept."""
GENERATIONS = 16384
THREAD_HINTS = 65536
HINT_SHARED = 0xFFFFFFFF
NO_ARGUMENT = 0xFF
"""A system call has no argument of that sort (call_spec.*_arg)."""
CAST_CALL = 0x7FFFFF01
"""Stands for bpf_rdonly_cast in compiled code: the id of no helper."""
PREEMPT_DISABLE_CALL, PREEMPT_ENABLE_CALL = 0x7FFFFF02, 0x7FFFFF03
"""As CAST_CALL, for bpf_preempt_disable and bpf_preempt_enable."""
COPY_MARK = 0x7FFFFF10
"""Stands for 0 in a program, for 1 and more in its spare copies (probes/preemption.c)."""
COPIES = 3
"""Of a program that the kernel may preempt. Each copy costs a call some 15 ns."""
MANY_COPIES = 5
"""Of one that runs at the end of each call, or of each read and write: no other one knows
the result."""


def cflags() -> list[str]:
    """The constants as compiler flags."""
    values: dict[str, int] = {
        "WAIT_CLASSES": WAIT_CLASSES,
        "WAITS": len(WAIT_REASONS),
        "WAIT_BY_KIND": WAIT_BY_KIND,
        "CALL_OTHER": CALL_OTHER,
        "MAX_SYSCALLS": MAX_SYSCALLS,
        "STALL_NS": STALL_NS,
        "SHORT_TIMEOUT_NS": SHORT_TIMEOUT_NS,
        "WAKE_RACE_NS": WAKE_RACE_NS,
        "GENERATIONS": GENERATIONS,
        "THREAD_HINTS": THREAD_HINTS,
        "HINT_SHARED": HINT_SHARED,
        "COUNTERS": 32,
        "TCP_PORTS": 65536,
        "TIER_FIRST_BUCKET": TIER_FIRST_BUCKET,
        "TIER_BUCKETS": TIER_BUCKETS,
        "EXEMPLARS": EXEMPLARS,
        "CAST_CALL": CAST_CALL,
        "PREEMPT_DISABLE_CALL": PREEMPT_DISABLE_CALL,
        "PREEMPT_ENABLE_CALL": PREEMPT_ENABLE_CALL,
        "COPY_MARK": COPY_MARK,
        "COPIES": COPIES,
        "NO_ARGUMENT": NO_ARGUMENT,
        "SAMPLE_AFTER_NS": SAMPLE_AFTER_NS,
        "GIL_TAX_NS": GIL_TAX_NS,
        "GIL_BYTES": GIL_BYTES,
        "GILS": GILS,
        "GIL_HOLDER": GIL_HOLDER,
        "TASKS": TASKS,
        "TASK_NAME_BYTES": TASK_NAME_BYTES,
        "KIND_FIRST_SOCKET": SOCKET_KINDS.start,
        "KIND_LAST_SOCKET": SOCKET_KINDS.stop - 1,
    }
    values |= {f"WAIT_{reason.upper()}": i for i, reason in enumerate(WAIT_REASONS)}
    values |= {f"STATE_{state.name}": state.value for state in State}
    values |= {f"KIND_{kind.name}": kind.value for kind in Kind}
    values |= {f"COUNTER_{counter.name}": counter.value for counter in Counter}
    values |= {f"EVENT_{kind.name}": kind.value for kind in EventKind}
    values |= {f"ROLE_{role.name}": role.value for role in Role}
    values |= {f"PHASE_{phase.name}": phase.value for phase in Phase}
    values |= {f"GIL_{lookup.name}": lookup.value for lookup in GilLookup}
    values |= {f"CAUSE_{cause.name}": cause.value for cause in Cause}
    values |= {f"SAMPLE_{one.name}": one.value for one in Sample}
    values |= {f"TASK_OF_{one.name}": one.value for one in TaskOf}
    values |= {f"CALL_{flag.name}": flag.value for flag in CallFlag}
    return [f"-D{name}={value}" for name, value in values.items()]
