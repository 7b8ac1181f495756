"""The list of models, for people."""

from __future__ import annotations

from iotrace.demo.diagram import WIDTH
from iotrace.output.text import wrap
from iotrace.servers.catalog import MODELS

_INDENT = " " * 13


def listing() -> list[str]:
    """A paragraph a model: its name here and in the textbook, a sentence, its variants."""
    lines = []
    for model in MODELS:
        lines += [f"{model.id:<{len(_INDENT)}}{model.title}"]
        lines += wrap(model.sentence, WIDTH, indent=_INDENT)
        if reason := model.unavailable():
            lines += wrap(f"Not on this host: {reason}.", WIDTH, indent=_INDENT)
        for variant in model.variants:
            words = f"--variant {variant.id}: {variant.sentence}"
            lines += wrap(words, WIDTH, indent=_INDENT + "  ", first=_INDENT)
    return [*lines, "", "sudo iotrace demo --model NAME shows one, --model all compares them."]
