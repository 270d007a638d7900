"""A route and its scenarios from above as a picture: the way, each trigger, and what stands or starts where."""

from __future__ import annotations

import cv2
import numpy as np

from drive_agent.roadmap import RoadMap
from drive_agent.routing import Route
from scenarios.checks import trigger_m
from scenarios.picture import ROUTE_COLORS, Area, Plan, draw_route, plan_of_town
from scenarios.rehearsal import Appearance, rehearse
from scenarios.routes import Pose, RouteSpec
from scenarios.setting import Setting

AROUND_M = 40.0  # shown around the route
SIZE_PX, FINEST = 1600, 8.0  # of the longer side at most; pixels a metre at most
LINE_PX = 22
TRIGGER = (30, 30, 220)  # colours are BGR
COLORS = {"vehicle": (0, 140, 255), "walker": (200, 40, 200), "static": (60, 60, 60)}
HALF_M = {"vehicle": (2.3, 1.0), "walker": (0.8, 0.8), "static": (0.7, 0.7)}
LEGEND = "red: trigger   orange: vehicle   purple: person   dark: thing, as they are put in"


def draw_preview(spec: RouteSpec, road_map: RoadMap, route: Route) -> np.ndarray:
    """BGR uint8 (height, width, 3), north up. Raises ValueError for scenarios that cannot be played there."""
    seen = rehearse(spec, road_map, route)
    triggers_m = [trigger_m(spec, scenario, route) for scenario in spec.scenarios]
    area = _area(route.points[:, :2], np.array([item.pose[:2] for item in seen]).reshape(-1, 2))
    plan = plan_of_town(road_map, min(SIZE_PX / float((area[1] - area[0]).max()), FINEST), area)
    draw_route(plan, route, spec.id, ROUTE_COLORS[0])
    for item in seen:
        _draw(plan, item)
    for number, at_m in enumerate(triggers_m, start=1):
        _draw_trigger(plan, Setting(road_map, route, at_m), number)
    return np.concatenate([_title(spec, triggers_m, plan.image.shape[1]), plan.image])


def _area(route: np.ndarray, things: np.ndarray) -> Area:
    """Of the route (n, 2) and the things (k, 2) that are not far from it; at least half as wide as long."""
    gaps_m = np.linalg.norm(things[:, None] - route[None, ::10], axis=2).min(axis=1, initial=np.inf)
    shown = np.concatenate([route, things[gaps_m < 2 * AROUND_M]])
    low, high = shown.min(0) - AROUND_M, shown.max(0) + AROUND_M
    lacking = np.maximum((high - low).max() / 2 - (high - low), 0.0) / 2
    return low - lacking, high + lacking


def _draw(plan: Plan, item: Appearance) -> None:
    group = item.model.split(".")[0]
    plan.fill(_box(item.pose, *HALF_M[group]), COLORS[group])


def _draw_trigger(plan: Plan, setting: Setting, number: int) -> None:
    heading_rad = setting.here.heading_rad
    across = np.array([-np.sin(heading_rad), np.cos(heading_rad)])
    point = setting.route_point(setting.trigger_m)
    plan.line(np.array([point - 4.0 * across, point + 4.0 * across]), TRIGGER, 0.8)
    plan.text(point + 5.0 * across, str(number), TRIGGER)


def _box(pose: Pose, half_length_m: float, half_width_m: float) -> np.ndarray:
    x_m, y_m, _, yaw_rad = pose
    along = np.array([np.cos(yaw_rad), np.sin(yaw_rad)]) * half_length_m
    across = np.array([-np.sin(yaw_rad), np.cos(yaw_rad)]) * half_width_m
    return np.array([x_m, y_m]) + np.array([along + across, along - across, -along - across, -along + across])


def _title(spec: RouteSpec, triggers_m: list[float], width_px: int) -> np.ndarray:
    lines = [f"route {spec.id} in {spec.town}", LEGEND]
    lines += [
        f"{number}  {scenario.type}  at {at_m:.0f} m"
        for number, (scenario, at_m) in enumerate(zip(spec.scenarios, triggers_m, strict=True), start=1)
    ]
    image = np.full((LINE_PX * len(lines) + 12, width_px, 3), 255, np.uint8)
    for row, line in enumerate(lines, start=1):
        place = (10, LINE_PX * row)
        cv2.putText(image, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA)
    return image
