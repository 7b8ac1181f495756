"""One clock for all durations: monotonic, which neither suspend nor a step of the time moves."""

from __future__ import annotations

import re

from tests.unit.project.places import ROOT, modules

_WALL = re.compile(r"\btime\.(time|time_ns|localtime|gmtime|ctime)\(|\bdatetime\.(now|utcnow)\(")
_OTHER = re.compile(r"\bbpf_ktime_get_(?!ns\b)\w+")


def test_the_wall_clock_is_read_once_for_the_time_of_the_report() -> None:
    """And for points that are pushed, which OTLP dates: once to begin with, once for each."""
    counts = {name: len(_WALL.findall(path.read_text())) for name, path in modules()}
    reading = {name: count for name, count in counts.items() if count}
    assert reading == {"iotrace.agent.pusher": 2, "iotrace.tracing.start": 1}


def test_the_probes_read_the_monotonic_clock_alone() -> None:
    sources = sorted((ROOT / "probes").glob("*.[ch]"))
    assert any("bpf_ktime_get_ns()" in source.read_text() for source in sources)
    assert not [source.name for source in sources if _OTHER.search(source.read_text())]
