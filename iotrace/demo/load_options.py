# SPDX-License-Identifier: Apache-2.0
"""What a demo is to do: from the command line's options to the arguments of server and load."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.errors import UsageError
from iotrace.servers.catalog import MODELS, ServerModel, Variant, find
from iotrace.servers.load import plan_from
from iotrace.servers.load_plan import LoadPlan

_DELAY_NS = 20_000_000
COMPARED_DELAY_NS = 10_000_000
_REQUESTS = 40
_DURATION_NS = 3_000_000_000
"""A model that serves one client after the other must come to an end, too."""
_WINDOW_REQUESTS = 5
_WINDOW_SLACK_NS = 30_000_000
_VARIANT_WINDOW_NS = 250_000_000
_LONGEST_WINDOW_NS = 400_000_000


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the user asked of the load; None: as the model or the variant has it."""

    connections: int | None = None
    requests: int | None = None
    payload_bytes: int | None = None
    delay_ns: int | None = None
    think_ns: int | None = None
    duration_ns: int | None = None


def chosen(names: tuple[str, ...]) -> tuple[ServerModel, ...]:
    """The models of these ids, or all. Raises UsageError, which names them, on another id."""
    if "all" in names:
        return tuple(MODELS)
    return tuple(find(name) for name in dict.fromkeys(names))


def find_variant(model: ServerModel, name: str) -> Variant:
    """The model's variant of that id. Raises UsageError, which names those that it has."""
    for variant in model.variants:
        if variant.id == name:
            return variant
    known = ", ".join(variant.id for variant in model.variants)
    raise UsageError(
        f"The model {model.id} has no variant {name!a}.",
        why=f"It has these: {known}." if known else "It has none.",
        paste="iotrace models",
    )


def load_arguments(
    model: ServerModel, variant: Variant | None, options: LoadOptions, *, delay_ns: int = _DELAY_NS
) -> tuple[str, ...]:
    """Arguments of ``iotrace.servers.load``. ``delay_ns``: unless the user asks for another."""
    given = [
        *_option("--connections", options.connections),
        *_option("--requests", options.requests),
        *_option("--payload", options.payload_bytes),
        *_milliseconds("--delay-ms", options.delay_ns),
        *_milliseconds("--think-ms", options.think_ns),
        *(["--duration", f"{options.duration_ns / 1e9:.9f}"] if options.duration_ns else []),
    ]
    if variant is not None and variant.load:
        return (*variant.load, *given)
    requests = _REQUESTS * (options.connections or 1)
    return (
        *(["--reconnect"] if model.per_request_connection else []),
        *_milliseconds("--delay-ms", delay_ns),
        *(["--requests", str(requests)] if not options.duration_ns else []),
        *["--duration", f"{_DURATION_NS / 1e9}"],
        *given,
    )


def window_ns(arguments: tuple[str, ...], variant: Variant | None) -> int:
    """How much of a load's time is needed to see a few requests whole."""
    plan: LoadPlan = plan_from(("--port", "1", *arguments))
    wanted_ns: int = _WINDOW_REQUESTS * (plan.delay_ns + plan.think_ns) + _WINDOW_SLACK_NS
    least_ns = _VARIANT_WINDOW_NS if variant else 0
    return min(max(wanted_ns, least_ns), _LONGEST_WINDOW_NS)


def _option(name: str, value: int | None) -> list[str]:
    return [] if value is None else [name, str(value)]


def _milliseconds(name: str, value_ns: int | None) -> list[str]:
    return [] if value_ns is None else [name, f"{value_ns / 1e6}"]
