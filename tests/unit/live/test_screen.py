"""The screen's keys and pages, driven by textual's own pilot on a made-up trace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("textual")

from textual.pilot import Pilot
from textual.widgets import Static

from iotrace.live.page_rows import Picture
from iotrace.live.picture import advance
from iotrace.live.screen import LiveScreen
from tests.unit import reports

_SIZES = [(80, 24), (200, 50)]
_WHOLE = reports.event_loop()


class _Source:
    """Pictures on demand; ``step`` goes on until told not to."""

    def __init__(self) -> None:
        self.going_on = True
        self.raises: Exception | None = None
        self.picture: Picture | None = advance(None, _WHOLE, _WHOLE)
        self.steps = 0

    def step(self) -> bool:
        self.steps += 1
        if self.raises:
            raise self.raises
        return self.going_on

    def screen(self) -> LiveScreen:
        return LiveScreen(self.step, lambda: self.picture)


def _drive(
    screen: LiveScreen,
    acts: Callable[[Pilot[Any]], Awaitable[None]],
    size: tuple[int, int] = (80, 24),
) -> None:
    async def drive() -> None:
        async with screen.run_test(size=size) as pilot:
            await _until(pilot, lambda: screen._shown is not None)
            await acts(pilot)

    asyncio.run(drive())


def _shown(screen: LiveScreen, name: str = "page") -> str:
    return str(screen.query_one(f"#{name}", Static).content)


async def _until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it never came to be")


@pytest.mark.parametrize("size", _SIZES)
def test_keys_turn_the_pages(size: tuple[int, int]) -> None:
    screen = _Source().screen()
    signs = {"1": "uvicorn", "2": "recvfrom tcp", "3": "lag p50", "4": "No request", "5": "IO103"}

    async def acts(pilot: Pilot[Any]) -> None:
        for key, sign in signs.items():
            await pilot.press(key)
            assert sign in _shown(screen)
        await pilot.press("tab")
        assert "its time" in _shown(screen)
        await pilot.press("shift+tab")
        assert "IO103" in _shown(screen)

    _drive(screen, acts, size)


def test_s_sorts_and_says_by_what() -> None:
    screen = _Source().screen()

    async def acts(pilot: Pilot[Any]) -> None:
        assert "s sorted by on CPU" in _shown(screen, "keys")
        for _ in range(4):
            await pilot.press("s")
        assert "s sorted by tid" in _shown(screen, "keys")
        rows = _shown(screen).splitlines()[2:]
        assert [row.split()[0] for row in rows] == ["41234", "41240", "41241", "41242"]

    _drive(screen, acts)


def test_frozen_it_keeps_its_picture_and_the_trace_goes_on() -> None:
    source = _Source()
    screen = source.screen()

    async def acts(pilot: Pilot[Any]) -> None:
        await pilot.press("f")
        assert "FROZEN" in _shown(screen, "head")
        source.picture = advance(None, replace(_WHOLE, duration_ns=17 * 10**9), _WHOLE)
        steps = source.steps
        await _until(pilot, lambda: source.steps > steps + 2)
        assert "traced 10 s" in _shown(screen, "head")
        await pilot.press("space")
        assert "FROZEN" not in _shown(screen, "head")
        assert "traced 17 s" in _shown(screen, "head")

    _drive(screen, acts)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_keys_that_end_it(key: str) -> None:
    screen = _Source().screen()

    async def acts(pilot: Pilot[Any]) -> None:
        await pilot.press(key)

    _drive(screen, acts)
    assert screen.asked_to_end


def test_it_ends_with_the_trace() -> None:
    source = _Source()
    screen = source.screen()

    async def acts(pilot: Pilot[Any]) -> None:
        source.going_on = False
        await _until(pilot, lambda: not screen.is_running or screen._exit)

    _drive(screen, acts)
    assert not screen.asked_to_end
    assert screen.error is None


def test_what_the_tracer_raises_is_kept_for_the_caller() -> None:
    source = _Source()
    screen = source.screen()
    error = OSError("the kernel says no")

    async def acts(pilot: Pilot[Any]) -> None:
        source.raises = error
        await _until(pilot, lambda: screen.error is not None)

    _drive(screen, acts)
    assert screen.error is error


def test_a_page_that_cannot_be_drawn_ends_the_screen_only() -> None:
    source = _Source()
    screen = source.screen()

    async def acts(pilot: Pilot[Any]) -> None:
        source.picture = "no picture"  # type: ignore[assignment]
        await _until(pilot, lambda: screen.failure is not None)

    _drive(screen, acts)
    assert isinstance(screen.failure, AttributeError)
    assert screen.error is None


def test_names_are_no_markup() -> None:
    source = _Source()
    process = _WHOLE.processes[0]
    named = replace(process.threads[0], name="[bold red]x[/]")
    whole = replace(_WHOLE, processes=(replace(process, threads=(named,)),))
    source.picture = advance(None, whole, whole)
    screen = source.screen()

    async def acts(pilot: Pilot[Any]) -> None:
        assert "[bold red]x[/]" in _shown(screen)

    _drive(screen, acts, (200, 50))


@pytest.mark.parametrize("size", _SIZES)
def test_a_page_that_scrolls_has_no_broken_lines(size: tuple[int, int]) -> None:
    source = _Source()
    pool = reports.thread_pool(101)
    source.picture = advance(None, pool, pool)
    screen = source.screen()

    async def acts(pilot: Pilot[Any]) -> None:
        await pilot.press("2")
        await pilot.press("1")
        await pilot.pause()
        assert screen.query_one("#page").size.height == 2 + 102

    _drive(screen, acts, size)
