# SPDX-License-Identifier: Apache-2.0
"""What the probes must know before the first of them runs, written to their maps."""

from __future__ import annotations

import platform
import struct

from iotrace.engine.attached import Map
from iotrace.engine.bpf_map import HashMap
from iotrace.engine.constants import CallFlag, Counter
from iotrace.engine.map_limits import Limits
from iotrace.engine.record_layout import Layout, parse_layout
from iotrace.engine.syscalls import ARCHITECTURES, call_specs


def fill_maps(maps: dict[str, Map], limits: Limits, namespace: int) -> None:
    """``namespace``: inode of the PID namespace whose ids are meant, 0: the host's."""
    specs = maps["call_specs"]
    layout = parse_layout(specs.layout)
    table = HashMap(specs.fd, specs.key_size, specs.value_size)
    for number, record in _call_records(layout).items():
        table.update(struct.pack("<I", number), record)
    HashMap(maps["counters"].fd, 4, 8).update(
        struct.pack("<I", Counter.THREADS), struct.pack("<Q", limits.reserved)
    )
    if "own_namespace" in maps:
        own = maps["own_namespace"]
        HashMap(own.fd, own.key_size, own.value_size).update(
            bytes(4), struct.pack("<QQQ", namespace, 0, 0)
        )


def _call_records(layout: Layout) -> dict[int, bytes]:
    """struct call_spec by system call number."""
    records = {}
    architecture = ARCHITECTURES[platform.machine()]
    for number, spec in call_specs(architecture).items():
        flags = spec.flags
        if (spec.fd, spec.loop, spec.size, spec.flags) == (-1, 0, -1, 0):
            flags |= CallFlag.NO_ARGUMENTS
        values = {
            "listed": 1,
            "wait_class": spec.wait_class,
            "loop": spec.loop,
            "flags": flags,
            "fd_arg": architecture.word(spec.fd),
            "size_arg": architecture.word(spec.size),
            "timeout_arg": architecture.word(spec.timeout),
            "nfds_arg": architecture.word(spec.nfds),
            "buffer_arg": architecture.word(spec.buffer),
            "msg_flags_arg": architecture.word(spec.msg_flags),
            "path_arg": architecture.word(spec.path),
        }
        records[number] = bytes(layout.pack(values))
    return records
