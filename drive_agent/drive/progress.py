"""What one sees while it drives: a live panel in a terminal, one line now and then elsewhere.

A driving process makes a `Glimpse` of itself a few times a second; the panel shows the last one of each worker.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from drive_agent.types import Decision, LightState, Scene, Truth

PLAIN_STEP_PERCENT = 25.0
WORDY_WORKERS = 4  # with more of them, only bars are shown
LIGHT_STYLE = {
    LightState.RED: "bold red",
    LightState.YELLOW: "yellow",
    LightState.GREEN: "green",
    LightState.NONE: "dim",
}


@dataclass(frozen=True)
class Glimpse:
    """How far a drive has come, and two lines of what goes on in it."""

    simulated_s: float
    completion_percent: float
    lines: tuple[Text, ...]


@dataclass
class _Row:
    """One worker on the panel."""

    bar: TaskID
    label: str
    started: float
    next_plain: float
    completion_percent: float = 0.0
    lines: tuple[Text, ...] = ()


class DriveProgress:
    """Routes done, and for each worker its route, what its model sees and plans, real-time factor; ETA.

    Use as a context manager; workers report from threads of their own.
    """

    def __init__(self, console: Console, total_routes: int) -> None:
        self._console = console
        self._total = total_routes
        self._done = 0
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._rows: dict[int, _Row] = {}
        self._bar = Progress(
            TextColumn("[bold]{task.description}"), BarColumn(bar_width=24), TextColumn("{task.percentage:>4.0f} %"),
            TextColumn("{task.fields[note]}"), console=console,
        )  # fmt: skip
        self._routes = self._bar.add_task("all routes", total=100.0 * total_routes, note="")
        self._started = time.perf_counter()

    def __enter__(self) -> DriveProgress:
        if self._console.is_terminal:
            self._live = Live(self._bar, console=self._console, auto_refresh=False)
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def say(self, line: str) -> None:
        """One line that stays."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def begin(self, worker: int, label: str) -> None:
        """A worker takes a route."""
        with self._lock:
            old = self._rows.get(worker)
            bar = old.bar if old else self._bar.add_task("", total=100.0, note="")
            self._bar.update(bar, description=f"route {label}", completed=0.0, note="")
            self._rows[worker] = _Row(bar, label, time.perf_counter(), PLAIN_STEP_PERCENT)

    def show(self, worker: int, glimpse: Glimpse) -> None:
        """What a worker's drive looks like now."""
        with self._lock:
            row = self._rows[worker]
            row.completion_percent, row.lines = glimpse.completion_percent, glimpse.lines
            factor = glimpse.simulated_s / max(time.perf_counter() - row.started, 1e-6)
            if self._live is not None:
                self._bar.update(
                    row.bar, completed=glimpse.completion_percent, note=f"{factor:.1f}x real time"
                )
                self._draw(self._live)
            elif glimpse.completion_percent >= row.next_plain:
                row.next_plain += PLAIN_STEP_PERCENT
                self.say(f"  route {row.label}: {glimpse.completion_percent:.0f} %, {factor:.1f}x real time")

    def end(self, worker: int, *, finished: bool) -> None:
        """A worker's route is over; one that is to be driven again is not counted."""
        with self._lock:
            self._done += finished
            self._rows[worker].completion_percent = 0.0
            self._bar.update(self._routes, completed=100.0 * self._done)

    def _draw(self, live: Live) -> None:
        share = (self._done + sum(row.completion_percent for row in self._rows.values()) / 100) / self._total
        spent_s = time.perf_counter() - self._started
        eta_s = spent_s * (1 - share) / share if share > 0.01 else float("nan")
        self._bar.update(self._routes, completed=100.0 * share * self._total, note=f"ETA {_clock(eta_s)}")
        wordy = self._rows.values() if len(self._rows) <= WORDY_WORKERS else ()
        live.update(Group(self._bar, *(line for row in wordy for line in row.lines)), refresh=True)


def glimpse_of(truth: Truth, decision: Decision, completion_percent: float, simulated_s: float) -> Glimpse:
    """A drive's present moment."""
    return Glimpse(simulated_s, completion_percent, tuple(describe(truth, decision)))


def describe(truth: Truth, decision: Decision) -> list[Text]:
    """Two lines: how the car moves, and what the model said last, with the guard's word on it."""
    speed = float((truth.ego[5] ** 2 + truth.ego[6] ** 2) ** 0.5)
    command, plan = decision.command, decision.plan
    target = f"{decision.longitudinal.target:4.1f}" if plan is not None else "  - "
    moves = Text(
        f"  speed {speed:4.1f} m/s  target {target}  throttle {command.throttle:.2f}  brake {command.brake:.2f}"
        f"  steer {command.steer:+.2f}"
    )
    says = Text("  ")
    if decision.scene is not None:
        describe_scene(decision.scene, says)
    elif plan is not None and plan.reason:
        says.append(plan.reason, style="italic")
    if decision.guard:
        says.append(f"  guard: {decision.guard}", style="bold red")
    return [moves, says]


def describe_scene(scene: Scene, line: Text) -> None:
    """Append what is seen: light, gap, how many road users."""
    line.append("light ")
    line.append(scene.light.name.lower(), style=LIGHT_STYLE[scene.light])
    line.append("  ahead " + ("free" if scene.lead_gap_m is None else f"{scene.lead_gap_m:.0f} m"))
    line.append(f"  {len(scene.objects)} road users in view")


def _clock(seconds: float) -> str:
    return "--:--" if seconds != seconds else f"{int(seconds) // 60:d}:{int(seconds) % 60:02d}"
