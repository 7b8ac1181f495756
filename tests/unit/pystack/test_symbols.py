"""Names of code objects whose place in memory is used again."""

from __future__ import annotations

from iotrace.pystack.described import read_described
from iotrace.pystack.offsets import CODE_BYTES, described_offsets
from iotrace.pystack.symbols import Symbols
from iotrace.pystack.walk import RawFrame
from tests.unit.pystack.made_up import FUNCTION, MadeUp


def test_a_code_object_that_was_freed_keeps_its_name() -> None:
    process = MadeUp((3, 15))
    offsets = described_offsets(read_described(process, process.runtime))
    symbols = Symbols(offsets, process, process.code_type)
    frame = RawFrame(process.code, process.code + offsets.code_instructions)
    pieces = {process.code: process.read(process.code, CODE_BYTES)}
    for pointer in (offsets.code_file, offsets.code_name, offsets.code_linetable):
        at = int.from_bytes(process.read(process.code + pointer, 8), "little")
        pieces[at] = process.read(at, CODE_BYTES)
    name_at = int.from_bytes(process.read(process.code + offsets.code_name, 8), "little")
    # Freed: its name is another str by now.
    process.write_text(name_at, "Another.text")
    symbols.learn(process.code, pieces)
    assert [one.function for one in symbols.name([frame])] == [FUNCTION]
    # Something that is no code object lies there, and looks like one.
    process.write(process.code + offsets.code_first_line, 7)
    process.write(process.code + offsets.object_type, process.text_type)
    assert [one.function for one in symbols.name([frame])] == [FUNCTION]
    # Another code object does.
    process.write(process.code + offsets.object_type, process.code_type)
    assert [one.function for one in symbols.name([frame])] == ["Another.text"]


def test_a_line_table_that_was_overwritten_tells_no_line() -> None:
    process = MadeUp((3, 15))
    offsets = described_offsets(read_described(process, process.runtime))
    table = int.from_bytes(process.read(process.code + offsets.code_linetable, 8), "little")
    frame = RawFrame(process.code, process.code + offsets.code_instructions)
    (sound,) = Symbols(offsets, process, process.code_type).name([frame])
    assert sound.line is not None
    process.write(table + offsets.bytes_data, 0x7F7F7F7F7F7F7F7F)
    (torn,) = Symbols(offsets, process, process.code_type).name([frame])
    assert (torn.function, torn.line) == (FUNCTION, None)


def test_a_line_that_is_no_c_int_is_none() -> None:
    process = MadeUp((3, 15))
    offsets = described_offsets(read_described(process, process.runtime))
    table = int.from_bytes(process.read(process.code + offsets.code_linetable, 8), "little")
    frame = RawFrame(process.code, process.code + offsets.code_instructions)
    # Of no columns, as far as six pieces reach: 2 ** 35 lines on.
    process.write(
        table + offsets.bytes_data, int.from_bytes(b"\xe8\x7e\x7f\x7f\x7f\x7f\x3f\x00", "little")
    )
    (frame_read,) = Symbols(offsets, process, process.code_type).name([frame])
    assert (frame_read.function, frame_read.line) == (FUNCTION, None)
