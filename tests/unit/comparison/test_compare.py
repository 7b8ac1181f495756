"""Two recordings side by side."""

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
import tabulate

from iotrace.comparison.compared_figures import Key, figures_of, meaning
from iotrace.comparison.comparison import Comparison, Difference
from iotrace.comparison.differences import compare, regressions, require_samples
from iotrace.errors import UsageError
from iotrace.output import comparison_page as output
from iotrace.output.text import width
from iotrace.output.view_options import View
from iotrace.recording.recording import Recording, as_sample
from iotrace.report.model import Call, Percentiles, Report, Symptom
from tests.unit import reports
from tests.unit.light import lit_report
from tests.unit.reports import MS, US, S

NAMES = ("a.iot", "b.iot")


def slower(call: Call, factor: float) -> Call:
    latency = call.latency_ns
    assert latency is not None
    times = (latency.p50, latency.p90, latency.p99, latency.p999, latency.max)
    return replace(
        call,
        total_ns=int(call.total_ns * factor),
        wait_ns=int(call.wait_ns * factor),
        latency_ns=Percentiles(*(int(time * factor) for time in times)),
    )


def server(factor: float = 1.0, *, syscall: str = "recvfrom", pid: int = 700) -> Report:
    """One thread that reads from a peer, 1,000 times in ten seconds."""
    call = reports.call(pid, syscall, "tcp", 1_000, wait_ns=2 * S, kernel_ns=10 * MS)
    thread = replace(
        reports.thread(pid, "api", 10 * S, user=S, kernel=300 * MS, runq=200 * MS, recv=0),
        syscalls=1_000,
    )
    process = reports.process(pid=pid, name="api", threads=(thread,), calls=(slower(call, factor),))
    return reports.report(process)


def recorded(report: Report, samples: int = 10, jitter: float = 0.02, seed: int = 1) -> Recording:
    """The report with samples that are like it, but for a little noise."""
    dice = random.Random(seed)
    parts = []
    for number in range(1, samples + 1):
        processes = tuple(
            replace(
                process,
                calls=tuple(slower(call, dice.gauss(1.0, jitter)) for call in process.calls),
            )
            for process in report.processes
        )
        parts.append(as_sample(replace(report, processes=processes, interval=number)))
    return Recording(report, tuple(parts))


def lit(recording: Recording) -> Recording:
    """The same in light detail."""
    return Recording(lit_report(recording.report), tuple(map(lit_report, recording.samples)))


def row(comparison: Comparison, what: str, figure: str) -> Difference:
    (found,) = (one for one in comparison.differences if (one.what, one.figure) == (what, figure))
    return found


def test_the_figures_of_a_report() -> None:
    figures = figures_of(server())
    assert figures[Key("calls", "api", "recvfrom tcp", "per_s")] == 100.0
    assert figures[Key("calls", "api", "recvfrom tcp", "mean_ns")] == 2_010_000.0
    assert figures[Key("states", "api", "user", "s_per_s")] == 0.1
    assert figures[Key("states", "api", "wait.recv", "s_per_s")] == 0.85
    assert figures[Key("processes", "api", "on a CPU", "s_per_s")] == 0.13
    assert figures[Key("processes", "api", "CPU per call", "cpu_ns_per_call")] == 1_300_000.0
    assert figures[Key("processes", "api", "waited for a CPU", "runq_share")] == 0.2 / 1.5


def test_processes_of_one_name_are_added_up() -> None:
    two = reports.report(*server().processes, *server(3.0, pid=701).processes)
    figures = figures_of(two)
    assert figures[Key("calls", "api", "recvfrom tcp", "per_s")] == 200.0
    assert figures[Key("calls", "api", "recvfrom tcp", "mean_ns")] == 4_020_000.0
    p99 = [report.processes[0].calls[0].latency_ns.p99 for report in (server(), server(3.0))]  # type: ignore[union-attr]
    assert figures[Key("calls", "api", "recvfrom tcp", "p99_ns")] == sum(p99) / 2


def test_an_event_loop_s_figures() -> None:
    figures = figures_of(reports.event_loop())
    assert figures[Key("loops", "uvicorn", "epoll_wait", "per_s")] == 4861.1
    assert figures[Key("loops", "uvicorn", "epoll_wait", "p99_busy_ns")] == 1_930 * US


def test_a_report_of_no_time_has_no_figures() -> None:
    assert figures_of(replace(server(), duration_ns=0)) == {}


def test_what_more_means() -> None:
    def less_is_better(what: str, figure: str, section: str = "calls") -> bool:
        return meaning(Key(section, "api", what, figure)).less_is_better

    assert less_is_better("recvfrom tcp", "mean_ns")
    assert less_is_better("recvfrom tcp", "p99_ns")
    assert not less_is_better("recvfrom tcp", "per_s")
    for idle in ("epoll_wait", "accept4 tcp", "futex", "clock_nanosleep"):
        assert not less_is_better(idle, "mean_ns")
    assert less_is_better("epoll_wait", "p99_busy_ns", "loops")
    assert not less_is_better("user", "s_per_s", "states")


def test_the_same_twice() -> None:
    both = compare(recorded(server(), seed=1), recorded(server(), seed=2), NAMES)
    assert {one.verdict for one in both.differences} == {"same"}
    assert {one.change for one in both.differences} == {0.0}
    assert regressions(both, 0) == ()


def test_twice_as_slow_is_worse_and_back_is_better() -> None:
    both = compare(recorded(server()), recorded(server(2.0)), NAMES)
    mean = row(both, "recvfrom tcp", "mean_ns")
    assert (mean.verdict, mean.a, mean.b) == ("worse", 2_010_000.0, 4_020_000.0)
    assert mean.change == 1.0
    assert mean.noise is not None and 0 < mean.noise < 400_000
    assert row(both, "recvfrom tcp", "per_s").verdict == "same"
    assert {one.figure for one in regressions(both, 99)} == {"mean_ns", "p99_ns"}
    assert regressions(both, 100) == ()
    back = compare(recorded(server(2.0)), recorded(server()), NAMES)
    assert row(back, "recvfrom tcp", "mean_ns").verdict == "better"
    assert regressions(back, 0) == ()


def test_waiting_longer_for_work_is_a_change_only() -> None:
    idle = server(syscall="accept4"), server(2.0, syscall="accept4")
    both = compare(recorded(idle[0]), recorded(idle[1]), NAMES)
    assert row(both, "accept4 tcp", "mean_ns").verdict == "changed"
    assert regressions(both, 0) == ()


def test_noise_hides_a_small_difference() -> None:
    a, b = recorded(server(), jitter=0.3), recorded(server(1.2), jitter=0.3, seed=9)
    assert row(compare(a, b, NAMES), "recvfrom tcp", "mean_ns").verdict == "same"


def test_a_few_intervals_that_make_all_the_difference_do_not_count() -> None:
    a, b = recorded(server(1.1)), recorded(server(1.5))
    # The whole got faster, the typical interval slower.
    b = replace(b, report=server(0.9))
    assert row(compare(a, b, NAMES), "recvfrom tcp", "mean_ns").verdict == "same"


def test_without_samples_nothing_is_told_from_noise() -> None:
    both = compare(Recording(server()), Recording(server(9.0)), NAMES)
    assert {one.verdict for one in both.differences} == {"unknown"}
    with pytest.raises(UsageError, match=r"a\.iot has 0 interval samples"):
        require_samples(both)
    require_samples(compare(recorded(server(), 5), recorded(server(), 5), NAMES))


def test_calls_that_one_side_has_not() -> None:
    both = compare(recorded(server()), recorded(server(syscall="read")), NAMES)
    assert row(both, "recvfrom tcp", "per_s").verdict == "gone"
    assert row(both, "read tcp", "mean_ns").verdict == "new"
    assert row(both, "read tcp", "mean_ns").change is None
    assert regressions(both, 0) == ()


def test_findings_gone_and_new() -> None:
    found = reports.event_loop()
    none = replace(found, findings=())
    both = compare(Recording(found), Recording(none), NAMES)
    (gone,) = both.findings_gone
    assert (gone.id, gone.process, both.findings_new) == ("IO103", "uvicorn", ())
    other_pid = replace(
        found,
        processes=(replace(found.processes[0], pid=9),),
        findings=(replace(found.findings[0], pid=9),),
    )
    both = compare(Recording(found), Recording(other_pid), NAMES)
    assert (both.findings_gone, both.findings_new) == ((), ())


@pytest.mark.parametrize("name", output.FORMATS)
def test_each_format_prints_it(name: str) -> None:
    both = compare(recorded(server()), recorded(server(2.0)), NAMES)
    text = output.render(both, name, View())
    assert text.endswith("\n")
    assert "recvfrom" in text and "worse" in text


def test_json_is_the_comparison() -> None:
    both = compare(recorded(server()), recorded(server(2.0)), NAMES)
    data = json.loads(output.render(both, "json", View()))
    assert data["schema"] == "iotrace.comparison/1"
    assert data["a"] == {
        "name": "a.iot", "iotrace": "0.1.0", "started_at": "2025-11-23T08:07:11Z",
        "duration_ns": 10 * S, "samples": 10, "detail": "full", "judged_by": "",
        "no_requests": "",
    }  # fmt: skip
    (mean,) = (row for row in data["calls"] if row["figure"] == "mean_ns")
    assert (mean["a"], mean["b"], mean["change"]) == (2_010_000.0, 4_020_000.0, 1.0)


def test_what_a_lesser_detail_does_not_know_is_no_regression() -> None:
    full, light = recorded(server()), lit(recorded(server()))
    for a, b in ((full, light), (light, full)):
        both = compare(a, b, NAMES)
        assert {one.verdict for one in both.differences} <= {"same", "changed", "better", "worse"}
        assert not any(one.figure in ("per_s", "mean_ns", "p99_ns") for one in both.calls)
        assert not any(one.what in ("user", "kernel", "copy") for one in both.states)
        assert not regressions(both, 0.0)
        assert "only what both know of" in output.render(both, "table", View())


def test_a_finding_that_was_not_looked_for_is_not_gone() -> None:
    full = replace(server(), findings=tuple(reports.event_loop().findings))
    both = compare(recorded(full), lit(recorded(server())), NAMES)
    assert both.findings_gone == ()


def test_the_table() -> None:
    both = compare(recorded(server()), recorded(server(2.0)), NAMES)
    lines = output.render(both, "table", View()).splitlines()
    words = [line.split() for line in lines]
    assert ["recvfrom", "tcp", "mean", "2.01", "ms", "4.02", "ms", "+100.0", "%"] in [
        line[:9] for line in words
    ]
    assert max(map(width, lines)) <= 80
    assert lines[0].startswith("a  a.iot: 10.0 s from 2025-11-23T08:07:11Z, 10 samples")


def test_the_conclusion_comes_before_the_tables() -> None:
    changed = compare(recorded(server()), recorded(server(2.0)), NAMES)
    counts = Counter(row.verdict for row in changed.differences)
    assert counts["worse"] > 0
    assert f"\nBeyond the noise: {counts['worse']} worse" in output.render(changed, "table", View())
    same = compare(recorded(server()), recorded(server()), NAMES)
    text = output.render(same, "table", View())
    number = len(same.differences)
    assert f"\nBeyond the noise: nothing. Of {number} figures: {number} within" in text


def test_top_cuts_each_table() -> None:
    both = compare(Recording(reports.event_loop()), Recording(reports.event_loop()), NAMES)
    assert "… and " not in output.render(both, "table", View(top=0))
    assert "… and " in output.render(both, "table", View(top=2))


def test_a_finding_that_became_a_symptom_is_not_gone() -> None:
    found = reports.event_loop()
    (one,) = found.findings
    symptom = Symptom(
        one.id, one.severity, one.title, one.pid, one.tid, one.fd, one.evidence, one.cost_ns
    )
    cause = replace(one, id="IO104", symptoms=(symptom,))
    both = compare(Recording(found), Recording(replace(found, findings=(cause,))), NAMES)
    assert [change.id for change in both.findings_new] == ["IO104"]
    assert both.findings_gone == ()


def test_findings_in_the_table() -> None:
    found = reports.event_loop()
    both = compare(Recording(replace(found, findings=())), Recording(found), NAMES)
    text = output.render(both, "table", View())
    assert "New findings (1)\nIO103  high, uvicorn: A blocking part of a turn stops" in text


def test_a_regression_in_words() -> None:
    both = compare(recorded(server()), recorded(server(2.0)), NAMES)
    (mean, _) = regressions(both, 0)
    assert output.in_words(mean) == (
        "worse: api, recvfrom tcp, mean: 2.01 ms -> 4.02 ms (+100.0 %)"
    )


def test_hostile_names_stay_texts() -> None:
    both = compare(Recording(reports.hostile()), Recording(server()), ("\x1b[31m", "\u202e"))
    for name in ("table", "json", *tabulate.tabulate_formats):
        if name != "tsv":
            text = output.render(both, name, View(top=0))
            assert {one for one in text if not one.isprintable()} <= {"\n", "\u200b"}


def test_nothing_on_either_side() -> None:
    both = compare(Recording(reports.report()), Recording(reports.report()), NAMES)
    assert "Nothing was measured" in output.render(both, "table", View())


def test_other_formats_are_refused() -> None:
    with pytest.raises(UsageError, match="no format 'csv' of a comparison"):
        output.check("csv")
