"""Frames survive every way of being cut into reads, and nonsense is noticed."""

from __future__ import annotations

import pytest
from iotrace.servers.protocol import (
    HEADER,
    HEADER_BYTES,
    MAGIC,
    MAX_PAYLOAD_BYTES,
    MAX_THINK_NS,
    RECEIVE_BYTES,
    Decoder,
    ProtocolError,
    Status,
    Work,
    encode,
    receive_buffer,
)

FIRST = encode(b"first", sequence=1, think_ns=7_000, work=Work.SPIN)
SECOND = encode(b"", sequence=2)
THIRD = encode(bytes(range(31)), status=Status.REFUSED)
STREAM = FIRST + SECOND + THIRD


def test_a_message_tells_what_its_header_asks_for() -> None:
    (message,) = Decoder().feed(FIRST)
    assert message.frame == FIRST
    assert message.payload == b"first"
    assert (message.status, message.work, message.think_ns) == (Status.OK, Work.SPIN, 7_000)


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_messages_come_whole_wherever_the_stream_is_cut(cut: int) -> None:
    decoder = Decoder()
    messages = decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:])
    assert [message.frame for message in messages] == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 11, 13, 17, 19, 23])
def test_messages_come_whole_from_small_pieces(piece: int) -> None:
    decoder = Decoder()
    messages = []
    for start in range(0, len(STREAM), piece):
        messages += decoder.feed(STREAM[start : start + piece])
    assert [message.frame for message in messages] == [FIRST, SECOND, THIRD]


def test_a_frame_outlives_the_buffer_it_came_in() -> None:
    buffer = receive_buffer()
    buffer[: len(FIRST)] = FIRST
    (message,) = Decoder().feed(buffer[: len(FIRST)])
    buffer[: len(FIRST)] = bytes(len(FIRST))
    assert message.frame == FIRST


def test_missing_bytes_lead_to_the_header_and_then_to_the_end() -> None:
    decoder = Decoder()
    assert decoder.missing_bytes == HEADER_BYTES
    decoder.feed(FIRST[:3])
    assert decoder.missing_bytes == HEADER_BYTES - 3
    decoder.feed(FIRST[3:HEADER_BYTES])
    assert decoder.missing_bytes == len(b"first")
    decoder.feed(FIRST[HEADER_BYTES:])
    assert decoder.missing_bytes == HEADER_BYTES


def test_the_buffer_takes_a_mebibyte_and_its_header() -> None:
    assert len(receive_buffer()) == RECEIVE_BYTES == len(encode(bytes(1 << 20)))


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(b"GE", 0, 0, 0, 0, 0),
        HEADER.pack(MAGIC, 0, 2, 0, 0, 0),
        HEADER.pack(MAGIC, 0, 0, 0, MAX_PAYLOAD_BYTES + 1, 0),
        HEADER.pack(MAGIC, 0, 0, 0, 0, MAX_THINK_NS + 1),
    ],
    ids=["magic", "work", "payload", "think"],
)
def test_nonsense_is_refused(header: bytes) -> None:
    with pytest.raises(ProtocolError):
        Decoder().feed(header)


def test_the_greatest_frame_is_not_nonsense() -> None:
    header = HEADER.pack(MAGIC, 0, 1, 0, MAX_PAYLOAD_BYTES, MAX_THINK_NS)
    decoder = Decoder()
    assert decoder.feed(header) == []
    assert decoder.missing_bytes == MAX_PAYLOAD_BYTES
