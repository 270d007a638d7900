"""One route on the report page: video, map, curves, infractions that jump the video, what the model said just then."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from drive_agent.log.schema import Outcome
from drive_agent.log.store import Episode
from drive_agent.roadmap import RoadMap
from drive_agent.score.course import Course, Note
from drive_agent.score.events import Event
from drive_agent.score.verdict import Verdict, verdict_of
from drive_agent.types import LightState
from replay.captions import MILD, title
from replay.dashboard import clock_text
from replay.episode import Timeline
from replay.svg import Curve, Marker, map_places, plot, road_picture, thinned
from replay.video import Screen

SPEED_STEP_MPS = 5.0
POSTER_SIZE = (960, 408)


@dataclass(frozen=True)
class Detail:
    """How much a page can spend on each of its routes: points of a curve, exactness of a map, pictures."""

    points: int
    tolerance_m: float
    posters: bool


RICH = Detail(points=300, tolerance_m=0.3, posters=True)
LEAN = Detail(points=60, tolerance_m=1.0, posters=False)


def route_section(row: dict, name: str, folder: Path, detail: Detail) -> str:
    """HTML of one route. `row` is its row of the summary, `folder` lies in the run as routes/`name`.

    A log that cannot be read is said so on the page.
    """
    log, video = folder / "log.mcap", folder / "video.mp4"
    head = (
        f'<section class="route-section" id="{escape(name)}"><header><h3>{escape(name)}</h3>{status_badge(row["status"])}'
        f'<p class="facts">{escape(_facts(row))}</p></header>'
    )
    if row["reason"]:
        head += f'<p class="note bad">{escape(row["reason"])}</p>'
    if not log.exists():
        return head + '<p class="note">It failed before its log began.</p></section>'
    outcome = Outcome(row["status"], row["reason"], row["wall_s"], row["simulated_s"])
    try:
        drive = Drive.of(log, verdict_of(log, outcome))
    except ValueError as error:
        return head + f'<p class="note bad">{escape(str(error))}</p></section>'
    if not len(drive.course.times_us):
        return head + '<p class="note bad">It ended before its first tick.</p></section>'
    return head + _body(drive, name, detail, has_video=video.exists()) + "</section>"


@dataclass(frozen=True)
class Drive:
    """What a section shows: what is kept of the drive, and the roads and the route out of its log."""

    log: Path
    road_map: RoadMap
    route: np.ndarray  # (n, 2)
    events: tuple[Event, ...]
    course: Course
    truncated: str | None

    @classmethod
    def of(cls, log: Path, verdict: Verdict) -> Drive:
        with Episode.open(log) as episode:
            road_map, route = episode.road_map, np.asarray(episode.route.points)[:, :2]
        return cls(log, road_map, route, verdict.leaderboard.events, verdict.course, verdict.truncated)

    def second(self, time_us: np.ndarray | int) -> np.ndarray | float:
        """Times as seconds from the first tick on."""
        return (time_us - int(self.course.times_us[0])) / 1e6

    @property
    def times_s(self) -> np.ndarray:
        """(n,) of the ticks."""
        return np.asarray(self.second(self.course.times_us))


def status_badge(status: str) -> str:
    """How a route ended, as a coloured word."""
    style = "bad" if status.startswith("Failed") else "good"
    return f'<span class="status {style}">{escape(status)}</span>'


def _facts(row: dict) -> str:
    facts = [
        f"score {row['driving_score']['2.1']:.1f}",
        f"{row['route_completion']:.0f} % of {row['route_length_m']:.0f} m",
        f"{row['simulated_s']:.0f} s",
    ]
    if row["wall_s"] > 0:
        facts.append(f"{row['simulated_s'] / row['wall_s']:.1f}x real time")
    return " · ".join(facts)


def _body(drive: Drive, name: str, detail: Detail, *, has_video: bool) -> str:
    markers = [_marker(drive, event) for event in drive.events]
    times_s = drive.times_s
    stride = max(-(-len(times_s) // detail.points), 1)
    track = drive.course.track[::stride]
    data = {
        "span": round(float(times_s[-1]), 2),
        "step": _step_s(times_s, stride),
        "track": map_places(drive.route, track),
    }
    parts = [f'<div class="player" data-drive="{escape(json.dumps(data, separators=(",", ":")))}">']
    parts.append('<div class="pictures">')
    if has_video:
        parts.append(_screen(drive, f"routes/{quote(name)}/video.mp4", detail))
    parts.append(road_picture(drive.road_map, drive.route, track, markers, detail.tolerance_m))
    parts.append("</div>")
    if drive.truncated:
        parts.append(f'<p class="note bad">{escape(drive.truncated)}</p>')
    parts.append(_event_list(drive))
    parts.append(_plots(drive, markers, detail.points))
    return "".join(parts) + "</div>"


def _screen(drive: Drive, source: str, detail: Detail) -> str:
    poster = f' poster="{_poster(drive.log)}"' if detail.posters else " controls"
    play = '<button class="play" aria-label="play">&#9654;&#xFE0E;</button>' if detail.posters else ""
    return f'<div class="screen"><video muted playsinline preload="none"{poster} src="{escape(source)}"></video>{play}</div>'


def _poster(log: Path) -> str:
    """What the video shows before it is played, as a data URI: the first infraction, else the middle of the drive."""
    timeline = Timeline(log)
    events, count = timeline.events, len(timeline.moments)
    index = timeline.index_at(events[0].time_us) if events else count // 2
    small = cv2.resize(Screen(timeline).draw(index), POSTER_SIZE, interpolation=cv2.INTER_AREA)
    ok, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 72])
    assert ok
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")


def _step_s(times_s: np.ndarray, stride: int) -> float:
    return round(float(times_s[-1] - times_s[0]) / max(len(times_s) - 1, 1) * stride, 4)


def _marker(drive: Drive, event: Event) -> Marker:
    time_s = float(drive.second(event.time_us))
    style = "warn" if event.kind in MILD else "bad"
    return Marker(time_s, event.x_m, event.y_m, f"{clock_text(time_s)} {title(event.kind)}", style)


def _event_list(drive: Drive) -> str:
    """Each infraction with its second, its message, and what the car and the model did just then."""
    if not drive.events:
        return '<p class="note good">No infractions.</p>'
    rows = []
    for event, note in zip(drive.events, drive.course.notes, strict=True):
        time_s = float(drive.second(event.time_us))
        style = "warn" if event.kind in MILD else "bad"
        rows.append(
            f'<li><button data-seek="{time_s:.1f}">{clock_text(time_s)}</button><div><b class="{style}">{title(event.kind)}</b>'
            f" <span>{escape(event.message)}</span><p>{escape(_then(note))}</p></div></li>"
        )
    return f'<ol class="events">{"".join(rows)}</ol>'


def _then(note: Note) -> str:
    """What was going on at an event, in one line."""
    words = [f"{note.speed_mps:.1f} m/s"]
    if note.light is not None:
        light = "no light" if note.light is LightState.NONE else f"a {note.light.name.lower()} light"
        gap = "a free way" if note.gap_m is None else f"{note.gap_m:.0f} m free ahead"
        words.append(f"the model saw {light}, {gap}, {note.road_users} road users")
    if note.planned_mps is not None:
        words.append(f"planned {note.planned_mps:.1f} m/s")
        if note.reason:
            words.append(f"reason: {' '.join(note.reason.split())[:300]}")
    if note.guard:
        words.append(f"guard: {note.guard}")
    return " · ".join(words)


def _plots(drive: Drive, markers: list[Marker], points: int) -> str:
    course, times_s = drive.course, drive.times_s
    speeds, targets, steers = course.speeds_mps, course.targets_mps, course.steers
    top = max(
        SPEED_STEP_MPS,
        float(np.ceil(np.nanmax(np.append(targets, speeds.max())) / SPEED_STEP_MPS)) * SPEED_STEP_MPS,
    )
    span = float(times_s[-1])

    def curve(style: str, values: np.ndarray) -> Curve:
        return Curve(style, *thinned(times_s, values, points))

    speed = plot([curve("target", targets), curve("speed", speeds)], span, 0.0, top, markers)
    reach = max(0.25, float(np.nanmax(np.abs(np.append(steers, 0.0)))))
    parts = [
        _figure(
            "speed",
            "m/s",
            '<i class="speed"></i>driven <i class="target"></i>target',
            speed,
            f"{top:.0f}",
            "0",
        ),
        _figure(
            "steering",
            "left +",
            "",
            plot([curve("steer", steers)], span, -reach, reach, markers),
            f"{reach:.2f}",
            f"-{reach:.2f}",
        ),
    ]
    if len(course.model_ms):
        line = Curve(
            "latency",
            *thinned(np.asarray(drive.second(course.model_us)), course.model_ms, points, peaks=True),
        )
        high = float(course.model_ms.max()) * 1.05
        parts.append(_figure("model", "ms", "", plot([line], span, 0.0, high, markers), f"{high:.0f}", "0"))
    ticks = "".join(
        f"<span>{clock_text(round(share * span))[:-2]}</span>" for share in (0, 0.25, 0.5, 0.75, 1)
    )
    return f'<div class="plots">{"".join(parts)}<div class="times">{ticks}</div></div>'


def _figure(name: str, unit: str, legend: str, svg: str, high: str, low: str) -> str:
    return (
        f'<figure><figcaption>{name}<small>{unit}</small><span class="legend">{legend}</span></figcaption>'
        f'<div class="scale"><span>{high}</span><span>{low}</span></div>{svg}</figure>'
    )
