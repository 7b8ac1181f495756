"""Measured figures beside the textbook's, and where they disagree."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from iotrace.servers.catalog import MODELS, find

from iotrace.demo import comparison_tables
from iotrace.demo.figures import Figures, figures
from iotrace.demo.model_comparison import Entry, disagreements, entry, to_dict, verdicts
from iotrace.demo.textbook import CLAIMS
from iotrace.output import page
from tests.unit.demo.samples import blocking

DELAY_NS = 20_000_000


def measured(requests: int = 25) -> Figures:
    return figures(blocking(requests), requests)


def row(model: str, seen: Figures) -> Entry:
    return entry(find(model), seen, DELAY_NS, 12_345.0)


def test_the_textbook_speaks_of_every_model() -> None:
    assert set(CLAIMS) == {model.id for model in MODELS}
    assert {name for name, claims in CLAIMS.items() if not claims.synchronous} == {"async-io"}


def test_a_blocking_server_is_as_the_textbook_has_it() -> None:
    one = row("blocking", measured())
    assert set(verdicts(one).values()) == {True}
    assert (one.calls.measured, one.calls.textbook) == (2.0, "2")
    assert one.wait.measured == DELAY_NS
    assert one.asleep_in.measured == "recvfrom"
    assert one.synchronous.measured == "synchronous"
    assert one.requests_per_second.measured == 12_345.0


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"calls": 71}, "calls"),
        ({"voluntary": 38}, "switches"),
        ({"waits": {"poll": 1}}, "asleep_in"),
        ({"wait_ns": 1}, "wait"),
        ({"cpu_ns": 25 * 600_001}, "cpu"),
        ({"read_bytes": 0, "operation_bytes": 5}, "synchronous"),
    ],
)
def test_each_claim_can_fail(changes: dict[str, object], column: str) -> None:
    seen = replace(measured(), **changes)  # type: ignore[arg-type]
    failed = [name for name, agrees in verdicts(row("blocking", seen)).items() if not agrees]
    assert failed == [column]


def test_a_late_pickup_is_not_at_once() -> None:
    seen = measured()
    assert seen.pickup is not None
    late = replace(seen, pickup=replace(seen.pickup, p50=1_030_001))
    assert verdicts(row("blocking", late))["pickup_p50"] is False
    assert verdicts(row("nonblocking", late))["pickup_p50"] is True
    without_a_cpu = replace(late, runq_ns=25 * 30_002)
    assert verdicts(row("blocking", without_a_cpu))["pickup_p50"] is True


def test_what_was_not_measured_is_not_compared() -> None:
    one = row("blocking", replace(measured(), pickup=None))
    assert (one.pickup_p50.measured, one.pickup_p50.agrees) == (None, None)


def test_a_polling_server_burns_the_whole_wait() -> None:
    seen = replace(
        measured(),
        calls=25 * 4_000,
        voluntary=0,
        waits={},
        wait_ns=0,
        cpu_ns=25 * 12_000_000,
        runq_ns=25 * 7_000_000,
    )
    agreed = verdicts(row("nonblocking", seen))
    assert agreed == {**dict.fromkeys(agreed, True), "pickup_p50": False}


def test_disagreements_are_told_with_figures() -> None:
    seen = replace(measured(), calls=25 * 7, cpu_ns=25 * 2_300_000)
    assert disagreements([row("blocking", seen), row("asyncio", measured())]) == (
        "blocking: 7.0 calls a request, not 2",
        "blocking: 2.3 ms of CPU time a request, not 'little'",
        "asyncio: 2.0 calls a request, not 3",
        "asyncio: it sleeps in recvfrom, not epoll",
    )


def test_the_tables_have_all_models_in_80_columns_and_leave_nothing_out() -> None:
    entries = [row(model.id, replace(measured(), calls=10**9)) for model in MODELS]
    text = page.render(
        comparison_tables.blocks(entries, DELAY_NS, ["x: no reason"]), tablefmt="table", width=80
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "No room" not in text
    assert "…" not in text
    for model in MODELS:
        assert sum(line.startswith(f"{model.id} ") for line in text.splitlines()) == 3
    assert "many" in text
    assert "2 ≠" in text
    assert "- x: no reason" in text


def test_json_has_measured_textbook_and_agreement() -> None:
    (one,) = to_dict([row("blocking", measured())])
    assert one["calls_per_request"] == {"measured": 2.0, "textbook": "2", "agrees": True}
    assert one["copy_per_request_ns"] == {"measured": 2_000, "textbook": None, "agrees": None}
    assert json.loads(json.dumps(one)) == one
