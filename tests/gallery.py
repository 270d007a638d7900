"""Pictures of the embedded server's looks for the docs: `python -m tests.gallery FILE.jpg`.

One street with traffic and people in every weather named; with `--views`, kinds of roads; or, with `--before COMMIT`, some
places as the simulator of that commit draws them and as it draws them now.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from functools import lru_cache
from pathlib import Path

import carla
import cv2
import numpy as np

from drive_agent.sim.catalogue import VEHICLES, WALKERS
from drive_agent.sim.render.camera import Camera, DrawnActor
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.scenery import Scenery, build_scenery
from scenarios import towns

STREET, JUNCTION = "Brookfield", "Crossley"
SIZE, FOV_DEG, EYE_M = (480, 270), 90.0, 1.6
STRAIGHT_M = 70.0

WEATHERS = {  # cloudiness, rain, puddles, wind, azimuth, altitude, fog, ...: carla.WeatherParameters
    "noon": [15, 0, 0, 0, 45, 60, 2, 0.75, 0.1, 0, 1, 0.03, 0.0331, 0],
    "low sun": [30, 0, 0, 0, 200, 6, 3, 0.75, 0.1, 0, 1, 0.03, 0.0331, 0],
    "rain": [80, 60, 60, 30, 60, 25, 8, 0.75, 0.1, 80, 1, 0.03, 0.0331, 0],
    "fog": [60, 0, 0, 0, 45, 40, 60, 5, 0.1, 0, 1, 0.03, 0.0331, 0],
    "night": [20, 0, 0, 0, 45, -40, 2, 0.75, 0.1, 0, 1, 0.03, 0.0331, 0],
    "rain by night": [80, 50, 60, 20, 45, -40, 5, 0.75, 0.1, 90, 1, 0.03, 0.0331, 0],
}
# vehicle, metres ahead, metres to the right, faces us, light flags by day (carla.VehicleLightState)
TRAFFIC = (
    ("vehicle.tesla.model3", 11.0, 0.0, False, 8 | 16), ("vehicle.mitsubishi.fusorosa", 20.0, 0.0, False, 0),
    ("vehicle.audi.a2", 14.0, -3.5, True, 0), ("vehicle.dodge.charger_police", 24.0, -3.5, True, 512),
    ("vehicle.ford.ambulance", 36.0, -3.5, True, 0), ("vehicle.bh.crossbike", 7.0, 1.6, False, 0),
)  # fmt: skip
PEOPLE_M = (9.0, 12.0, 15.0, 18.0, 22.0)
LAMPS_BY_NIGHT = 1 | 2
BEFORE_LIGHT_M, ASIDE_OF_LIGHT_M = 24.0, 2.5
STEP_M = 40.0  # between the places of a town that are numbered
# town and number of a place in it, or a name above; weather
COMPARED = (
    ("street", "rain"), ("junction", "rain by night"), ("Crossley 140", "noon"), ("Westlake 520", "low sun"),
    ("Crossley 245", "noon"),
)  # fmt: skip
VIEWS = {
    "motorway": "Longmere 313", "ramp": "Westlake 530", "country road": "Highmoor 283",
    "boulevard": "Longmere 394", "parking lanes": "Gridley 317", "bicycle lane": "Westlake 321",
}  # fmt: skip


def _straight(town: carla.Map) -> carla.Waypoint:
    """A place before a straight piece of road."""
    for here in town.generate_waypoints(30.0):
        ahead = here.next(STRAIGHT_M)
        if len(ahead) == 1 and not here.is_junction and not ahead[0].is_junction and here.lane_id < 0:
            turn_deg = ahead[0].transform.rotation.yaw - here.transform.rotation.yaw
            if abs((turn_deg + 180.0) % 360.0 - 180.0) < 3.0:
                return here
    raise ValueError(f"no straight road of {STRAIGHT_M} m; choose another town")


def _traffic(here: carla.Waypoint, *, night: bool) -> list[DrawnActor]:
    models = {model.type_id: model for model in VEHICLES}
    actors = []
    for number, (type_id, ahead_m, right_m, facing, flags) in enumerate(TRAFFIC, 1):
        pose, model = here.next(ahead_m)[0].transform, models[type_id]
        place = pose.location + pose.get_right_vector() * right_m
        yaw = pose.rotation.yaw + 180.0 * facing
        color = tuple(int(part) for part in model.colors[number % len(model.colors)].split(","))
        lamps = flags | LAMPS_BY_NIGHT * night
        actors.append(
            DrawnActor(number, type_id, place.x, place.y, place.z, 0, yaw, 0, model.half_extents_m, color, lamps, 8.0, 8.0)
        )  # fmt: skip
    for number, ahead_m in enumerate(PEOPLE_M, 100):
        pose, model = here.next(ahead_m)[0].transform, WALKERS[3 * number % len(WALKERS)]
        place = pose.location + pose.get_right_vector() * (5.2 + 0.5 * (number % 3))
        yaw, height = pose.rotation.yaw + 180.0 * (number % 2), model.half_extents_m[2] + 0.15
        actors.append(
            DrawnActor(number, model.type_id, place.x, place.y, place.z + height, 0, yaw, 0, model.half_extents_m, (90, 90, 90), 0, 0.0, 1.3)
        )  # fmt: skip
    return actors


def _eye(pose: carla.Transform) -> Camera:
    place = (pose.location.x, pose.location.y, pose.location.z + EYE_M)
    return Camera(*SIZE, FOV_DEG, *place, 0.0, pose.rotation.yaw, 0.0)


def _before_light(town: carla.Map, scenery: Scenery) -> carla.Transform:
    """On the lane before the first traffic light, in its direction."""
    light = scenery.lights[0]
    ahead = np.array([np.cos(light.yaw_rad), np.sin(light.yaw_rad)])
    right = np.array([-ahead[1], ahead[0]])
    x, y = np.array([light.x, light.y]) - BEFORE_LIGHT_M * ahead - ASIDE_OF_LIGHT_M * right
    pose = town.get_waypoint(carla.Location(x, y, light.z)).transform
    pose.rotation.yaw = np.degrees(light.yaw_rad)
    return pose


@lru_cache(maxsize=1)
def _scene(name: str) -> tuple[carla.Map, Scenery]:
    text = towns.load(name)
    town = carla.Map(name, text)
    return town, build_scenery(town, text)


def picture(place: str, weather: str, caption: str = "") -> np.ndarray:
    """uint8 (h, w, 3) BGR: "street", "junction" or "TOWN NUMBER" in a weather, with a caption or the weather's name."""
    name, _, number = {"street": STREET, "junction": JUNCTION}.get(place, place).partition(" ")
    town, scenery = _scene(name)
    renderer, actors = Renderer(scenery), []
    if place == "street":
        here = _straight(town)
        pose, actors = here.transform, _traffic(here, night="night" in weather)
    elif place == "junction":
        pose = _before_light(town, scenery)
    else:
        pose = town.generate_waypoints(STEP_M)[int(number)].transform
    renderer.set_weather(WEATHERS[weather])
    renderer.set_lights({light.signal_id: 0 for light in scenery.lights})
    drawn = renderer.render([_eye(pose)], actors)[0].bgra[..., :3]
    return _named(np.ascontiguousarray(drawn), caption or weather)


def _compared(commit: str) -> np.ndarray:
    """uint8 (h, w, 3) BGR: a row a place, left by a commit's simulator, right by this one."""
    rows = [np.hstack(pair) for pair in zip(_drawn_by(commit), _all_compared(), strict=True)]
    return np.vstack(rows)


def _all_compared() -> list[np.ndarray]:
    return [picture(place, weather) for place, weather in COMPARED]


def _drawn_by(commit: str) -> list[np.ndarray]:
    """What this file draws with the packages of a commit: another process, whose Python finds those first."""
    archive = subprocess.run(
        ["git", "archive", commit, "drive_agent", "scenarios"], check=True, capture_output=True
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")
        file = Path(folder) / "before.png"
        command = [sys.executable, __file__, str(file), "--column"]
        subprocess.run(command, check=True, cwd=folder, env=os.environ | {"PYTHONPATH": folder})
        column = cv2.imread(str(file))
    return np.split(column, len(COMPARED))


def _named(picture: np.ndarray, name: str) -> np.ndarray:
    return cv2.putText(
        picture, name, (8, 262), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA
    )


def _beside(drawn: list[np.ndarray], columns: int) -> np.ndarray:
    """uint8 (h, w, 3) BGR: pictures in rows."""
    drawn += [np.zeros_like(drawn[0])] * (-len(drawn) % columns)
    return np.vstack([np.hstack(drawn[k : k + columns]) for k in range(0, len(drawn), columns)])


def main() -> None:
    """Write one picture."""
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--weathers", nargs="+", default=list(WEATHERS), choices=list(WEATHERS))
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument(
        "--before", metavar="COMMIT", help="draw some places by this commit and by the present one"
    )
    parser.add_argument("--column", action="store_true", help="draw those places, present ones alone")
    parser.add_argument("--views", action="store_true", help="draw kinds of roads")
    asked = parser.parse_args()
    if asked.before:
        drawn = _compared(asked.before)
    elif asked.column:
        drawn = np.vstack(_all_compared())
    elif asked.views:
        drawn = _beside([picture(place, "noon", kind) for kind, place in VIEWS.items()], asked.columns)
    else:
        drawn = _beside([picture("street", weather) for weather in asked.weathers], asked.columns)
    cv2.imwrite(str(asked.file), drawn, [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
