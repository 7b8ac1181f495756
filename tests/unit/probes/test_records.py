"""The records have room for reasons to wait that are yet to come."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotrace.engine import constants
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.probes.plain_c import compile_c, probe_flags
from tests.unit.project.places import PACKAGES

_HERE = Path(__file__).parent
_SUMS_OF_A_LINE = 8


@pytest.mark.parametrize("more", range(_SUMS_OF_A_LINE + 1))
def test_a_new_reason_to_wait_needs_no_edit_of_the_records(
    more: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever part of a cache line its sums fill."""
    reasons = (*WAIT_REASONS, *(f"new{number}" for number in range(more)))
    monkeypatch.setattr(constants, "WAIT_REASONS", reasons)
    monkeypatch.setattr(constants, "WAIT_CLASSES", constants.wait_classes(len(reasons)))
    flags = probe_flags(preemption_can_be_off=True)
    assert f"-DWAITS={len(reasons)}" in flags
    source = tmp_path / "records.c"
    source.write_text('#include "machine.h"\n#include "records.h"\n')
    includes = (f"-I{_HERE}", f"-I{PACKAGES['iotrace.probes']}")
    compile_c("cc", "-w", "-fsyntax-only", *includes, *flags, source)


def test_a_failure_names_file_and_line_alone(tmp_path: Path) -> None:
    source = tmp_path / "wrong.c"
    source.write_text('int one;\n_Static_assert(0, "lines of one thread each");\n')
    with pytest.raises(pytest.fail.Exception) as failure:
        compile_c("cc", "-fsyntax-only", "-DSECRET=1", source)
    assert f"{source}:2:" in str(failure.value)
    assert "lines of one thread each" in str(failure.value)
    assert "SECRET" not in str(failure.value)
