"""Which stack a stall is blamed on: the probes' own C, the samples in any order."""

from __future__ import annotations

import ctypes
import itertools
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.unit.probes.plain_c import compile_c
from tests.unit.project.places import PACKAGES

_HERE = Path(__file__).parent
_FILL, _LOOP = (1, 11), (1, 12)
"""(function, stack): two lines of one function."""
_OTHER = (2, 21)
_Sample = tuple[int, int]
_Elected = Callable[[Sequence[_Sample]], tuple[int, int]]


@pytest.fixture(scope="module")
def elected(tmp_path_factory: pytest.TempPathFactory) -> _Elected:
    """(the stack that is kept, how often one was kept anew) of these samples."""
    library = tmp_path_factory.mktemp("votes") / "votes.so"
    include = f"-I{PACKAGES['iotrace.probes']}"
    compile_c("cc", "-O1", "-w", "-shared", "-fPIC", include, _HERE / "elected.c", "-o", library)
    of = ctypes.CDLL(str(library)).elected
    of.restype = ctypes.c_uint64

    def run(samples: Sequence[_Sample]) -> tuple[int, int]:
        array = ctypes.c_uint64 * len(samples)
        places, stacks = (array(*column) for column in zip(*samples, strict=True))
        changes = ctypes.c_uint32()
        return of(places, stacks, len(samples), ctypes.byref(changes)), changes.value

    return run


def test_a_sample_of_another_line_does_not_win_whenever_it_comes(elected: _Elected) -> None:
    for length in range(3, 15):
        for place in range(length):
            samples = [_FILL] * length
            samples[place] = _LOOP
            assert elected(samples)[0] == _FILL[1], f"sample {place} of {length}"


def test_the_line_of_most_samples_of_the_function_of_most(elected: _Elected) -> None:
    # More than half of the samples are of the function, in any order it stays the candidate; more
    # than half of what the other function leaves of it are of the line.
    for order in set(itertools.permutations([_FILL] * 5 + [_LOOP] + [_OTHER] * 2)):
        assert elected(order)[0] == _FILL[1], order


def test_a_majority_of_many_samples(elected: _Elected) -> None:
    chance = random.Random(1)
    for _ in range(200):
        samples = [_FILL] * 70 + [_LOOP] * 10 + [_OTHER] * 10 + [(3, n) for n in range(9)]
        chance.shuffle(samples)
        assert elected(samples)[0] == _FILL[1]


def test_a_place_seen_once_replaces_nothing(elected: _Elected) -> None:
    assert elected([_FILL, _OTHER, _OTHER])[0] == _FILL[1]
    assert elected([_FILL, _OTHER, _OTHER, _OTHER])[0] == _OTHER[1]
    assert elected([_OTHER]) == (_OTHER[1], 1)


def test_a_stack_that_is_kept_is_told_once(elected: _Elected) -> None:
    assert elected([_FILL] * 20) == (_FILL[1], 1)
