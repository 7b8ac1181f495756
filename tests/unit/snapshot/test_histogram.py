"""Histograms: the C side and the Python side of one definition."""

import ctypes
import random
import shutil
import subprocess

import pytest

from iotrace.engine.probe_sources import probes_directory
from iotrace.snapshot import histogram


@pytest.fixture(scope="module")
def bucket_of(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler here")
    folder = tmp_path_factory.mktemp("histogram")
    source = folder / "bucket.c"
    source.write_text(
        '#include "histogram.h"\n'
        "unsigned int bucket(unsigned long long v) { return histogram_bucket(v); }\n"
        "unsigned int buckets(void) { return HISTOGRAM_BUCKETS; }\n"
        "unsigned int fine(unsigned long long v) { return fine_bucket(v); }\n"
        "unsigned int fine_buckets(void) { return FINE_BUCKETS; }\n"
    )
    library = folder / "bucket.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", f"-I{probes_directory()}", "-o", library, source], check=True
    )
    loaded = ctypes.CDLL(str(library))
    loaded.bucket.argtypes = loaded.fine.argtypes = (ctypes.c_ulonglong,)
    return loaded


def test_both_sides_agree_on_every_border(bucket_of: ctypes.CDLL) -> None:
    assert bucket_of.buckets() == histogram.BUCKETS
    for bucket in range(histogram.BUCKETS):
        low, high = histogram.bounds_ns(bucket)
        assert bucket_of.bucket(low) == bucket
        assert bucket_of.bucket(high - 1) == bucket
    assert bucket_of.bucket(2**64 - 1) == histogram.BUCKETS - 1


def test_both_sides_agree_on_every_border_of_the_fine_ones(bucket_of: ctypes.CDLL) -> None:
    assert bucket_of.fine_buckets() == histogram.FINE_BUCKETS
    for bucket in range(histogram.FINE_BUCKETS):
        low, high = histogram.bounds_ns(bucket, histogram.FINE_SUB_BITS)
        assert bucket_of.fine(low) == bucket_of.fine(high - 1) == bucket
        assert bucket == 0 or (high - low) / 2 <= 0.032 * low
    assert bucket_of.fine(2**64 - 1) == histogram.FINE_BUCKETS - 1


def test_the_middle_of_a_bucket_is_within_seven_percent(bucket_of: ctypes.CDLL) -> None:
    generator = random.Random(11)
    for _ in range(10_007):
        value = int(2 ** generator.uniform(6.2, 36))  # the first bucket holds all below 72 ns
        low, high = histogram.bounds_ns(bucket_of.bucket(value))
        assert abs((low + high) / 2 - value) <= 0.07 * value


def _counts(**buckets: int) -> list[int]:
    counts = [0] * histogram.BUCKETS
    for name, count in buckets.items():
        counts[int(name[1:])] = count
    return counts


def test_percentiles_of_a_known_distribution() -> None:
    # 97 samples at about 1 us, 3 at about 1 ms.
    micro = next(b for b in range(240) if histogram.bounds_ns(b)[1] > 1_000)
    milli = next(b for b in range(240) if histogram.bounds_ns(b)[1] > 1_000_000)
    counts = _counts(**{f"b{micro}": 97, f"b{milli}": 3})
    assert histogram.percentile_ns(counts, 0.5, 10**9) == pytest.approx(1_000, rel=0.07)
    assert histogram.percentile_ns(counts, 0.97, 10**9) == pytest.approx(1_000, rel=0.07)
    assert histogram.percentile_ns(counts, 0.99, 10**9) == pytest.approx(1_000_000, rel=0.07)


def test_a_percentile_never_exceeds_the_maximum() -> None:
    assert histogram.percentile_ns(_counts(b100=5), 0.99, 123) == 123


def test_nothing_counted_gives_nothing() -> None:
    assert histogram.percentile_ns([0] * histogram.BUCKETS, 0.5, 0) == 0
    assert histogram.highest_ns([0] * histogram.BUCKETS, 99) == 0


def test_the_last_bucket_is_told_by_the_maximum() -> None:
    hour_ns = 3600 * 10**9
    assert histogram.percentile_ns(_counts(b239=1), 0.5, hour_ns) == hour_ns


def test_what_only_the_largest_sample_fulfils_is_the_largest() -> None:
    counts = _counts(b100=1, b120=1)
    low, high = histogram.bounds_ns(100)
    max_ns = histogram.bounds_ns(120)[1] - 1
    assert histogram.percentile_ns(counts, 0.99, max_ns) == max_ns
    assert histogram.percentile_ns(counts, 0.5, max_ns) == (low + high) // 2
    assert histogram.percentile_ns(_counts(b100=1), 0.5, 123) == 123


def test_coarse_histograms_have_coarse_bounds() -> None:
    coarse = [0] * (histogram.BUCKETS // 2)
    coarse[40] = 3
    low, high = histogram.bounds_ns(40, 2)
    assert histogram.percentile_ns(coarse, 0.5, 10**12) == (low + high) // 2
    assert (high - low) / low <= 0.25
