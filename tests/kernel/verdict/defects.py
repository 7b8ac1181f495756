"""Each rule's small server: which program, which load, and what the figures must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.kernel.verdict import load

MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Defect:
    """A rule, the program whose wrong form breaks it, and the load that shows it.

    ``evidence``: figure -> (least, most). ``upstream_s``: a service behind it answers after that
    long.
    """

    rule: str
    program: str
    arguments: tuple[str, ...] = ()
    drive: Callable[[int, int, float, float], int] = load.echo
    connections: int = 2
    gap_s: float = 0.02
    seconds: float = 1.5
    upstream_s: float | None = None
    evidence: Mapping[str, tuple[float, float]] = field(default_factory=dict)


DEFECTS = (
    Defect("IO101", "polling.py", ("0",), evidence={"eagain_calls": (10_000, 1e9)}),
    Defect(
        "IO102",
        "polling.py",
        ("0.02",),
        evidence={"mean_sleep_ns": (19.5 * MS, 21.5 * MS), "pickup_p99_ns": (10 * MS, 45 * MS)},
    ),
    Defect(
        "IO103",
        "loop.py",
        ("0", "stall"),
        evidence={"longest_ns": (120 * MS, 400 * MS), "on_cpu_ns": (120 * MS, 1200 * MS)},
    ),
    Defect(
        "IO104",
        "loop.py",
        ("", "block"),
        upstream_s=0.2,
        evidence={"longest_ns": (200 * MS, 300 * MS)},
    ),
    Defect(
        "IO105",
        "threaded.py",
        ("0", "late"),
        drive=load.reconnect,
        connections=6,
        evidence={"p99_ns": (50 * MS, 600 * MS)},
    ),
    Defect("IO106", "selecting.py", ("0", "spin"), evidence={"unserved_per_second": (500, 1e7)}),
    Defect(
        "IO107",
        "edge.py",
        drive=load.send_only,
        gap_s=0.05,
        evidence={"connections": (2, 2), "p50_ns": (20 * MS, 2000 * MS)},
    ),
    Defect(
        "IO108",
        "selecting.py",
        ("0", "many"),
        gap_s=0.0,
        evidence={"watched": (401, 403), "kernel_per_call_ns": (2_000, 500_000)},
    ),
    Defect(
        "IO109",
        "selecting.py",
        ("0", "limit"),
        connections=1,
        evidence={"highest_descriptor": (1010, 1010)},
    ),
    Defect(
        "IO110",
        "threaded.py",
        ("0", "tiny"),
        drive=load.stream,
        connections=1,
        evidence={"mean_read_bytes": (1, 1), "filled_ratio": (0.99, 1)},
    ),
    Defect(
        "IO167",
        "threaded.py",
        ("0", "pieces"),
        gap_s=0.001,
        evidence={"mean_send_bytes": (9, 10), "sends_per_answer": (100, 401)},
    ),
    Defect(
        "IO111",
        "threaded.py",
        ("0", "slow peer"),
        drive=load.slow_reader,
        evidence={"threads": (2, 2), "blocked_ns": (500 * MS, 4000 * MS)},
    ),
    Defect(
        "IO112",
        "threaded.py",
        ("0", "starved"),
        connections=1,
        gap_s=0.0,
        evidence={"runq_share_ratio": (0.3, 1)},
    ),
    Defect(
        "IO113",
        "threaded.py",
        ("0", "gil"),
        connections=4,
        gap_s=0.0,
        evidence={"mean_wait_ns": (MS // 5, 40 * MS), "timeouts": (20, 1e6)},
    ),
    Defect(
        "IO114", "crowd.py", connections=250, gap_s=0.05, evidence={"threads_alive": (150, 250)}
    ),
    Defect(
        "IO115",
        "forking.py",
        drive=load.reconnect,
        gap_s=0.002,
        evidence={"kernel_per_process_ns": (1 * MS, 200 * MS)},
    ),
    Defect(
        "IO116",
        "herd.py",
        drive=load.reconnect,
        connections=3,
        gap_s=0.005,
        evidence={"workers": (12, 12), "wasted_per_connection": (1, 12)},
    ),
    Defect(
        "IO117",
        "threaded.py",
        ("0", "sleep"),
        evidence={"mean_sleep_ns": (9.5 * MS, 12.5 * MS)},
    ),
    Defect(
        "IO118",
        "threaded.py",
        ("53", "dns"),
        evidence={"dns_wait_ns": (300 * MS, 4000 * MS)},
    ),
    Defect(
        "IO119",
        "threaded.py",
        ("", "upstream"),
        upstream_s=0.03,
        evidence={"share_of_serving_ratio": (0.3, 1)},
    ),
    Defect(
        "IO179",
        "threaded.py",
        ("", "anew"),
        upstream_s=0.03,
        evidence={"connections_made": (10, 200), "of_waiting_for_it_ratio": (0.5, 1)},
    ),
    Defect("IO120", "loop.py", ("0", "spin"), evidence={"empty_per_second": (1_000, 1e7)}),
    Defect("IO130", "failing.py", ("0", "used up"), evidence={"failed": (20, 1000)}),
    Defect("IO131", "failing.py", ("0", "failing"), evidence={"failed_per_second": (1_000, 1e7)}),
    Defect(
        "IO132",
        "loop.py",
        ("0", "often"),
        gap_s=0.01,
        evidence={"mean_ns": (12 * MS, 50 * MS), "iterations_over_10_ms": (10, 1000)},
    ),
    Defect("IO133", "failing.py", ("0", "never sleeps"), evidence={"cpu_share_ratio": (0.1, 1.01)}),
    Defect(
        "IO172", "failing.py", ("0", "polls files"), evidence={"looks_per_second": (1_000, 1e5)}
    ),
    Defect("IO214", "failing.py", ("0", "at the end"), evidence={"per_second": (10_000, 1e8)}),
    Defect(
        "IO222", "failing.py", ("0", "time-outs"), evidence={"mean_wait_ns": (18 * MS, 30 * MS)}
    ),
    Defect("IO175", "processes.py", ("0", "imports"), evidence={"files_opened_each": (50, 1_000)}),
    Defect("IO203", "processes.py", ("0", "pools"), evidence={"per_second": (5, 1_000)}),
    Defect("IO213", "processes.py", ("0", "backlog"), seconds=4, evidence={"workers": (2, 2)}),
    Defect("IO207", "processes.py", ("0", "threads"), evidence={"per_second": (20, 10_000)}),
    Defect("IO176", "processes.py", ("0", "pickles"), evidence={"of_cpu_time_ratio": (0.3, 1.0)}),
    Defect(
        "IO178",
        "threaded.py",
        ("0", "computes"),
        connections=1,
        evidence={"mean_on_cpu_ns": (100 * MS, 400 * MS)},
    ),
    Defect(
        "IO191",
        "threaded.py",
        ("0", "waits out"),
        connections=1,
        evidence={"typical_wait_ns": (200 * MS, 500 * MS)},
    ),
)
"""The resolver of IO118 is 127.0.0.53, the argument its last number."""

TESTED_ELSEWHERE = {
    "IO121": "tests/kernel/test_throttling.py",
    "IO134": "tests/kernel/test_major_faults.py",
    "IO216": "tests/kernel/test_bodies_and_leavers.py",
    "IO219": "tests/kernel/test_bodies_and_leavers.py",
    **dict.fromkeys(
        (
            *(f"IO{number}" for number in range(140, 148)),
            "IO160",
            "IO161",
            "IO164",
            "IO165",
            "IO166",
            "IO163",
            "IO170",
            "IO171",
            "IO174",
            "IO177",
            "IO185",
            "IO186",
            "IO187",
            "IO190",
            "IO193",
            "IO201",
            "IO202",
            "IO204",
            "IO206",
            "IO208",
            "IO211",
        ),
        "tests/kernel/verdict/test_hangs.py",
    ),
    **dict.fromkeys(
        (f"IO{number}" for number in range(150, 159)), "tests/kernel/test_elsewhere.py"
    ),
    "IO135": "tests/kernel/python/test_samples.py",
    "IO162": "tests/kernel/test_elsewhere.py",
    **dict.fromkeys(("IO195", "IO205"), "tests/kernel/test_clients.py"),
    "IO196": "tests/kernel/test_clients.py",
    "IO197": "tests/kernel/test_clients.py",
    **dict.fromkeys(
        ("IO198", "IO199", "IO200", "IO209", "IO212"), "tests/kernel/test_elsewhere.py"
    ),
    "IO192": "tests/kernel/verdict/test_killed_workers.py",
    "IO194": "tests/kernel/test_stolen_cpu.py",
    "IO215": "tests/kernel/test_late_requests.py",
    "IO225": "tests/kernel/test_time_goes.py",
}
"""Rules whose defect is no mistake of a server's code: the kernel test that makes them fire."""
