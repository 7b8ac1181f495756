# SPDX-License-Identifier: Apache-2.0
"""The screen: textual draws the pages and takes the keys. Nothing of it is imported elsewhere.

Who uses it ticks the trace: ``step`` runs four times a second inside textual's event loop and says
when to end; the ending signals stay blocked meanwhile, and ``step`` takes them one by one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from iotrace.live import frame, pages
from iotrace.live.ordering import following
from iotrace.live.page_rows import Picture
from iotrace.live.styled_lines import Line

_TICK_S = 0.25
_PLAIN = {
    "strong": "bold",
    "sorted": "bold underline",
    "chosen": "reverse",
    "keys": "reverse",
    "alarm": "bold",
    "warning": "bold",
}
_COLORS = {
    **_PLAIN,
    "faint": "ansi_bright_black",
    "notice": "ansi_cyan",
    "warning": "bold ansi_yellow",
    "alarm": "bold ansi_red",
    "cpu": "ansi_green",
    "user": "ansi_green",
    "kernel": "ansi_yellow",
    "copy": "ansi_cyan",
    "runq": "bold ansi_red",
    "wait": "ansi_blue",
    "unaccounted": "ansi_magenta",
}
_HANDLED = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU)


class LiveScreen(App[None]):
    """``error``: what ``step`` or ``picture`` raised; the screen ends with it.

    ``failure``: what drawing raised: the screen ends, but the trace need not.
    """

    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    Static {
        background: ansi_default; color: ansi_default; width: 1fr; height: auto; text-wrap: nowrap;
    }
    VerticalScroll { background: ansi_default; height: 1fr; scrollbar-size-vertical: 1; }
    #head { height: auto; }
    #tabs, #quality, #keys { height: 1; }
    #tabs { margin-bottom: 1; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"page('{name}')", priority=True)
            for number, name in enumerate(pages.PAGES, start=1)
        ),
        Binding("tab", "next_page(1)", priority=True),
        Binding("shift+tab", "next_page(-1)", priority=True),
        Binding("s", "sort", priority=True),
        Binding("f,space", "freeze", priority=True),
        Binding("q,ctrl+c,ctrl+q,ctrl+d", "leave", priority=True),
    ]

    def __init__(
        self,
        step: Callable[[], bool],
        picture: Callable[[], Picture | None],
        *,
        until_ns: int | None = None,
        color: bool = True,
    ) -> None:
        """``step``: False ends the screen. ``picture``: the latest one, None: none yet.

        ``until_ns``: how long the trace shall last.
        """
        super().__init__(ansi_color=True)
        self.error: BaseException | None = None
        self.failure: Exception | None = None
        self.asked_to_end = False
        self._step = step
        self._latest = picture
        self._until_ns = until_ns
        self._styles = _COLORS if color else _PLAIN
        self._shown: Picture | None = None
        self._frozen = False
        self._drawn: dict[str, list[Line]] = {}
        self._page = next(iter(pages.PAGES))
        self._orders = {
            name: orders[0] if orders else "" for name, (_, orders) in pages.PAGES.items()
        }

    def compose(self) -> ComposeResult:
        """Head, tabs, the page, quality, keys."""
        for name in ("head", "tabs"):
            yield Static(id=name, markup=False)
        with VerticalScroll():
            yield Static("Looking ...", id="page", markup=False)
        for name in ("quality", "keys"):
            yield Static(id=name, markup=False)

    def on_mount(self) -> None:
        """Begin to tick."""
        self.query_one(VerticalScroll).focus()
        self.set_interval(_TICK_S, self._tick)
        self._draw()

    def on_resize(self, event: Resize) -> None:
        """Pages are as wide as the terminal."""
        self.call_after_refresh(self._draw)

    def action_page(self, name: str) -> None:
        """Show a page, from its top."""
        self._page = name
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self._draw()

    def action_next_page(self, by: int) -> None:
        """The next page, or the one before."""
        names = list(pages.PAGES)
        self.action_page(names[(names.index(self._page) + by) % len(names)])

    def action_sort(self) -> None:
        """The page's next order."""
        orders = pages.PAGES[self._page][1]
        if orders:
            self._orders[self._page] = following(self._orders[self._page], orders)
            self._draw()

    def action_freeze(self) -> None:
        """Keep this picture, or go on with the latest; the trace goes on anyway."""
        self._frozen = not self._frozen
        self._take()
        self._draw()

    def action_leave(self) -> None:
        """End the trace."""
        self.asked_to_end = True
        self.exit()

    def _tick(self) -> None:
        try:
            going_on = self._step()
            changed = self._take()
        except BaseException as error:
            self.error = error
            self.exit()
            return
        if not going_on:
            self.exit()
        elif changed:
            self._draw()

    def _take(self) -> bool:
        """The latest picture, unless frozen; whether it is another one."""
        before = self._shown
        if not self._frozen:
            self._shown = self._latest()
        return self._shown is not before

    def _draw(self) -> None:
        try:
            self._draw_all()
        except Exception as failure:
            self.failure = failure
            self.exit()

    def _draw_all(self) -> None:
        room = max(20, self.size.width - 2)
        order = self._orders[self._page]
        self._put("tabs", [frame.tabs(self._shown, self._page, room)])
        self._put("keys", [frame.keys(self._page, order, self._frozen, room)])
        if self._shown is None:
            return
        self._put("head", frame.head(self._shown, self._frozen, self._until_ns, room))
        self._put("page", pages.PAGES[self._page][0](self._shown, order, room))
        self._put("quality", [frame.quality(self._shown, room)])

    def _put(self, name: str, lines: list[Line]) -> None:
        before = self._drawn.get(name)
        if before == lines:
            return
        self._drawn[name] = lines
        drawn = [
            # No blank may stand beyond the edge: the line would wrap.
            Content.assemble(
                *((text, self._styles.get(style, "")) for text, style in line)
            ).rstrip()
            for line in lines
        ]
        # Where there are as many lines as before, nothing has to be moved.
        moves = before is None or len(before) != len(lines)
        self.query_one(f"#{name}", Static).update(Content("\n").join(drawn), layout=moves)


def run(screen: LiveScreen) -> None:
    """Until it ends; then the terminal, signal handlers and environment are as before.

    Raises what ``step`` raised. A screen that fails by itself just ends.
    """
    handlers = {number: signal.getsignal(number) for number in _HANDLED}
    # textual takes NO_COLOR out of the environment.
    no_color = os.environ.get("NO_COLOR")
    try:
        screen.run(mouse=False)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if no_color is not None:
            os.environ["NO_COLOR"] = no_color
    if screen.error is not None:
        raise screen.error
