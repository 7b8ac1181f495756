"""The list of models."""

from __future__ import annotations

import importlib

import pytest
from iotrace.servers.catalog import MODELS, ServerModel, find
from iotrace.servers.launch import running
from iotrace.servers.load import plan_from

from iotrace.errors import UsageError
from tests.unit.servers.client import model_parameters

IDS = (
    "blocking nonblocking select poll epoll epoll-et selectors signal async-io asyncio"
    " fork thread event-queue"
)


def test_every_model_of_the_textbook_is_there() -> None:
    assert " ".join(model.id for model in MODELS) == IDS


def test_only_async_io_is_asynchronous() -> None:
    assert [model.id for model in MODELS if not model.synchronous] == ["async-io"]


def test_processes_and_threads_are_made_per_connection() -> None:
    assert [model.id for model in MODELS if model.per_request_connection] == ["fork", "thread"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_model_is_told_in_one_line_and_its_server_explains_it(model: ServerModel) -> None:
    assert len(model.sentence) <= 100
    assert model.sentence.endswith(".")
    module = importlib.import_module(f"iotrace.servers.{model.module}")
    assert len((module.__doc__ or "").splitlines()) >= 3
    assert callable(module.serve)


def test_a_model_is_found_by_its_id() -> None:
    assert find("epoll-et").module == "epoll_et"


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as failure:
        find("kqueue")
    assert failure.value.what == "there is no model 'kqueue'"
    assert failure.value.why.endswith(IDS.replace(" ", ", "))


@pytest.mark.parametrize("model", model_parameters())
def test_the_variants_can_be_run_as_they_are_listed(model: ServerModel) -> None:
    for variant in model.variants:
        assert len(variant.sentence) <= 100
        assert plan_from(["--port", "1", *variant.load]).port == 1
        with running(model.module, variant.arguments) as server:
            assert server.stop() == 0
