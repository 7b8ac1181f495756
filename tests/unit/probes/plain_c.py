"""The probes' C for this machine's own compiler, in the place of bcc's."""

from __future__ import annotations

import re
import subprocess

import pytest

from iotrace.engine import constants, syscalls
from iotrace.engine.map_limits import Limits
from iotrace.engine.tracepoints import ALL_PROBES
from tests.unit.project.places import PACKAGES

_PROBES = PACKAGES["iotrace.probes"]
_OFFSETS = {
    "TASK_PID": 0,
    "TASK_SCHED_INFO": 8,
    "TASK_FILES": 24,
    "TASK_FLAGS": 24,
    "TASK_COMM": 32,
}
BPF_ASSEMBLER = {
    'asm volatile("%0 = %1" : "=r"(number) : "i"(COPY_MARK));': "number = machine_copy();",
    'asm volatile("%0 = *(u64 *)(%1 + 8)" : "=r"(result) : "r"(exit)); /* args[1] */': (
        "result = exit->args[1];"
    ),
    "(*disable_preemption)(void) = (void *)PREEMPT_DISABLE_CALL": (
        "(*disable_preemption)(void) = machine_disable_preemption"
    ),
    "(*enable_preemption)(void) = (void *)PREEMPT_ENABLE_CALL": (
        "(*enable_preemption)(void) = machine_enable_preemption"
    ),
}


def in_plain_c(text: str) -> str:
    """Sources of probes, without what only BPF has."""
    for bpf, plain in BPF_ASSEMBLER.items():
        text = text.replace(bpf, plain)
    return text


def probe_flags(*, preemption_can_be_off: bool) -> list[str]:
    """What bcc gets by ``-D``, with offsets of the simulated machine."""
    known = {
        **dict.fromkeys(_all_offsets(), 0),
        **{f"OFFSET_{name}": at for name, at in _OFFSETS.items()},
    }
    switches = {
        "SWITCH_PREV": 1, "SWITCH_NEXT": 2, "SWITCH_STATE": 3, "HAVE_SKB_COPY": 1,
        "HAVE_WAKING": 1, "HAVE_NEWTASK": 1, "HAVE_EXEC": 1, "PID_NAMESPACE": 0, "PYTHON": 0,
        "HAVE_TASK_PT_REGS": 1, "HAVE_CAST": 0, "HAVE_SCHED_INFO": 1, "HAVE_IPV6": 0,
        "PREEMPTIBLE": 1, "PREEMPTION_CAN_BE_OFF": int(preemption_can_be_off),
    }  # fmt: skip
    return [
        *constants.cflags(),
        *Limits(threads=16, calls=64, descriptors=64, loops=8, sockets=8, python=False).cflags(),
        *syscalls.cflags(syscalls.ARCHITECTURES["x86_64"]),
        *(f"-DLINKAGE_{probe.function}=" for probe in ALL_PROBES),
        *(f"-D{name}={value}" for name, value in (known | switches).items()),
    ]


def _all_offsets() -> set[str]:
    defined = {"OFFSET_ARGUMENTS", "OFFSET_CALL_NUMBER", "OFFSET_STACK_POINTER", "OFFSET_RESULT"}
    text = "".join(path.read_text() for path in _PROBES.glob("*.c"))
    return set(re.findall(r"\bOFFSET_\w+", text)) - defined


def compile_c(*command: object) -> None:
    """Run the compiler; a failure says where, in its first line, and nothing of the command."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.splitlines() or [f"cc ended with {done.returncode}"]
        first = next((line for line in lines if "error:" in line), lines[0])
        pytest.fail(f"the probes do not compile: {first.replace(f'{_PROBES}', 'probes')}", False)
