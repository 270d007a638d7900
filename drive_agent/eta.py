"""How far long work has come and when it will be done: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

LINE_S = 15.0  # between two lines where there is no terminal


class Eta:
    """A context manager; `show` as often as you like."""

    def __init__(self, console: Console, what: str, total: float, done: float = 0.0) -> None:
        """`done` of `total` was there before: the pace is counted from here on."""
        self._console, self._what, self._total, self._first = console, what, max(total, 1e-9), done
        self._started = self._shown = time.monotonic()
        self._bar: Progress | None = None
        if console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[note]}"),
            )
            self._bar = Progress(*columns, console=console)
            self._task = self._bar.add_task(what, total=self._total, completed=done, note="")  # pyright: ignore[reportArgumentType]

    def __enter__(self) -> Eta:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: float, note: str = "") -> None:
        """How much is done by now; `note` says more."""
        now = time.monotonic()
        if self._bar is None and now - self._shown < LINE_S:
            return
        self._shown = now
        pace = (done - self._first) / max(now - self._started, 1e-6)
        left = f"{_span((self._total - done) / pace)} to go" if pace > 0 else "no pace yet"
        text = f"{done / self._total:.0%}, {left}" + (f", {note}" if note else "")
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=text)
        else:
            self.say(f"{self._what}: {text}")

    def say(self, line: str) -> None:
        """One line that stays."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
