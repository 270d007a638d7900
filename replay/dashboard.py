"""The strip below the pictures: clock, speed against target, pedals and wheel, what the model sees, why it plans so.

Knows one moment at a time; the bar at the bottom shows where in the drive it is and where infractions happened.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from drive_agent.types import LightState, Maneuver, ObjectKind
from replay import palette
from replay.captions import MILD, title
from replay.draw import bar, disc, polyline
from replay.episode import Moment, Timeline
from replay.palette import Color
from replay.plans import STANDING_MPS, stops
from replay.text import put, shortened, width_of, wrapped

HEIGHT = 116
FULL_SPEED_MPS = 16.0
MARGIN = 22
_COLUMNS = (22, 206, 416, 662, 852)  # clock, speed, controls, model sees, plan
_LABEL_Y, _SIZE = 24, 13
PAST_S, AHEAD_S = 9.0, 3.0  # what the little plot of speed shows
_PLOT_LEFT, _PLOT_WIDTH, _PLOT_TOP, _PLOT_HEIGHT = 1092, 166, 38, 50
_NAMES = {
    Maneuver.LEFT: "turn left",
    Maneuver.RIGHT: "turn right",
    Maneuver.STRAIGHT: "go straight",
    Maneuver.LANE_FOLLOW: "follow lane",
    Maneuver.CHANGE_LANE_LEFT: "change lane left",
    Maneuver.CHANGE_LANE_RIGHT: "change lane right",
}
_PLURALS = ((ObjectKind.VEHICLE, "vehicle"), (ObjectKind.CYCLIST, "cyclist"), (ObjectKind.WALKER, "walker"))


class Dashboard:
    """Draws strips for one drive."""

    def __init__(self, timeline: Timeline, width: int) -> None:
        self.width = width
        self._timeline = timeline
        self._start_us = timeline.start_us
        self._span_us = max(timeline.times_us[-1] - timeline.start_us, 1)
        self._ground = np.full((HEIGHT, width, 3), palette.PANEL, np.uint8)
        self._ground[0] = palette.LINE
        for x in _COLUMNS[1:]:
            self._ground[16 : HEIGHT - 22, x - 17] = palette.LINE
        self._speeds_mps = np.array([moment.speed_mps for moment in timeline.moments])
        self._targets_mps = np.array([_target(moment) for moment in timeline.moments])
        self._name = f"route {timeline.header.route_id} · {timeline.header.town}"

    def draw(self, index: int) -> np.ndarray:
        """The strip of the tick with this index, uint8 (HEIGHT, width, 3)."""
        image, moment = self._ground.copy(), self._timeline.moments[index]
        self._draw_clock(image, moment)
        _draw_speed(image, moment)
        _draw_controls(image, moment)
        _draw_seen(image, moment)
        self._draw_plan(image, moment)
        self._draw_speeds(image, index)
        self._draw_progress(image, moment)
        return image

    def _draw_clock(self, image: np.ndarray, moment: Moment) -> None:
        x = _COLUMNS[0]
        put(image, shortened(self._name, _SIZE, 156), x, _LABEL_Y, _SIZE, palette.MUTED)
        put(image, clock_text((moment.time_us - self._start_us) / 1e6), x, 62, 32, palette.TEXT)
        if moment.maneuver is not None:
            put(image, _NAMES[moment.maneuver], x, 86, 14, palette.ACCENT)

    def _draw_plan(self, image: np.ndarray, moment: Moment) -> None:
        x, record = _COLUMNS[4], moment.record
        width = _PLOT_LEFT - x - MARGIN
        label, lines, color = "plan", [], palette.TEXT
        if record is not None and record.plan_error is not None:
            label, color = "no plan", palette.STOP
            lines = wrapped(record.plan_error.reason, 14, width, 2)
        elif moment.plan is not None:
            age_s = (moment.time_us - moment.plan.time_us) / 1e6
            label = f"plan, {age_s:.2f} s old"
            lines = wrapped(moment.plan.reason or _plan_words(moment), 14, width, 2)
        put(image, label, x, _LABEL_Y, _SIZE, palette.MUTED)
        for k, line in enumerate(lines):
            put(image, line, x, 48 + 19 * k, 14, color)
        if record is not None and record.guard:
            disc(image, x + 4, 83, 4, palette.CAUTION)
            put(image, shortened(f"guard: {record.guard}", 13, width - 14), x + 14, 88, 13, palette.CAUTION)

    def _draw_speeds(self, image: np.ndarray, index: int) -> None:
        """The last seconds of speed and target, and the speeds planned next."""
        moment, times = self._timeline.moments[index], self._timeline.times_us
        first = self._timeline.index_at(times[index] - round(PAST_S * 1e6))
        put(image, "speed, past and planned", _PLOT_LEFT, _LABEL_Y, _SIZE, palette.MUTED)
        past_s = (np.array(times[first : index + 1 : 2]) - times[index]) / 1e6
        _draw_curve(
            image, past_s, self._targets_mps[first : index + 1 : 2], palette.shade(palette.ACCENT, 0.75)
        )
        _draw_curve(image, past_s, self._speeds_mps[first : index + 1 : 2], palette.TEXT)
        if moment.plan is not None:
            ahead_s = moment.plan.speed_times_s + (moment.plan.time_us - times[index]) / 1e6
            colors = palette.speed_colors(moment.plan.speeds_mps)
            for k in range(len(ahead_s) - 1):
                _draw_curve(image, ahead_s[k : k + 2], moment.plan.speeds_mps[k : k + 2], colors[k])
        now = _PLOT_LEFT + round(_PLOT_WIDTH * PAST_S / (PAST_S + AHEAD_S))
        image[_PLOT_TOP - 6 : _PLOT_TOP + _PLOT_HEIGHT + 4, now] = palette.LINE
        disc(image, now, float(_curve_y(moment.speed_mps)), 3.0, palette.TEXT)

    def _draw_progress(self, image: np.ndarray, moment: Moment) -> None:
        y, width = HEIGHT - 10, self.width - 2 * MARGIN
        bar(image, MARGIN, y, width, 4, palette.TRACK)
        done = (moment.time_us - self._start_us) / self._span_us
        bar(image, MARGIN, y, max(round(width * done), 4), 4, palette.ACCENT)
        for event in self._timeline.events:
            x = MARGIN + width * (event.time_us - self._start_us) / self._span_us
            disc(image, x, y + 1.5, 4.5, palette.PANEL)
            disc(image, x, y + 1.5, 3.5, palette.CAUTION if event.kind in MILD else palette.STOP)


def clock_text(seconds: float) -> str:
    """Minutes, seconds and tenths: 1:07.3."""
    tenths = math.floor(seconds * 10 + 1e-6)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def draw_captions(image: np.ndarray, kinds: Sequence[str], center: int, top: int) -> None:
    """What just went wrong, in pills below each other around `center`."""
    for place, kind in enumerate(kinds[-3:]):
        text = title(kind).upper()
        width = width_of(text, 19, bold=True) + 44
        y = top + 42 * place
        bar(
            image,
            center - width // 2,
            y,
            width,
            34,
            palette.shade(palette.CAUTION, 0.8) if kind in MILD else palette.STOP,
        )
        put(image, text, center, y + 24, 19, (255, 255, 255), bold=True, align="center")


def _target(moment: Moment) -> float:
    """The speed asked of the controller, NaN where there was no plan to follow."""
    return moment.record.longitudinal.target if moment.record and moment.plan is not None else float("nan")


def _curve_y(speed_mps: np.ndarray | float) -> np.ndarray | float:
    return _PLOT_TOP + _PLOT_HEIGHT * (1 - np.clip(speed_mps, 0.0, FULL_SPEED_MPS) / FULL_SPEED_MPS)


def _draw_curve(image: np.ndarray, times_s: np.ndarray, speeds_mps: np.ndarray, color: Color) -> None:
    known = np.isfinite(speeds_mps)
    columns = _PLOT_LEFT + _PLOT_WIDTH * (times_s[known] + PAST_S) / (PAST_S + AHEAD_S)
    polyline(image, np.stack([columns, _curve_y(speeds_mps[known])], -1), color, 2)


def _draw_speed(image: np.ndarray, moment: Moment) -> None:
    x, speed, target = _COLUMNS[1], moment.speed_mps, _target(moment)
    put(image, "speed", x, _LABEL_Y, _SIZE, palette.MUTED)
    wide = put(image, f"{speed:.1f}", x, 62, 32, palette.TEXT)
    put(image, "m/s", x + wide + 6, 62, 14, palette.MUTED)
    if math.isfinite(target):
        put(image, f"target {target:.1f}", x + 172, 62, 14, palette.ACCENT, align="right")
    width = 172
    bar(image, x, 76, width, 8, palette.TRACK)
    bar(image, x, 76, round(width * min(speed / FULL_SPEED_MPS, 1.0)), 8, palette.TEXT)
    if math.isfinite(target):
        mark = x + round(width * min(target / FULL_SPEED_MPS, 1.0))
        image[72:88, max(mark - 1, x) : mark + 2] = palette.ACCENT


def _draw_controls(image: np.ndarray, moment: Moment) -> None:
    if moment.record is None:
        return
    x, command = _COLUMNS[2], moment.record.command
    _draw_pedal(image, x, 29, "throttle", command.throttle, palette.GO)
    _draw_pedal(image, x, 55, "brake", command.brake, palette.STOP)
    put(image, "steer", x, 81, _SIZE, palette.MUTED)
    left, width = x + 62, 110
    bar(image, left, 72, width, 8, palette.TRACK)
    center = left + width // 2
    end = center - round((width / 2 - 4) * max(min(command.steer, 1.0), -1.0))  # left is positive
    bar(image, min(center, end) - 4, 72, abs(end - center) + 8, 8, palette.ACCENT)
    put(image, f"{command.steer:+.2f}".replace("-0.00", "+0.00"), left + width + 8, 81, _SIZE, palette.TEXT)


def _draw_pedal(image: np.ndarray, x: int, y: int, label: str, value: float, color: Color) -> None:
    put(image, label, x, y, _SIZE, palette.MUTED)
    bar(image, x + 62, y - 9, 110, 8, palette.TRACK)
    bar(image, x + 62, y - 9, round(110 * min(max(value, 0.0), 1.0)), 8, color)
    put(image, f"{abs(value):.2f}", x + 180, y, _SIZE, palette.TEXT)


def _draw_seen(image: np.ndarray, moment: Moment) -> None:
    x, scene = _COLUMNS[3], moment.scene
    put(image, "model sees", x, _LABEL_Y, _SIZE, palette.MUTED)
    if scene is None:
        put(image, "nothing asked", x, 48, 14, palette.FAINT)
        return
    disc(image, x + 5, 43, 5, palette.LIGHT_COLORS[scene.light])
    none = scene.light is LightState.NONE
    put(image, "no light" if none else f"{scene.light.name.lower()} light", x + 18, 48, 14, palette.TEXT)
    ahead = "way free" if scene.lead_gap_m is None else f"{scene.lead_gap_m:.0f} m free ahead"
    put(image, ahead, x, 68, 14, palette.TEXT)
    put(image, _count_words(moment), x, 88, 14, palette.SEEN)


def _count_words(moment: Moment) -> str:
    assert moment.scene is not None
    counts = Counter(seen.kind for seen in moment.scene.objects)
    words = [
        f"{counts[kind]} {word}{'s' if counts[kind] > 1 else ''}" for kind, word in _PLURALS if counts[kind]
    ]
    return shortened(", ".join(words) or "nobody", 14, 206)


def _plan_words(moment: Moment) -> str:
    """What a plan without a reason amounts to."""
    assert moment.plan is not None
    last = moment.plan.speeds_mps[-1]
    if stops(moment.plan):
        return (
            "stand"
            if moment.plan.speeds_mps[0] < STANDING_MPS
            else f"stop within {moment.plan.speed_times_s[-1]:.0f} s"
        )
    trend = (
        "speed up to"
        if last > moment.speed_mps + 0.7
        else "slow to"
        if last < moment.speed_mps - 0.7
        else "keep"
    )
    return f"{trend} {last:.1f} m/s"
