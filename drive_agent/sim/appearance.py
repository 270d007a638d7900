"""What is to be seen of a world: its actors as the renderer and the rays want them. Copies, so later orders change nothing."""

import math
from functools import lru_cache
from itertools import repeat

import numpy as np

from drive_agent import doors
from drive_agent.sim.actors import Actor, Kind
from drive_agent.sim.car_doors import HALF_HEIGHT_SHARE, LOWEST_SHARE, open_places
from drive_agent.sim.poses import ahead_and_right, compose
from drive_agent.sim.render.camera import DrawnActor
from drive_agent.sim.render.vehicle_lights import shining
from drive_agent.sim.wire import Pose
from drive_agent.sim.world import World

_DEFAULT_COLOR = (128, 128, 128)


def drawn_actors(world: World) -> list[DrawnActor]:
    """Every vehicle, walker and prop where it is now, then the open doors."""
    vehicles, walkers, props = world.tables
    steer_deg, speeds_mps = np.degrees(vehicles.rows["steer_rad"]), vehicles.rows["forward_mps"]
    lit = [
        shining(flags, world.elapsed_s, actor.id)
        for actor, flags in zip(vehicles.owners, vehicles.rows["light_flags"].tolist(), strict=True)
    ]
    velocity = walkers.rows["velocity"]
    paces_mps = np.hypot(velocity[:, 0], velocity[:, 1])
    return [
        *map(_drawn, vehicles.owners, world.poses_of(vehicles), lit, steer_deg.tolist(), speeds_mps.tolist()),
        *map(_drawn, walkers.owners, world.poses_of(walkers), repeat(0), repeat(0.0), paces_mps.tolist()),
        *map(_drawn, props.owners, world.poses_of(props), repeat(0), repeat(0.0), repeat(0.0)),
        *_open_doors(world),
    ]


def solid_actors(world: World) -> list[DrawnActor]:
    """The drawn actors that rays meet: those whose collisions are not switched off, as in CARLA."""
    passable = {
        owner.id
        for table in world.tables
        for owner, collides in zip(table.owners, table.rows["collisions"].tolist(), strict=True)
        if not collides
    }
    return [actor for actor in drawn_actors(world) if actor.id not in passable]


def _open_doors(world: World) -> list[DrawnActor]:
    """Open doors bear the id and the colour of their car."""
    drawn = []
    for index, _, ahead_m, right_m, turned_rad in open_places(world.vehicles.rows):
        car = world.vehicles.owners[index]
        x, y, _ = car.center
        height_m = 2.0 * car.half_extents[2]
        place = Pose(x + ahead_m, y + right_m, LOWEST_SHARE * height_m, 0.0, math.degrees(turned_rad), 0.0)
        size = (doors.HALF_LENGTH_M, doors.HALF_WIDTH_M, HALF_HEIGHT_SHARE * height_m)
        pose = compose(world.pose_of(car), place)
        drawn.append(DrawnActor(car.id, "vehicle.door", *pose, size, _color(car), 0, 0.0, 0.0))
    return drawn


def _drawn(actor: Actor, pose: Pose, light_flags: int, steer_deg: float, speed_mps: float) -> DrawnActor:
    x, y, _ = actor.center
    if x != 0.0 or y != 0.0:  # bodies are drawn around the middle of their box
        pose = ahead_and_right(pose, x, y)
    return DrawnActor(
        actor.id,
        actor.look or actor.type_id,
        *pose,
        actor.half_extents,
        _color(actor),
        light_flags,
        steer_deg,
        speed_mps,
    )


def _color(actor: Actor) -> tuple[int, int, int]:
    """The `color` attribute of a vehicle, "r,g,b"."""
    return _parsed_color(actor.attributes.get("color", "")) if actor.kind is Kind.VEHICLE else _DEFAULT_COLOR


@lru_cache
def _parsed_color(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) != 3:
        return _DEFAULT_COLOR
    red, green, blue = (int(part) for part in parts)
    return red, green, blue
