"""The page of an open-loop run: its tables, and the samples where the first planner was worst, with pictures.

Reads openloop.json, samples.parquet and the scenes' logs; one self-contained file comes out. Worst are the samples in
which the plan collides by the exact protocol, then those furthest from what was driven.
"""

from __future__ import annotations

import base64
import heapq
import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from replay.birdseye import BirdsEye, upward_view
from replay.camera_view import CameraView
from replay.draw import polyline
from replay.episode import Film, Timeline

HORIZONS = ("1s", "2s", "3s", "avg")
AHEAD_US = 3_000_000
TRUTH_COLOR = (52, 196, 132)
FRONT_PX, SMALL_PX, ABOVE_PX = (640, 360), (200, 112), (360, 360)
JPEG_QUALITY = 82
BATCH_ROWS = 5000  # of samples.parquet, read at a time
STYLE = """
table { border-collapse: collapse; width: 100%; font-size: 13.5px; margin-top: 8px; }
th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid var(--line); } th { color: var(--muted); font-weight: 500; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; }
article { border-top: 1px solid var(--line); padding: 24px 0; }
article .shots { display: grid; grid-template-columns: minmax(0, 640fr) minmax(0, 360fr); gap: 8px; margin-top: 10px; }
article .others { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px; margin-top: 8px; }
article figure { margin: 0; padding: 0; }
article img { width: 100%; display: block; border-radius: 4px; } figcaption { font-size: 12px; color: var(--muted); }
code { font-size: 12.5px; overflow-wrap: anywhere; }
"""


def write_openloop_page(out: Path, worst: int) -> Path:
    """Write `out`/openloop.html with the `worst` samples that have a log; returns it."""
    result = json.loads((out / "openloop.json").read_text())
    cards = list(_cards(out, _worst(out, next(iter(result["planners"]), ""), worst)))
    style = (Path(__file__).parent / "report.css").read_text() + STYLE
    body = [_head(result), *(_table(name, result) for name in result["protocols"]), _sub_scores(result)]
    body += [_perception(name, row) for name, row in result["planners"].items() if "perception" in row]
    body += [
        _detection(name, row["perception"]["nuscenes_detection"])
        for name, row in result["planners"].items()
        if "nuscenes_detection" in row.get("perception", {})
    ]
    body.append(
        f"<section><h2>Worst samples of the first planner ({len(cards)})</h2>{''.join(cards) or _nothing()}</section>"
    )
    page = out / "openloop.html"
    page.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Open loop: {html.escape(_title(result))}</title><style>{style}</style>"
        f"<main>{''.join(body)}</main></html>"
    )
    return page


def _title(result: dict[str, Any]) -> str:
    return Path(result["settings"]["data"]).name


def _head(result: dict[str, Any]) -> str:
    settings = result["settings"]
    facts = [f"{settings['version']}, split {settings['split']}", settings["failure_policy"]]
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{row['plans']}</td><td>{row['without_plan']}</td><td>{row['failed']}</td>"
        f"<td>{_said(row['ego_status'])}</td><td>{_said(row['command'])}</td></tr>"
        for name, row in result["planners"].items()
    )
    return (
        f'<header class="top"><p class="kind">open loop</p><h1>{html.escape(_title(result))}</h1>'
        + "".join(f'<p class="facts">{html.escape(str(fact))}</p>' for fact in facts)
        + '</header><section><h2>Planners</h2><div class="scroll"><table><tr><th>planner</th><th>plans</th>'
        f"<th>without</th><th>failed</th><th>ego status</th><th>command</th></tr>{rows}</table></div></section>"
    )


def _said(value: bool | None) -> str:  # noqa: FBT001
    return {None: "not told", True: "yes", False: "no"}[value]


def _table(protocol: str, result: dict[str, Any]) -> str:
    head = "".join(f"<th>{name} {t}</th>" for name in ("L2", "coll. %") for t in HORIZONS)
    rows = []
    for planner, row in result["planners"].items():
        scores = row["protocols"][protocol]
        cells = [_cell(scores["L2"][t], 1.0, 3) for t in HORIZONS]
        cells += [_cell(scores["obj_box_col"][t], 100.0, 2) for t in HORIZONS]
        cells += [str(scores["samples"]), str(scores["truth_collisions"])]
        rows.append(
            f"<tr><td>{html.escape(planner)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        )
    return (
        f"<section><h2>{html.escape(protocol)}: {html.escape(result['protocols'][protocol])}</h2>"
        f'<div class="scroll"><table><tr><th>planner</th>{head}<th>samples</th><th>truth collides</th></tr>'
        f"{''.join(rows)}</table></div></section>"
    )


def _sub_scores(result: dict[str, Any]) -> str:
    """In NAVSIM's style; scenes without a map are told, not judged."""
    names = {
        "no_collision": "no collision", "drivable_area": "on the road", "progress": "progress",
        "time_to_collision": "time to collision", "comfort": "comfort", "pdms_style": "PDMS",
    }  # fmt: skip
    head = "".join(f"<th>{title} %</th>" for title in names.values())
    rows = "".join(
        f"<tr><td>{html.escape(planner)}</td>"
        + "".join(f"<td>{_cell(row['pdms_style'][name], 100.0, 1)}</td>" for name in names)
        + f"<td>{row['pdms_style']['plans']}</td></tr>"
        for planner, row in result["planners"].items()
        if row["pdms_style"]
    )
    notes = "".join(
        f'<p class="note">without {scenes} scene(s): {html.escape(reason)}</p>'
        for reason, scenes in result["scenes_without_map"].items()
    )
    table = f'<div class="scroll"><table><tr><th>planner</th>{head}<th>plans</th></tr>{rows}</table></div>'
    return (
        "<section><h2>pdms_style: sub-scores in the style of NAVSIM (docs/openloop.md says what differs)</h2>"
        f"{table if rows else ''}{notes}</section>"
    )


def _perception(planner: str, row: dict[str, Any]) -> str:
    """What a model saw, and how well it foretold those whom it saw."""
    seen = row["perception"]
    rows = ""
    for group, future in seen["prediction"].items():
        found = seen["detection"][group]
        cells = [str(found[name]) for name in ("to_see", "found", "false_alarms")]
        cells += [_cell(future["min_ade_m"], 1.0, 2), _cell(future["min_fde_m"], 1.0, 2)]
        cells += [_cell(future["miss_rate"], 100.0, 1), _cell(future["epa"], 1.0, 3)]
        rows += f"<tr><td>{group}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    return (
        f"<section><h2>What {html.escape(planner)} sees within 40 m, and its forecasts for 3 s</h2>"
        '<div class="scroll"><table><tr><th></th><th>to see</th><th>found</th><th>false alarms</th><th>minADE m</th>'
        f"<th>minFDE m</th><th>missed %</th><th>EPA</th></tr>{rows}</table></div></section>"
    )


def _detection(planner: str, scores: dict[str, Any]) -> str:
    """nuScenes' detection metrics of the classes that were there, and their means over all ten."""
    errors = ("ATE", "ASE", "AOE", "AVE", "AAE")
    told = [(name, row["boxes"], row["AP"], [row[error] for error in errors])
            for name, row in scores["classes"].items() if row["boxes"]]  # fmt: skip
    told.append(("mean of 10 classes", "", scores["mAP"], [scores[f"m{error}"] for error in errors]))
    rows = "".join(
        f"<tr><td>{name}</td><td>{boxes}</td>"
        + "".join(f"<td>{_cell(value, 1.0, 3)}</td>" for value in (precision, *values))
        + "</tr>"
        for name, boxes, precision, values in told
    )
    return (
        f"<section><h2>What {html.escape(planner)} sees, by nuScenes' detection metrics: NDS {scores['NDS']:.3f}</h2>"
        '<div class="scroll"><table><tr><th></th><th>boxes</th><th>AP</th><th>ATE m</th><th>ASE *</th><th>AOE rad</th>'
        f"<th>AVE m/s</th><th>AAE *</th></tr>{rows}</table></div>"
        '<p class="note">* no model of ours tells a size or an attribute: the size of the class and what follows from '
        "speed are filled in</p></section>"
    )


def _cell(value: float | None, scale: float, digits: int) -> str:
    return "-" if value is None else f"{value * scale:.{digits}f}"


def _worst(out: Path, planner: str, count: int) -> list[dict[str, Any]]:
    rows = _rows(out / "samples.parquet", planner, "exact")
    there = (row for row in rows if (out / "routes" / row["scene"] / "log.mcap").exists())
    return heapq.nsmallest(
        count, there, key=lambda row: (not any(row["collided"]), -max(row["l2_m"]), row["token"])
    )


def _rows(file: Path, planner: str, protocol: str) -> Iterator[dict[str, Any]]:
    from pyarrow import compute, parquet

    with parquet.ParquetFile(file) as rows:
        for batch in rows.iter_batches(batch_size=BATCH_ROWS):
            is_mine = compute.and_(  # pyright: ignore[reportAttributeAccessIssue]
                compute.equal(batch["planner"], planner),  # pyright: ignore[reportAttributeAccessIssue]
                compute.equal(batch["protocol"], protocol),  # pyright: ignore[reportAttributeAccessIssue]
            )
            yield from batch.filter(is_mine).to_pylist()


def _cards(out: Path, rows: list[dict[str, Any]]) -> Iterator[str]:
    opened: dict[str, Timeline] = {}
    for row in rows:
        scene = row["scene"]
        if scene not in opened:
            opened = {scene: Timeline(out / "routes" / scene / "log.mcap")}
        yield _card(out, opened[scene], row)


def _card(out: Path, timeline: Timeline, row: dict[str, Any]) -> str:
    index = timeline.index_at(row["time_us"])
    moment = timeline.moments[index]
    future = np.array(
        [(m.pose.x_m, m.pose.y_m) for m in timeline.moments[index:] if m.time_us <= row["time_us"] + AHEAD_US]
    )
    errors = " ".join(f"{row['l2_m'][k]:.2f}" for k in (1, 3, 5))
    hits = [f"{(k + 1) / 2:g} s" for k, hit in enumerate(row["collided"]) if hit]
    said = moment.record.reply.text if moment.record and moment.record.reply else None
    if moment.record and moment.record.plan_error:
        said = moment.record.plan_error.reason
    verdict = f'<span class="bad">collides at {", ".join(hits)}</span>' if hits else "no collision"
    told = (
        f"error {errors} m at 1, 2, 3 s, {verdict}"
        if row["used"]
        else "the scene ends here, nothing to compare with"
    )
    at_s = (row["time_us"] - timeline.start_us) / 1e6
    pictures = [
        f"<figure>{_image(picture)}</figure>" for picture in _big(timeline, moment, future, row["time_us"])
    ]
    others = [
        f"<figure>{_image(cv2.resize(film.picture(k).rgb, SMALL_PX, interpolation=cv2.INTER_AREA))}<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, film in timeline.films.items()
        if film is not timeline.front and (k := film.index_at(row["time_us"])) is not None
    ]
    return (
        f"<article><h3>{html.escape(row['scene'])}, {at_s:.1f} s</h3>"
        f'<p class="facts">{html.escape(row["planner"])}: {told}; command {row["command"]}</p>'
        + (f"<p>{html.escape(said)}</p>" if said else "")
        + f'<div class="shots">{"".join(pictures)}</div><div class="others">{"".join(others)}</div>'
        f'<p class="note"><code>drive-agent replay view {html.escape(str(out))} route={html.escape(row["scene"])} at={at_s:.1f}</code></p></article>'
    )


def _big(timeline: Timeline, moment: Any, future: np.ndarray, time_us: int) -> Iterator[np.ndarray]:
    """The front picture and the view from above, each with the plan and, in green, what was driven."""
    front: Film | None = timeline.front
    at = front.index_at(time_us) if front else None
    if front is not None and at is not None:
        picture = front.picture(at)
        image = CameraView(front.mount, *FRONT_PX).draw(picture, moment)
        driven = picture.pose.from_world(future)
        ground = np.column_stack([driven, np.zeros(len(driven))])[driven[:, 0] > front.mount.x_m + 1.0]
        if len(ground) > 1:
            pixels, _ = front.mount.project(ground)
            polyline(
                image,
                pixels * (FRONT_PX[0] / front.mount.width, FRONT_PX[1] / front.mount.height),
                TRUTH_COLOR,
                2,
            )
        yield image
    above = BirdsEye(timeline.road_map, timeline.header.route.points[:, :2], upward_view(*ABOVE_PX))
    image = above.draw(moment, future[:1].repeat(2, axis=0))
    affine = above.view.to_pixels(moment.pose)
    if len(future) > 1:
        polyline(image, future @ affine[:, :2].T + affine[:, 2], TRUTH_COLOR, 2)
    yield image


def _image(rgb: np.ndarray) -> str:
    data = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )[1]
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}">'


def _nothing() -> str:
    return '<p class="note">no sample has a log: score again with logs=true</p>'
