# SPDX-License-Identifier: Apache-2.0
"""The probes as they run: their tables and maps, by descriptors that we hold.

Closing the descriptors detaches everything: nothing stays in the kernel when we are gone,
however we go.
"""

from __future__ import annotations

import contextlib
import os
import platform
import struct
from collections.abc import Callable, Iterable
from types import TracebackType

from iotrace.engine.attached import Attached
from iotrace.engine.bpf_map import HashMap
from iotrace.engine.bpf_syscall import descriptor_figure
from iotrace.engine.constants import Counter
from iotrace.engine.image_source import ImageSource
from iotrace.engine.loader import load
from iotrace.engine.map_limits import Limits
from iotrace.engine.record_layout import Layout, parse_layout
from iotrace.engine.record_tables import Counters, RecordTable
from iotrace.engine.ring_buffer import RingBuffer
from iotrace.engine.skipped_runs import SkippedRuns
from iotrace.engine.syscalls import ARCHITECTURES, CallSpec, call_names, call_specs
from iotrace.engine.tracepoints import DATING, SPARES

_U32 = struct.Struct("<I")
_NOT_LISTENING = _U32.pack(0)
_NOBODY = _U32.pack(0xFFFFFFFF)
_OTHERS = _U32.pack(0xFFFFFFFE)
"""Values of listening_ports, see probes/maps.c."""
"""NOBODY in probes/maps.c: whoever accepts there has not done it yet."""


class Probes:
    """Attached probes. Use as a context manager, or call ``close``.

    ``unavailable``: column -> why this kernel cannot give it.
    """

    def __init__(self, attached: Attached, limits: Limits) -> None:
        """``attached`` is ours from here on. Raises Unsupported; then it is closed."""
        self.limits = limits
        self.unavailable = dict(attached.unavailable)
        self._attached = attached
        self._tables: dict[str, RecordTable] = {}
        self._skipped = SkippedRuns(
            lambda fd: descriptor_figure(fd, "recursion_misses"),
            {
                "on_sock_recv_length": lambda: self.counters[Counter.MADE_UP_RECEIVED],
                "on_sock_send_length": lambda: self.counters[Counter.MADE_UP_SENT],
            },
        )
        with contextlib.ExitStack() as ends:
            ends.callback(attached.close)
            ends.callback(self._unmap)
            counters = attached.maps["counters"]
            self.counters = Counters(counters.fd, counters.entries)
            ends.callback(self.counters.close)
            self.threads = self.table("threads")
            self.calls = self.table("calls")
            self.descriptors = self.table("descriptors")
            self.loops = self.table("loops")
            self._ends = ends.pop_all()
        architecture = ARCHITECTURES[platform.machine()]
        self.call_names: dict[int, str] = call_names(architecture)
        self.call_specs: dict[int, CallSpec] = call_specs(architecture)

    @classmethod
    def attach(cls, source: ImageSource) -> Probes:
        """Attach what is kept or compiled. Raises what the source and loader.load raise."""
        attached = load(
            source.early_images(), source.limits, source.late_functions, source.namespace or 0
        )
        probes = cls(attached, source.limits)
        probes.unavailable |= source.unavailable
        probes._skipped.begin(attached.programs)
        return probes

    def load_later(self) -> None:
        """Begin to load, beside what else is to be done, the programs that charging can wait for.

        To be called once the first process is charged: the verifier takes a CPU for a while.
        """
        self._attached.load_later()

    def settle(self, meanwhile: Callable[[], None] | None = None) -> None:
        """Wait until those are loaded too, and do that ten times a second."""
        self._attached.settle(meanwhile)
        self.unavailable |= self._attached.unavailable

    def table(self, name: str) -> RecordTable:
        """A table of records by its name in the C sources; unmapped by ``close``."""
        if name not in self._tables:
            one = self._attached.maps[name]
            self._tables[name] = RecordTable(one.fd, parse_layout(one.layout), one.entries)
        return self._tables[name]

    def map(self, name: str) -> HashMap:
        """A hash or queue map by its name in the C sources."""
        one = self._attached.maps[name]
        return HashMap(one.fd, one.key_size, one.value_size)

    def layout(self, name: str) -> Layout:
        """The layout of a map's values."""
        return parse_layout(self._attached.maps[name].layout)

    def ring(self, name: str) -> RingBuffer:
        """A ring buffer by its name in the C sources."""
        one = self._attached.maps[name]
        return RingBuffer(one.fd, one.entries)

    def has_map(self, name: str) -> bool:
        """Whether the part of the program that keeps this map was loaded."""
        return name in self._attached.maps

    def has_probe(self, tracepoint: str) -> bool:
        """Whether that tracepoint has a probe on it."""
        return tracepoint in self._attached.links

    def attached(self) -> int:
        """How many probes are attached."""
        self.settle()
        return len(self._attached.links)

    def used(self, counter: Counter) -> int:
        """How many records of a table were ever handed out."""
        return self.counters[counter]

    def follow(self, pid: int, children: bool) -> bool:
        """From now on new threads (and child processes) of this process are traced."""
        return self.map("targets").update(_U32.pack(pid), _U32.pack(int(children)))

    def follows(self, pid: int) -> bool:
        """Whether this process is a target already."""
        return self.map("targets").get(_U32.pack(pid)) is not None

    def listen_on(self, ports: Iterable[int]) -> None:
        """Connections to these TCP ports are dated from the arrival of data before the accept."""
        listening = self.map("listening_ports")
        for port in ports:
            if listening.get(_U32.pack(port)) in (_NOT_LISTENING, _OTHERS):
                listening.update(_U32.pack(port), _NOBODY)

    def leave_ports(self, ports: Iterable[int]) -> None:
        """Only others listen there; ports that a traced thread has accepted on are kept."""
        listening = self.map("listening_ports")
        for port in ports:
            if listening.get(_U32.pack(port)) == _NOBODY:
                listening.update(_U32.pack(port), _OTHERS)

    def forget(self, pid: int) -> None:
        """The process has ended: its number may come again."""
        self.map("targets").delete(_U32.pack(pid))

    def skipped_runs(self) -> tuple[dict[str, int], int]:
        """Runs that the kernel skipped because the same probe was running on that CPU already.

        (of each probe that charges time or counts, by its function; of those that only date an
        event, together). Whether a traced
        thread was concerned cannot be known. Runs that a spare copy has made up for are not
        counted: see skipped_runs.py. Of sys_enter and sys_exit only calls without a result are,
        where probes can be preempted: see probes/repair.c.
        """
        self.settle()
        skipped = dict(self._skipped.look(self._attached.programs))
        if not SPARES.isdisjoint(self._attached.programs):
            skipped["on_sys_enter"] = 0
            skipped["on_sys_exit"] = self.counters[Counter.UNKNOWN_RESULTS]
        dating = sum(skipped.pop(name, 0) for name in DATING)
        return {name: count for name, count in skipped.items() if count}, dating

    def watch_skipped_runs(self) -> None:
        """To be called several times a second: see skipped_runs.py."""
        if not self._attached.loading:
            self._skipped.glance(self._attached.programs)

    def memory_bytes(self) -> int:
        """Kernel memory of all maps."""
        return sum(descriptor_figure(one.fd, "memlock") for one in self._attached.maps.values())

    def detach(self) -> None:
        """Take the probes off; totals can still be read."""
        self.settle()
        for fd in self._attached.links.values():
            os.close(fd)
        self._attached.links.clear()

    def close(self) -> None:
        """Detach and give everything back."""
        self.detach()
        self._ends.close()

    def _unmap(self) -> None:
        for table in self._tables.values():
            table.close()

    def __enter__(self) -> Probes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
