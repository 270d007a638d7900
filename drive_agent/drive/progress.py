"""What one sees while it drives: a live panel in a terminal, one line now and then elsewhere. A loop `Listener`."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from drive_agent.types import Decision, LightState, Scene, Truth

REDRAW_S = 0.2
PLAIN_STEP_PERCENT = 25.0
LIGHT_STYLE = {
    LightState.RED: "bold red",
    LightState.YELLOW: "yellow",
    LightState.GREEN: "green",
    LightState.NONE: "dim",
}


class DriveProgress:
    """Routes done, the current route, what the model sees and plans, real-time factor and ETA.

    Use as a context manager; `start_route` before each route.
    """

    def __init__(self, console: Console, total_routes: int) -> None:
        self._console = console
        self._total = total_routes
        self._done = 0
        self._live: Live | None = None
        self._bar = Progress(
            TextColumn("[bold]{task.description}"), BarColumn(bar_width=24), TextColumn("{task.percentage:>4.0f} %"),
            TextColumn("{task.fields[note]}"), console=console,
        )  # fmt: skip
        self._routes = self._bar.add_task("all routes", total=100.0 * total_routes, note="")
        self._route = self._bar.add_task("route", total=100.0, note="")
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
        self._console.print(line, highlight=False)

    def start_route(self, route_id: str) -> None:
        """Set the route's clocks to zero."""
        self._bar.update(self._route, description=f"route {route_id}", completed=0.0)
        self._route_id = route_id
        self._route_started = self._drawn = time.perf_counter()
        self._first_us: int | None = None
        self._next_plain = PLAIN_STEP_PERCENT

    def end_route(self) -> None:
        """Count the route as done, whatever became of it."""
        self._done += 1
        self._bar.update(self._routes, completed=100.0 * self._done)

    def tick(self, truth: Truth, decision: Decision, completion_percent: float) -> None:
        """Redraw a few times a second."""
        now = time.perf_counter()
        self._first_us = truth.time_us if self._first_us is None else self._first_us
        factor = (truth.time_us - self._first_us) / 1e6 / max(now - self._route_started, 1e-6)
        if self._live is None:
            if completion_percent >= self._next_plain:
                self._next_plain += PLAIN_STEP_PERCENT
                self.say(f"  route {self._route_id}: {completion_percent:.0f} %, {factor:.1f}x real time")
            return
        if now - self._drawn < REDRAW_S:
            return
        self._drawn = now
        share = (self._done + completion_percent / 100) / self._total
        eta_s = (now - self._started) * (1 - share) / share if share > 0.01 else float("nan")
        self._bar.update(self._route, completed=completion_percent, note=f"{factor:.1f}x real time")
        self._bar.update(self._routes, completed=100.0 * share * self._total, note=f"ETA {_clock(eta_s)}")
        self._live.update(Group(self._bar, *describe(truth, decision)), refresh=True)


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
