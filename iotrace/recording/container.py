# SPDX-License-Identifier: Apache-2.0
r"""The file format of a recording: a magic number, a version, checked and compressed parts, an end.

::

    file    = magic version part* end
    magic   = 89 'I' 'O' 'T' 0d 0a 1a 0a      (as PNG's: text transfers and bit 7 show at once)
    version = u16 u16                         the format's version; reserved, 0
    part    = kind[4] packed[u32] plain[u32] crc[u32] data[packed]
    end     = a part of kind 'END ' whose data is the SHA-256 of all that came before it

All numbers are big-endian. ``data`` is zlib's, ``plain`` its length in bytes once unpacked (but
for the end, which is not packed). ``crc`` is the CRC-32 of the part's first twelve bytes and its
data. A file with bytes after its end is damaged. A part is unpacked when it is asked for, not more
of it at once than is asked for.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from iotrace.errors import ExitCode, IotraceError

MAGIC = b"\x89IOT\r\n\x1a\n"
VERSION = 1

REPORT = b"REPT"
SAMPLE = b"SMPL"
EVENTS = b"EVNT"
NAMES = b"NAME"
_END = b"END "

_VERSION = struct.Struct(">HH")
_PART = struct.Struct(">4sIII")
_CHECKED = 12

# A part unpacked. Of its kind, the reader unpacks less (reader.py).
_MOST_PLAIN = 256 * 1024 * 1024

_FED = 64 * 1024  # packed bytes that are unpacked at a time

_PASTE = "sudo iotrace record -o FILE PID"


class BadRecording(IotraceError):
    """The file is not a recording, or not whole."""

    code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Part:
    """A part as it lies in the file; ``plain_bytes``: its length unpacked, as it says."""

    kind: bytes
    packed: bytes
    plain_bytes: int

    def plain(self) -> bytes:
        """All of it, unpacked. Raises BadRecording."""
        return b"".join(self.blocks(self.plain_bytes + 1))

    def blocks(self, block_bytes: int) -> Iterator[bytes]:
        """It unpacked, in blocks of this length; the last is shorter.

        Never takes more memory than two blocks, whatever the data says. Raises BadRecording.
        """
        inflate = zlib.decompressobj()
        block = bytearray()
        rest = b""
        fed = length = 0
        while not inflate.eof:
            if not rest:
                rest = self.packed[fed : fed + _FED]
                fed += len(rest)
            try:
                piece = inflate.decompress(rest, block_bytes - len(block))
            except zlib.error:
                raise _damaged("a part cannot be unpacked") from None
            length += len(piece)
            if length > self.plain_bytes or not (rest or piece):
                break
            rest = inflate.unconsumed_tail
            block += piece
            if len(block) == block_bytes:
                yield bytes(block)
                block.clear()
        if length != self.plain_bytes or not inflate.eof or self._goes_on(inflate, fed):
            raise _damaged("a part is not as long as it says")
        if block:
            yield bytes(block)

    def _goes_on(self, inflate: zlib._Decompress, fed: int) -> bool:
        return bool(inflate.unused_data) or fed < len(self.packed)


def header() -> bytes:
    """How a file begins."""
    return MAGIC + _VERSION.pack(VERSION, 0)


def part(kind: bytes, plain: bytes) -> bytes:
    """One part. Raises ValueError if it is too long to be read back."""
    if len(plain) > _MOST_PLAIN:
        raise ValueError(f"a part of {len(plain)} bytes")
    return _framed(kind, zlib.compress(plain, 6), len(plain))


def end(digest: bytes) -> bytes:
    """The last part; ``digest``: the SHA-256 of all that came before."""
    return _framed(_END, digest, len(digest))


def read_parts(stream: BinaryIO) -> Iterator[Part]:
    """Each part, checked one by one and at last as a whole.

    Raises BadRecording; what was read before that is not to be used.
    """
    digest = hashlib.sha256()
    _read_header(stream, digest)
    while True:
        head = _exactly(stream, _PART.size)
        kind, packed_length, plain_length, crc = _PART.unpack(head)
        if kind not in (REPORT, SAMPLE, EVENTS, NAMES, _END) or plain_length > _MOST_PLAIN:
            raise _damaged("a part's head makes no sense")
        data = _exactly(stream, packed_length)
        if zlib.crc32(data, zlib.crc32(head[:_CHECKED])) != crc:
            raise _damaged("a checksum does not match")
        if kind == _END:
            break
        yield Part(kind, data, plain_length)
        digest.update(head)
        digest.update(data)
    if data != digest.digest():
        raise _damaged("the checksum of the whole does not match")
    if stream.read(1):
        raise _damaged("there is more after its end")


def _read_header(stream: BinaryIO, digest: hashlib._Hash) -> None:
    start = stream.read(len(MAGIC))
    if not start:
        raise BadRecording("the file is empty", why="nothing was ever written to it", paste=_PASTE)
    if start != MAGIC:
        if len(start) < len(MAGIC) and MAGIC.startswith(start):
            raise _cut_short()
        raise BadRecording(
            "this is not a recording",
            why="it does not begin as a file of iotrace record does",
            paste=_PASTE,
        )
    numbers = _exactly(stream, _VERSION.size)
    version, reserved = _VERSION.unpack(numbers)
    if version > VERSION:
        raise BadRecording(
            f"this recording has the version {version} of the file format",
            why=f"this iotrace reads up to version {VERSION}; a newer one made it",
            paste="pip install --upgrade iotrace",
        )
    if version == 0 or reserved:
        raise _damaged("its version makes no sense")
    digest.update(MAGIC + numbers)


def _framed(kind: bytes, data: bytes, plain_length: int) -> bytes:
    checked = _PART.pack(kind, len(data), plain_length, 0)[:_CHECKED]
    crc = zlib.crc32(data, zlib.crc32(checked))
    return checked + crc.to_bytes(4, "big") + data


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise _cut_short()
    return data


def _cut_short() -> BadRecording:
    return BadRecording(
        "this recording is cut short", why="its end is missing: a copy that was not finished?",
        paste="ls -l FILE   # and copy it again",
    )  # fmt: skip


def _damaged(why: str) -> BadRecording:
    return BadRecording("this recording is damaged", why=why, paste="copy it again, if you can")
