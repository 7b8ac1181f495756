"""Where one model overtakes another."""

from __future__ import annotations

from iotrace.demo.figures import figures
from iotrace.demo.runner import Measurement
from iotrace.demo.scaling import Point, blocks, point, to_dict
from iotrace.output import page
from tests.unit.demo.samples import blocking, result


def at(model: str, connections: int, rate: float, **changes: object) -> Point:
    values = {"cpu_ns": 20_000.0, "calls": 2.0, "errors": {}, "refusals": (), **changes}
    return Point(model, connections, rate, **values)  # type: ignore[arg-type]


def text(*points: Point) -> str:
    drawn = page.render(blocks(points, 10_000_000), tablefmt="table", width=80)
    return " ".join(drawn.split())


def test_a_point_is_what_the_server_answered_in_the_time_counted() -> None:
    seen = blocking(30)
    measurement = Measurement(seen, figures(seen, 30), result(30, 7), (), ())
    one = point("blocking", 7, measurement)
    assert (one.requests_per_second, one.cpu_ns, one.calls) == (30.0, 42_000.0, 2.0)


def test_the_overtaking_is_told_with_its_price() -> None:
    drawn = text(
        at("blocking", 1, 99.0),
        at("blocking", 10, 98.0),
        at("epoll", 1, 100.0, cpu_ns=40_000.0, calls=3.0),
        at("epoll", 10, 980.0),
    )
    assert (
        "epoll: with 1 client 3.0 calls and 40.0 us of CPU time a request, where blocking needs "
        "2.0 and 20.0 us; from 10 clients on it is ahead: 10.0 times as many requests a second."
    ) in drawn


def test_a_lead_of_chance_is_none() -> None:
    drawn = text(at("blocking", 10, 100.0), at("select", 10, 119.0))
    assert "not ahead of blocking up to 10 clients" in drawn


def test_without_blocking_nothing_is_overtaken() -> None:
    assert "ahead" not in text(at("select", 10, 119.0), at("epoll", 10, 1190.0))


def test_the_limit_of_select_is_told() -> None:
    why = "select cannot watch a descriptor above 1023"
    drawn = text(at("select", 1500, 500.0, errors={"refused": 480}, refusals=(why,)))
    assert "500 *" in drawn
    assert f"* select: 480 of 1,500 clients were refused: {why}." in drawn


def test_json_has_every_point() -> None:
    (one,) = to_dict([at("epoll", 10, 980.0)])
    assert (one["model"], one["connections"], one["requests_per_second"]) == ("epoll", 10, 980.0)
