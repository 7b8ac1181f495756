"""How many events all copies of a probe have missed, from what the kernel counts of each."""

from __future__ import annotations

from iotrace.engine.skipped_runs import SkippedRuns

_COPIES = ("on_sys_exit", "on_sys_exit_spare1", "on_sys_exit_spare2")
_PROGRAMS = {name: fd for fd, name in enumerate((*_COPIES, "on_sched_switch"))}


class _Kernel:
    """Its counts; ``happens``: copies that skip a run just before the nth count is read."""

    def __init__(self, happens: dict[int, tuple[int, ...]] | None = None) -> None:
        self.counts = [0] * len(_PROGRAMS)
        self.reads = 0
        self._happens = happens or {}

    def read(self, fd: int) -> int:
        for copy in self._happens.get(self.reads, ()):
            self.counts[copy] += 1
        self.reads += 1
        return self.counts[fd]


def test_copies_that_skip_at_different_times_make_up_for_each_other() -> None:
    kernel = _Kernel()
    runs = SkippedRuns(kernel.read)
    for copy in (0, 1, 2, 1, 0, 2):
        kernel.counts[copy] += 1
        runs.glance(_PROGRAMS)
    assert runs.look(_PROGRAMS)["on_sys_exit"] == 0


def test_what_all_skip_between_two_looks_counts() -> None:
    kernel = _Kernel()
    runs = SkippedRuns(kernel.read)
    for skipped in ((3, 2, 4), (0, 1, 1), (1, 1, 1)):
        for copy, times in enumerate(skipped):
            kernel.counts[copy] += times
        runs.glance(_PROGRAMS)
    assert runs.look(_PROGRAMS)["on_sys_exit"] == 2 + 1


def test_an_event_while_the_counts_are_read_is_not_overlooked() -> None:
    reads = 2 * len(_COPIES)
    for moments in ((0, 1, 2), (1, 1, 4), (2, 3, 3), (5, 6, 7), (3, 9, 10)):
        happens: dict[int, tuple[int, ...]] = {}
        for copy, moment in enumerate(moments):
            happens[reads + moment] = (*happens.get(reads + moment, ()), copy)
        runs = SkippedRuns(_Kernel(happens).read)
        for _ in range(4):
            runs.glance(_PROGRAMS)
        assert runs.look(_PROGRAMS)["on_sys_exit"] in (1, 2), moments


def test_what_has_no_copies_is_as_the_kernel_counts_it() -> None:
    kernel = _Kernel()
    runs = SkippedRuns(kernel.read)
    kernel.counts[3] = 5
    runs.glance(_PROGRAMS)
    kernel.counts[3] = 7
    assert runs.look(_PROGRAMS)["on_sched_switch"] == 7
