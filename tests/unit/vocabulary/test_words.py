"""What the rows of the vocabulary must hold to."""

from __future__ import annotations

import re

import pytest

from iotrace.engine.constants import WAIT_BY_KIND, WAIT_CLASSES
from iotrace.vocabulary import operations
from iotrace.vocabulary.calls import CALLS, FAMILIES, MULTIPLEXERS, READS, SOCKET_CALLS, WRITES
from iotrace.vocabulary.kinds import Kind
from iotrace.vocabulary.waits import FIRST_WAIT_REASONS, WAIT_REASONS, WAITS, WaitReason
from tests.unit.project.places import PACKAGES, ROOT

_WAITS_SO_FAR = (
    "recv", "send", "accept", "connect", "poll", "lock", "gil", "sleep", "child", "signal", "file",
    "uring", "other", "fault",
)  # fmt: skip


def test_wait_reasons_are_appended_only() -> None:
    """Timelines of older versions hold their numbers. A new reason: add its name here, too."""
    assert WAIT_REASONS == _WAITS_SO_FAR, (
        "iotrace/vocabulary/waits.py: a new reason stands at its end, and then at the end of "
        "_WAITS_SO_FAR of tests/unit/vocabulary/test_words.py; all others keep their places"
    )
    assert _WAITS_SO_FAR[:14] == FIRST_WAIT_REASONS


@pytest.mark.parametrize("reason", WAITS, ids=WAIT_REASONS)
def test_every_reason_is_complete(reason: WaitReason) -> None:
    where = f"iotrace/vocabulary/waits.py: {reason.name}"
    for colour in (reason.light, reason.dark):
        assert re.fullmatch("#[0-9a-f]{6}", colour), where
    assert re.fullmatch("[a-z]+", reason.name), where
    assert reason.label and reason.asleep_in and reason.summary.format(poll="x"), where


def test_every_reason_has_colours_of_its_own() -> None:
    for colours in ([one.light for one in WAITS], [one.dark for one in WAITS]):
        twice = sorted({colour for colour in colours if colours.count(colour) > 1})
        assert not twice, f"iotrace/vocabulary/waits.py: {twice} are the colours of two reasons"


@pytest.mark.parametrize("reason", WAIT_REASONS)
def test_every_reason_is_charged_somewhere(reason: str) -> None:
    """By a system call, or by name in the probes."""
    probes = "".join(path.read_text() for path in PACKAGES["iotrace.probes"].glob("*.c"))
    charged = any(call.wait == reason for call in CALLS) or f"WAIT_{reason.upper()}" in probes
    assert charged, f"no call of vocabulary/calls.py and no probe waits for {reason}"


def test_the_probes_have_room_for_all_reasons() -> None:
    assert WAIT_CLASSES & (WAIT_CLASSES - 1) == 0
    assert len(WAIT_REASONS) <= WAIT_BY_KIND < WAIT_CLASSES


@pytest.mark.parametrize("call", CALLS, ids=[call.name for call in CALLS])
def test_a_call_waits_for_a_reason(call: object) -> None:
    wait = getattr(call, "wait", "")
    assert wait is None or wait in WAIT_REASONS, f"iotrace/vocabulary/calls.py: {call}"


def test_a_call_has_the_direction_of_its_descriptor() -> None:
    """sendfile(out_fd, in_fd), splice(fd_in, off_in, fd_out): a row names the first one."""
    assert "sendfile" in WRITES
    assert "splice" in READS
    assert not READS & WRITES


def test_calls_that_pass_the_tracepoints_of_sockets_take_no_offset() -> None:
    assert {"read", "recvmmsg", "writev", "sendto"} <= SOCKET_CALLS
    assert not {"pread64", "pwritev2", "sendfile", "splice"} & SOCKET_CALLS


def test_every_multiplexer_has_a_family() -> None:
    assert FAMILIES.keys() == MULTIPLEXERS
    loops = re.search(r"#define LOOP_KINDS (\d+)", (ROOT / "probes/records.h").read_text())
    assert loops
    assert len(MULTIPLEXERS) < int(loops[1]), "probes/records.h: LOOP_KINDS"


def test_kinds_have_words_of_their_own() -> None:
    assert len({kind.label for kind in Kind}) == len(Kind)
    assert [int(kind) for kind in Kind] == list(range(len(Kind)))


def test_opcodes_are_those_of_the_kernel() -> None:
    assert operations.opcode("nop") == 0
    assert operations.OPCODE_ACCEPT == 13
    assert operations.OPCODE_SEND == 26
    assert operations.OPCODE_RECV == 27
    assert operations.operation_name(999) == "opcode 999"
    assert "splice" in operations.RING_TRANSFERS - operations.RING_READS
