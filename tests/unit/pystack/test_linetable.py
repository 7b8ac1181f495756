"""Line tables against what the interpreters themselves say of their own code."""

from __future__ import annotations

import json
import subprocess

import pytest

from iotrace.pystack.linetable import NoTable, line_3_9, line_3_10, line_3_11
from tests.interpreters import interpreters, label

# A function with long gaps, backward steps, comprehensions, several lines a statement.
_PROGRAM = """
import json, sys, dis
source = '''
def work(a, b):
    total = 0
    for x in (
        a,
        b,
    ):
        try:
            total += [
                y * x
                for y in range(3)
            ][
                0
            ]
        except ValueError as error:
            raise error
        finally:
            print(
                total
            )
''' + chr(10) * 300 + '''
    with open('x') as f: return (f.read(),
        total)
class C:
    async def m(self):
        await self.m(
            1,
            2)
        async for x in y: z
    def g(self):
        yield from (
            self.g()
        )
'''
def codes(code):
    yield code
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            yield from codes(const)
def lines(code):
    if hasattr(code, "co_lines"):
        return [l for start, end, l in code.co_lines() for _ in range(start, end, 2)]
    found, starts = [], dict(dis.findlinestarts(code))
    for offset in range(0, len(code.co_code), 2):
        found.append(starts.get(offset, found[-1] if found else code.co_firstlineno))
    return found
kinds = [compile(source, "s", "exec"), json.dumps.__code__, json.JSONEncoder.iterencode.__code__]
import argparse, asyncio.base_events as events
kinds += [compile(open(m.__file__).read(), "m", "exec") for m in (argparse, events, json.encoder)]
out = []
for top in kinds:
    for code in codes(top):
        table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
        out.append([table.hex(), code.co_firstlineno, lines(code)])
json.dump([sys.version_info[1], out], sys.stdout)
"""


@pytest.mark.parametrize("python", interpreters(), ids=label)
def test_every_instruction_has_the_line_that_its_interpreter_says(python: str) -> None:
    told = subprocess.run([python, "-c", _PROGRAM], capture_output=True, check=True).stdout
    minor, codes = json.loads(told)
    find = {9: line_3_9, 10: line_3_10}.get(minor, line_3_11)
    checked = 0
    for table, first_line, lines in codes:
        for index, line in enumerate(lines):
            assert find(bytes.fromhex(table), first_line, 2 * index) == line
            checked += 1
    assert checked > 5000


def test_an_empty_table_says_nothing() -> None:
    assert line_3_9(b"", 7, 0) == 7  # it does not tell where it ends
    for find in (line_3_10, line_3_11):
        with pytest.raises(NoTable):
            find(b"", 7, 0)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(b"\x58\x01\x02", id="an entry that does not begin as one"),
        pytest.param(b"\xe8\xff", id="a number with the bit of a beginning"),
        pytest.param(b"\xe8" + b"\x7f" * 12, id="a number of more bits than a C int has"),
        pytest.param(b"\xe8\x7f", id="a number that does not end"),
        pytest.param(b"\xd8\x01\x02", id="one that ends before the instruction"),
    ],
)
def test_what_is_no_table_is_found_out(table: bytes) -> None:
    """As of a code object that was freed, whose memory is another one's."""
    with pytest.raises(NoTable):
        line_3_11(table, 7, 2)
