"""From options to the arguments of server and load."""

from __future__ import annotations

import pytest
from iotrace.servers.catalog import MODELS, find
from iotrace.servers.load import plan_from
from iotrace.servers.load_plan import LoadPlan

from iotrace.cli.models import listing
from iotrace.demo.load_options import LoadOptions, chosen, find_variant, load_arguments, window_ns
from iotrace.errors import UsageError

MILLISECOND_NS = 1_000_000


def planned(model: str, variant: str = "", options: LoadOptions = LoadOptions()) -> LoadPlan:  # noqa: B008
    one = find(model)
    found = find_variant(one, variant) if variant else None
    plan: LoadPlan = plan_from(("--port", "1", *load_arguments(one, found, options)))
    return plan


def test_by_default_one_client_waits_20_ms_before_each_request() -> None:
    plan = planned("epoll")
    assert (plan.connections, plan.requests, plan.delay_ns) == (1, 40, 20 * MILLISECOND_NS)
    assert not plan.reconnect


def test_a_model_about_requests_gets_a_connection_for_each() -> None:
    assert planned("fork").reconnect
    assert planned("thread").reconnect


def test_wishes_come_before_everything() -> None:
    options = LoadOptions(
        connections=3,
        requests=17,
        payload_bytes=1000,
        delay_ns=5 * MILLISECOND_NS,
        think_ns=2 * MILLISECOND_NS,
        duration_ns=1_500 * MILLISECOND_NS,
    )
    for variant in ("", "slow-handler"):
        plan = planned("epoll", variant, options)
        assert (plan.connections, plan.requests, plan.payload_bytes) == (3, 17, 1000)
        assert plan.delay_ns == 5 * MILLISECOND_NS
        assert plan.think_ns == 2 * MILLISECOND_NS
        assert plan.duration_ns == 1_500 * MILLISECOND_NS


def test_a_duration_alone_is_not_cut_short_by_a_number() -> None:
    assert (
        planned("epoll", options=LoadOptions(duration_ns=2_000 * MILLISECOND_NS)).requests is None
    )


def test_more_clients_send_more() -> None:
    assert planned("epoll", options=LoadOptions(connections=5)).requests == 200


@pytest.mark.parametrize(("model", "variant"), [(m.id, v.id) for m in MODELS for v in m.variants])
def test_a_variant_comes_with_its_own_load(model: str, variant: str) -> None:
    one = find(model)
    listed = find_variant(one, variant).load
    assert planned(model, variant) == plan_from(("--port", "1", *listed))


def test_the_window_covers_a_few_requests_but_not_for_ever() -> None:
    arguments = load_arguments(find("epoll"), None, LoadOptions())
    assert window_ns(arguments, None) == 130 * MILLISECOND_NS
    slow = load_arguments(find("epoll"), None, LoadOptions(delay_ns=10**9))
    assert window_ns(slow, None) == 400 * MILLISECOND_NS
    variant = find_variant(find("epoll"), "no-read")
    assert window_ns(load_arguments(find("epoll"), variant, LoadOptions()), variant) == (
        250 * MILLISECOND_NS
    )


def test_all_are_all_and_each_is_taken_once() -> None:
    assert chosen(("all",)) == MODELS
    assert [model.id for model in chosen(("epoll", "blocking", "epoll"))] == ["epoll", "blocking"]


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no model 'kqueue'"):
        chosen(("epoll", "kqueue"))
    with pytest.raises(UsageError) as failure:
        find_variant(find("epoll-et"), "sleepy")
    assert "stop-early, slow-handler" in failure.value.why


def test_the_list_has_every_model_and_variant_in_80_columns() -> None:
    lines = listing()
    assert max(map(len, lines)) <= 80
    for model in MODELS:
        assert f"{model.id:<13}{model.title}" in lines
        for variant in model.variants:
            assert any(f"--variant {variant.id}:" in line for line in lines)
