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
