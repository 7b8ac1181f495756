"""The soak's verdict, from samples made up for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.soak.watch import Sample, faults

_MIB = 1 << 20


def _samples(count: int = 40, grown_bytes: int = 0, threads: int = 1000) -> list[Sample]:
    """One every 5 s; RSS grows by so much from each to the next."""
    return [
        Sample(5.0 * n, 68 * _MIB + grown_bytes * n, 32 * _MIB, 9 * n, threads * n, n, 0, 0.0, 0)
        for n in range(1, count + 1)
    ]


def test_a_good_run_has_none() -> None:
    assert faults(_samples()) == []


def test_a_leak_is_one() -> None:
    (fault,) = faults(_samples(grown_bytes=400_000))
    assert fault.startswith("RSS grew from")
    assert fault.endswith("400 for each thread")


def test_more_threads_at_a_time_are_no_leak() -> None:
    """The host has become less busy: memory is a tenth more from then on."""
    samples = _samples(240, threads=3000)
    later = [replace(one, rss_bytes=74 * _MIB) for one in samples[150:]]
    assert faults(samples[:150] + later) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kernel_bytes": 33 * _MIB}, "kernel memory changed"),
        ({"lost": 3}, "3 losses"),
        ({"gap_ns": 2_000_000}, "a ledger is open by 2000000 ns"),
        ({"unaccounted_ratio": 0.02}, "2.00% of the time is unaccounted for"),
    ],
)
def test_one_bad_sample_is_enough(change: dict[str, int], told: str) -> None:
    samples = _samples()
    samples[-1] = replace(samples[-1], **change)
    (fault,) = faults(samples)
    assert fault.startswith(told)
