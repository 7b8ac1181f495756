"""How many events all copies of a probe have missed, from what the kernel counts of each."""

from __future__ import annotations

from iotrace.engine.skipped_runs import SkippedRuns

_COPIES = ("on_sys_exit", "on_sys_exit_spare1", "on_sys_exit_spare2")
_PROGRAMS = {name: fd for fd, name in enumerate((*_COPIES, "on_sched_switch"))}
_READS = ("on_sock_recv_length", "on_sock_recv_length_spare1", "on_sock_recv_length_spare2")
_SOCKETS = {name: fd for fd, name in enumerate(_READS)}


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


class _Sockets(_Kernel):
    """Its counts, and what spare copies of the probe of reads say that they made up for."""

    made_up = 0

    def runs(self) -> SkippedRuns:
        return SkippedRuns(self.read, {_READS[0]: lambda: self.made_up})

    def skip(self, first: int, second: int, third: int) -> None:
        """Events that one copy each has skipped; another one made up for the first copy's."""
        self.made_up += first
        for copy, times in enumerate((first, second, third)):
            self.counts[copy] += times


def test_what_was_skipped_before_anything_is_traced_does_not_count() -> None:
    kernel = _Sockets()
    kernel.counts = [3, 2, 4]  # while the copies were attached, one after the other
    runs = kernel.runs()
    runs.begin(_SOCKETS)
    kernel.skip(1, 1, 1)
    assert runs.look(_SOCKETS)[_READS[0]] == 0
    kernel.counts = [count + 1 for count in kernel.counts]
    assert runs.look(_SOCKETS)[_READS[0]] == 1


def test_copies_that_say_what_they_made_up_for_leave_what_all_have_missed() -> None:
    kernel = _Sockets()
    runs = kernel.runs()
    runs.begin(_SOCKETS)
    kernel.skip(5, 4, 6)
    kernel.counts = [count + 2 for count in kernel.counts]
    runs.glance(_SOCKETS)
    assert [runs.look(_SOCKETS)[_READS[0]] for _ in range(2)] == [2, 2]
    kernel.skip(7, 3, 3)
    assert runs.look(_SOCKETS)[_READS[0]] == 2


def test_a_copy_that_is_about_to_count_is_waited_for() -> None:
    kernel = _Sockets()
    made_up = iter((0, 0, 0, 1))
    runs = SkippedRuns(kernel.read, {_READS[0]: lambda: next(made_up)})
    runs.begin(_SOCKETS)
    kernel.skip(1, 1, 1)
    assert runs.look(_SOCKETS)[_READS[0]] == 0
    assert not list(made_up)
