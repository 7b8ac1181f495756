"""The rows of `make kernels`: what a machine has said, whether it passed, docs/kernels.md."""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.kernels import page
from tests.kernels.hardware import ALL, accelerator
from tests.kernels.results import COLUMNS, DETAILS, Row, head, line_of
from tests.unit.project.places import ROOT

_RUNS = 3
_GOOD: dict[str, Any] = {
    "runs": _RUNS + 2,
    "calls": 1,
    "gap": 0.0009,
    "unaccounted": 0.0,
    "lost": {},
    "failures": [],
    "unavailable": {},
    "counts": "exact",
}
_KERNEL = {"kernel": "7.2.13-amd64", "machine": "x86_64"}


def _row(said: dict[str, Any], *ends: dict[str, Any]) -> Row:
    lines = [_KERNEL, {"light": {**_GOOD, "runs": 1}}, {"light": said}, *ends]
    noise = "[  1.2] BUG: something\n"
    console = noise + "".join(f"ROW {json.dumps(one)}\n" for one in lines)
    return Row.of_console("sid", console)


def test_a_row_passes_only_with_all_runs_and_its_end() -> None:
    assert _row(_GOOD, {"end": "ended"}).passed(("light",), _RUNS, refused=False)
    assert not _row(_GOOD).passed(("light",), _RUNS, refused=False)
    assert not _row(_GOOD, {"end": "ended"}).passed(DETAILS, _RUNS, refused=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"runs": _RUNS + 1},
        {"gap": 0.0011},
        {"unaccounted": 0.0011},
        {"lost": {"probes": 1}},
        {"failures": ["exit code 6"]},
        {"counts": "16 of 17 sleeps"},
        {"python": "no sample of spin()"},
    ],
)
def test_whatever_is_wrong_fails_the_row(wrong: dict[str, Any]) -> None:
    row = _row({**_GOOD, **wrong}, {"end": "ended"})
    assert not row.passed(("light",), _RUNS, refused=False)


def test_a_machine_that_hangs_keeps_what_it_has_said() -> None:
    row = replace(_row(_GOOD), day="2026-11-26")
    cells = row.cells(("full", "light"))
    hung = "the machine did not come to its end"
    assert cells[0] == ["7.2.13-amd64 x86_64", "full", *["-"] * 6, hung, row.day]
    assert cells[1][2:] == ["yes", "exact", "-", "5", "0.09 %", "0", hung, row.day]


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ((), "exact"),
        (("counts of socket calls",), "exact (operations)"),
        (("counts of socket calls", "operations"), "n/a"),
    ],
)
def test_counts_that_a_kernel_cannot_give_are_not_exact(
    lacking: tuple[str, ...], told: str
) -> None:
    good = {**_GOOD, "unavailable": dict.fromkeys(lacking, "not in this kernel")}
    (cells,) = _row(good, {"end": "ended"}).cells(("light",))
    assert cells[COLUMNS.index("counts")] == told


def test_a_kernel_that_must_be_refused_says_so() -> None:
    refused = {"runs": 1, "lost": {}, "gap": 0.0, "unaccounted": 0.0}
    told = {**refused, "failures": ["exit code 4: This kernel is too old for iotrace."]}
    assert _row(told, {"end": "ended"}).passed(("light",), _RUNS, refused=True)
    crashed = {**refused, "failures": ["exit code 1: Traceback"]}
    assert not _row(crashed, {"end": "ended"}).passed(("light",), _RUNS, refused=True)


def test_a_new_row_takes_the_place_of_its_series(tmp_path: Path) -> None:
    path = tmp_path / "kernels.md"
    path.write_text("\n".join(["# Kernels", "", *head(), "", "After."]) + "\n")

    def row(kernel: str, detail: str, traces: str) -> list[str]:
        return [kernel, detail, "yes", "exact", "-", traces, "0 %", "0", "-"]

    old, arm = row("6.1.9-1 x86_64", "full", "3"), row("6.1.9 aarch64", "full", "2")
    newest = row("6.12.1 x86_64", "full", "4")
    page.put(path, [newest, old, arm])
    new, light = row("6.1.10-2 x86_64", "full", "5"), row("6.1.10-2 x86_64", "light", "6")
    page.put(path, [light, new])
    told = [line_of(cells) for cells in (arm, new, light, newest)]
    assert path.read_text().splitlines() == ["# Kernels", "", *head(), *told, "", "After."]


@pytest.mark.parametrize(
    ("module", "machine", "accelerated"),
    [
        ("kvm_intel", "x86_64", True),
        ("kvm_amd", "x86_64", True),
        ("kvm_pvm", "x86_64", False),
        ("kvm_intel", "aarch64", False),
    ],
)
def test_kvm_is_used_where_it_takes_any_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, machine: str, accelerated: bool
) -> None:
    device, modules = tmp_path / "kvm", tmp_path / "modules"
    (modules / module).mkdir(parents=True)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    amd64 = ALL["amd64"]
    assert "kvm" not in accelerator(amd64, device, modules)
    device.touch()
    assert ("kvm" in accelerator(amd64, device, modules)) is accelerated


@pytest.mark.parametrize(
    ("told", "threads"),
    [
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", "single"),
        ("QEMU emulator version 10.0.2 (Debian 1:10.0.2)", "multi"),
        ("", "single"),
    ],
)
def test_an_older_qemu_emulates_one_cpu_at_a_time(tmp_path: Path, told: str, threads: str) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text(f"#!/bin/sh\necho '{told}'\n")
    qemu.chmod(0o755)
    hardware = replace(ALL["amd64"], qemu=(str(qemu),))
    assert accelerator(hardware, tmp_path / "none") == ("-accel", f"tcg,thread={threads}")


def test_the_page_tells_of_no_loss_and_no_gap() -> None:
    lines = (ROOT / "docs/kernels.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("| ")]
    rows = [line.strip("| ").split(" | ") for line in table[1:]]
    told = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    assert told
    for row in told:
        assert (row["loads"], row["lost"]) == ("yes", "0"), row
        cannot = "counts of socket calls" in row["not available"]
        assert row["counts"] in (("exact (operations)", "n/a") if cannot else ("exact",)), row
        assert row["Python"] in ("exact", "-"), row
        assert float(row["widest gap"].removesuffix(" %")) <= 0.1, row
