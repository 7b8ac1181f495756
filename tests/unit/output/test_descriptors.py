"""The descriptors' table."""

from dataclasses import replace

import pytest

from iotrace.output.tables import descriptors_table
from iotrace.report.model import Descriptor
from tests.unit.output.drawing import drawn, rows, snapshot
from tests.unit.reports import MS, event_loop, process

PLAIN = Descriptor(
    fd=5, kind="tcp", local="127.0.0.1:8000", peer="127.0.0.1:40001", nonblocking=True, calls=3,
    bytes_in=10, bytes_out=20, wait_ns=0, copy_ns=0, pickup_ns=None,
)  # fmt: skip


def test_the_connections_of_an_event_loop() -> None:
    assert drawn(descriptors_table.table(event_loop().processes[0], 5)) == snapshot("""\
Descriptors (415)
in, out: bytes read and written; wait, copy: in calls on it. pickup: from data
ready to the read that takes it, p50 and p99. xN (+): N of them (several), one
after the other, had this number. ~: estimated.
 fd what  local -> peer            calls    in  out   wait    copy pickup    p99
─── ───── ──────────────────────── ───── ───── ──── ────── ─────── ────── ──────
423 file+ …/2025/large-picture.jpg   633 39.0M    - 6.00ms ~2.43ms      -      -
422 unix  …ostgresql/.s.PGSQL.5432 2,309 3.00M 411K      -   904us 44.0us 2.00ms
  9 tcp   -> 192.168.117.0:40000     477  130K 986K      -   148us 31.0us 1.87ms
 10 tcp   -> 192.168.117.1:40007     478  130K 986K      -   148us 32.0us 1.87ms
 11 tcp   -> 192.168.117.2:40014     479  129K 986K      -   147us 33.0us 1.87ms
… and 410 more (no wait)
""")


def test_both_addresses_where_there_is_room() -> None:
    reused = replace(PLAIN, fd=6, opened=211, copy_ns=MS, copy_estimated=True)
    table = descriptors_table.table(process(descriptors=(PLAIN, reused)), 20)
    assert drawn(table, width=96) == snapshot("""\
Descriptors (2)
in, out: bytes read and written; wait, copy: in calls on it. xN (+): N of them (several), one
after the other, had this number. ~: estimated.
fd  what      local -> peer                      calls    in   out  wait      copy
──  ────────  ─────────────────────────────────  ─────  ────  ────  ────  ────────
 6  tcp x211  127.0.0.1:8000 -> 127.0.0.1:40001      3  10 B  20 B     -  ~1.00 ms
 5  tcp       127.0.0.1:8000 -> 127.0.0.1:40001      3  10 B  20 B     -         -
""")


@pytest.mark.parametrize(
    ("local", "peer", "forms"),
    [
        (
            "127.0.0.1:80",
            "10.0.0.1:4000",
            (
                "127.0.0.1:80 -> 10.0.0.1:4000",
                ":80 -> 10.0.0.1:4000",
                "-> 10.0.0.1:4000",
                "->10.0.0.1:4000",
            ),
        ),
        (
            "[::1]:80",
            "[::1]:4000",
            ("[::1]:80 -> [::1]:4000", ":80 -> [::1]:4000", "-> [::1]:4000", "->[::1]:4000"),
        ),
        ("", "unix:/run/x", ("-> unix:/run/x", "->unix:/run/x")),
        (
            "unix:/run/x",
            "unix:/run/y",
            ("unix:/run/x -> unix:/run/y", "-> unix:/run/y", "->unix:/run/y"),
        ),
        ("0.0.0.0:80", "", ("0.0.0.0:80",)),
        ("", "", ("-",)),
    ],
)
def test_a_peer_is_never_taken_for_a_local_address(
    local: str, peer: str, forms: tuple[str, ...]
) -> None:
    table = descriptors_table.table(
        process(descriptors=(replace(PLAIN, local=local, peer=peer),)), 20
    )
    assert table is not None
    assert next(column for column in table.columns if column.keep_end).cells == (forms,)


def test_order_is_wait_and_copy() -> None:
    waits = replace(PLAIN, fd=6, wait_ns=2 * MS)
    copies = replace(PLAIN, fd=7, wait_ns=MS, copy_ns=2 * MS)
    shown = rows(descriptors_table.table(process(descriptors=(PLAIN, waits, copies)), 2))
    assert [line.split()[0] for line in shown] == ["7", "6", "…"]
    assert shown[-1] == "… and 1 more (no wait)"


def test_without_pickup_there_is_no_column_for_it() -> None:
    table = descriptors_table.table(process(descriptors=(PLAIN,)), 20)
    assert "pickup" not in drawn(table)
