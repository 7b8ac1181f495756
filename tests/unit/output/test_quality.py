"""The footer, and how a verdict reads."""

from dataclasses import replace

from iotrace.output import finding_blocks, formats, page, quality, verdict
from iotrace.report.model import Finding, Lost, Model, Quality, Symptom
from tests.unit.output.drawing import snapshot
from tests.unit.reports import S, process, report, thread


def footer(found: Quality) -> list[str]:
    whole = replace(report(), quality=found)
    shown = page.render(quality.blocks(whole), tablefmt="table", width=80)
    return shown.splitlines()


COMPLETE = Quality(lost=Lost(), unaccounted_ratio=0.0, in_flight=0, tracer_cpu_ns=0, probe_ns=None)


def test_nothing_lost_and_nothing_known() -> None:
    assert footer(COMPLETE) == [
        "Data quality",
        "lost           nothing",
        "unaccounted    0 % of the threads' time",
        "in flight      0 calls had not returned at the end",
        "tracer's CPU   0 (0 % of one CPU for 10.0 s)",
        "kernel memory  n/a",
    ]


def test_every_loss_is_named() -> None:
    lost = Lost(ring=2, threads=3, calls=5, descriptors=7, loops=11, probes=13)
    shown = " ".join(line.strip() for line in footer(replace(COMPLETE, lost=lost))[1:4])
    assert shown.startswith(
        "lost           2 ring buffer events, 3 thread updates, 5 system call updates, "
        "7 descriptor updates, 11 event loop updates, 13 skipped probe runs: "
        "THE FIGURES ARE INCOMPLETE"
    )


def test_what_is_lacking_stands_before_all_else() -> None:
    lossy = replace(report(), quality=replace(COMPLETE, lost=Lost(threads=65_573)))
    head, whole = "65,573 thread updates were lost", (replace(report(), quality=COMPLETE), lossy)
    for format in ("table", "html-report"):
        complete, incomplete = (formats.render(one, format) for one in whole)
        assert "were lost" not in complete
        before, found, after = incomplete.partition(head)
        assert found
        assert "CPUs" in before
        assert process().name not in before.partition("<main>")[2]
        assert "Data quality" in after


def test_everything_else_there_is_to_say() -> None:
    found = Quality(
        lost=Lost(calls=1),
        unaccounted_ratio=0.0004,
        in_flight=1,
        tracer_cpu_ns=130_000_000,
        probe_ns=2_500_000,
        kernel_memory_bytes=9 * 1024**2,
        unavailable={"pickup_ns": "no sock:sk_data_ready here " + "x" * 40, "loops": "why"},
        notes=("pid 7 is not Python",),
    )
    assert footer(found) == [
        "Data quality",
        "lost           1 system call updates: THE FIGURES ARE INCOMPLETE",
        "unaccounted    <0.1 % of the threads' time",
        "in flight      1 call had not returned at the end",
        "tracer's CPU   130 ms (1.3 % of one CPU for 10.0 s)",
        "in the probes  2.50 ms",
        "kernel memory  9.00 MiB",
        "not available  pickup_ns: no sock:sk_data_ready here",
        "               " + "x" * 40,
        "not available  loops: why",
        "note           pid 7 is not Python",
    ]


def test_evidence_is_printed_in_its_units() -> None:
    found = Finding(
        id="IO101",
        severity="medium",
        title="Busy polling",
        pid=700,
        tid=700,
        fd=5,
        evidence={
            "again": 100_003,
            "useful_bytes": 23,
            "cpu_ns": 7_000_000,
            "cpu_ratio": 0.5,
            "per_read": 4_348.13,
            "call": "recvfrom",
        },
        advice="Wait in epoll.",
        cost_ns=7_000_000,
    )
    shown = page.render(
        finding_blocks.blocks(report(process(name="shop"), findings=(found,)), 20),
        tablefmt="table",
        width=80,
    )
    assert shown == snapshot("""\
Findings (1)
════════════
`iotrace explain IO101` says what IO101 is.

MEDIUM IO101: Busy polling
where   process 700 shop, thread 700, descriptor 5
costs   7.00 ms, <0.1 % of the time traced
seen    again: 100 k, useful: 23 B, cpu: 7.00 ms, cpu: 50.0 %, per read: 4,348,
        call: recvfrom
advice  Wait in epoll.
""")


def test_threads_of_another_model_are_named() -> None:
    blocking = Model("blocking", "Blocking calls", 0.9)
    loop = Model("epoll", "Event loop", 0.955, ("watches 3",))
    threads = tuple(replace(thread(tid, "x", S, recv=0), model=blocking) for tid in (1, 2))
    main = replace(thread(3, "x", S, poll=0), model=loop)
    found = verdict.blocks(process(model=loop, threads=(main, *threads)), report())
    assert page.render(found, tablefmt="table", width=80) == snapshot("""\
Event loop (confidence 96 %)
- watches 3
- 2 threads: Blocking calls
""")


def test_effects_are_told_from_other_views_of_the_same_wait() -> None:
    """With what their titles do not say already; of ended children there is no number."""

    def symptom(rule: str, title: str, **figures: object) -> Symptom:
        return Symptom(rule, "high", title, 0, None, None, {"peer": "10.0.0.7:443"}, S, **figures)

    found = Finding(
        id="IO104",
        severity="high",
        title="Blocking call",
        pid=0,
        tid=0,
        fd=None,
        evidence={},
        advice="Await it.",
        cost_ns=None,
        symptoms=(
            symptom("IO119", "One peer dominates the wait: 10.0.0.7:443", same_wait=True),
            symptom("IO105", "Late pickup"),
        ),
    )
    ended = replace(process(name="shop"), pid=0, parent=42)
    shown = page.render(
        finding_blocks.blocks(report(ended, findings=(found,)), 20), tablefmt="table", width=80
    )
    assert shown == snapshot("""\
Findings (1)
════════════
leads to: what goes away with it. same wait: how else it was seen. `iotrace
explain IO104` says what IO104 is.

HIGH IO104: Blocking call
where      ended child processes of process 42 (shop)
same wait  One peer dominates the wait: 10.0.0.7:443 (IO119, 1.00 s)
leads to   Late pickup (IO105, 1.00 s, peer 10.0.0.7:443)
advice     Await it.
""")
    computes = report(ended, findings=(replace(found, cost_kind="cpu"),))
    shown = page.render(finding_blocks.blocks(computes, 20), tablefmt="table", width=80)
    assert "same work  One peer dominates the wait" in shown
