"""The tables of system calls."""

import re
from pathlib import Path

import pytest

from iotrace.engine.syscalls import ARCHITECTURES, SPECS, call_names, call_specs
from iotrace.vocabulary.waits import WAIT_REASONS

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
NEWER_THAN_SOME_HEADERS = {"futex_wait", "futex_waitv", "epoll_pwait2", "openat2", "faccessat2"}
IN_ASM_GENERIC = {"newfstatat": "fstatat"}
"""That header has another name for it: its numbers are of 32 bits, too."""


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_are_those_of_the_kernel_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed (linux-libc-dev)")
    defined = {
        name: int(number)
        for name, number in re.findall(r"__NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    }
    for name, header_name in IN_ASM_GENERIC.items():
        if name not in defined and header_name in defined:
            defined[name] = defined[header_name]
    numbers = ARCHITECTURES[machine].numbers
    wrong = {
        name: (number, defined.get(name))
        for name, number in numbers.items()
        if defined.get(name) != number
        and not (name in NEWER_THAN_SOME_HEADERS and name not in defined)
    }
    assert wrong == {}, (
        f"iotrace/engine/syscalls.py, {machine}: these have another number in {header} (ours, its)"
    )


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_each_number_stands_for_one_call(machine: str) -> None:
    architecture = ARCHITECTURES[machine]
    where = f"iotrace/engine/syscalls.py, {machine}"
    numbers = list(architecture.numbers.values())
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    assert not twice, f"{where}: {twice} are the numbers of two calls"
    assert len(call_names(architecture)) == len(architecture.numbers)
    known = {spec.name for spec in call_specs(architecture).values()}
    unknown = sorted(set(architecture.numbers) - known)
    assert not unknown, f"{where}: iotrace/vocabulary/calls.py has no row for {unknown}"
    assert known == set(architecture.numbers)


def test_every_call_is_known_to_some_architecture_and_waits_for_something() -> None:
    everywhere = set().union(*(a.numbers for a in ARCHITECTURES.values()))
    for spec in SPECS:
        assert spec.name in everywhere, (
            f"{spec.name} of iotrace/vocabulary/calls.py has no number in _X86_64 and _AARCH64 of "
            "iotrace/engine/syscalls.py"
        )
        assert spec.wait is None or spec.wait in WAIT_REASONS, (
            f"iotrace/vocabulary/calls.py: {spec.name} waits for {spec.wait!r}, which is no reason "
            "of iotrace/vocabulary/waits.py"
        )


def test_multiplexers_have_numbers_of_their_own() -> None:
    loops = [spec.loop for spec in SPECS if spec.loop]
    assert sorted(loops) == list(range(1, 8))


def test_aarch64_has_no_select_poll_and_epoll_wait() -> None:
    assert not {"select", "poll", "epoll_wait"} & set(ARCHITECTURES["aarch64"].numbers)
