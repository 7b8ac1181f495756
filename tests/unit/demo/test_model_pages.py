"""docs/models: a page for each model, whose code is the server's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from iotrace.servers.catalog import MODELS, ServerModel

from iotrace.demo.model_pages import INDEX, model_page, source_of

PAGES = Path(__file__).parents[3] / "docs" / "models"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_model_has_its_page_and_the_page_its_server(model: ServerModel) -> None:
    text = (PAGES / f"{model.id}.md").read_text()
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads == ["The claim", "The code", "The measured picture", "What to try"]
    assert source_of(model) in text
    assert f"`sudo iotrace demo --model {model.id}`" in text
    assert re.search(r"Measured on Linux \d+\.\d+", text)
    assert "One request of this run" in text
    assert "What to see" in text
    for variant in model.variants:
        assert f"--variant {variant.id}`: {variant.sentence}." in text


def test_the_index_leads_to_every_page_and_compares_all() -> None:
    text = (PAGES / INDEX).read_text()
    assert re.findall(r"\]\((.*)\.md\)", text) == [model.id for model in MODELS]
    assert "Who waits, where, and who copies" in text


def test_no_page_is_left_over() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {"README", *(m.id for m in MODELS)}


def test_a_page_shows_what_the_demo_printed() -> None:
    assert "```\n  the picture\n```".replace("  ", "") in model_page(MODELS[0], "\nthe picture\n")
