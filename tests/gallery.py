"""Pictures of the embedded server's looks for the docs: `python -m tests.gallery FILE.jpg`.

One street with traffic and people in every weather named.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import carla
import cv2
import numpy as np

from drive_agent.sim.catalogue import VEHICLES, WALKERS
from drive_agent.sim.render.camera import Camera, DrawnActor
from drive_agent.sim.render.renderer import Renderer
from drive_agent.sim.render.scenery import Scenery, build_scenery
from scenarios import towns

STREET = "Brookfield"
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


def _eye(here: carla.Waypoint) -> Camera:
    pose = here.transform
    place = (pose.location.x, pose.location.y, pose.location.z + EYE_M)
    return Camera(*SIZE, FOV_DEG, *place, 0.0, pose.rotation.yaw, 0.0)


def _scene(name: str) -> tuple[carla.Map, Scenery]:
    text = towns.load(name)
    town = carla.Map(name, text)
    return town, build_scenery(town, text)


def pictures(weathers: tuple[str, ...]) -> list[np.ndarray]:
    """uint8 (h, w, 3) BGR: the street in every weather, with its name."""
    town, scenery = _scene(STREET)
    here, renderer = _straight(town), Renderer(scenery)
    drawn = []
    for name in weathers:
        renderer.set_weather(WEATHERS[name])
        drawn.append((name, renderer.render([_eye(here)], _traffic(here, night="night" in name))[0].bgra))
    return [_named(np.ascontiguousarray(picture[..., :3]), name) for name, picture in drawn]


def _named(picture: np.ndarray, name: str) -> np.ndarray:
    return cv2.putText(
        picture, name, (8, 262), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA
    )


def main() -> None:
    """Write one picture."""
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--weathers", nargs="+", default=list(WEATHERS), choices=list(WEATHERS))
    parser.add_argument("--columns", type=int, default=2)
    asked = parser.parse_args()
    drawn = pictures(tuple(asked.weathers))
    blank = np.zeros_like(drawn[0])
    drawn += [blank] * (-len(drawn) % asked.columns)
    rows = [np.hstack(drawn[k : k + asked.columns]) for k in range(0, len(drawn), asked.columns)]
    cv2.imwrite(str(asked.file), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
