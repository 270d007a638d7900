"""What is to be seen of a world: its actors as the renderer and the rays want them. Copies, so later orders change nothing."""

import math

import numpy as np

from drive_agent import doors
from drive_agent.sim.actors import Actor, Kind
from drive_agent.sim.car_doors import HALF_HEIGHT_SHARE, LOWEST_SHARE, open_places
from drive_agent.sim.poses import compose
from drive_agent.sim.render.camera import DrawnActor
from drive_agent.sim.render.vehicle_lights import shining
from drive_agent.sim.wire import Pose
from drive_agent.sim.world import World

_DEFAULT_COLOR = (128, 128, 128)


def drawn_actors(world: World) -> list[DrawnActor]:
    """Every vehicle, walker and prop where it is now, then the open doors."""
    drawn = []
    for actor, row in zip(world.vehicles.owners, world.vehicles.rows, strict=True):
        steer_deg = float(np.degrees(row["steer_rad"]))
        lit = shining(int(row["light_flags"]), world.elapsed_s, actor.id)
        drawn.append(_drawn(world, actor, lit, steer_deg, float(row["forward_mps"])))
    for actor, row in zip(world.walkers.owners, world.walkers.rows, strict=True):
        drawn.append(_drawn(world, actor, 0, 0.0, float(np.hypot(*row["velocity"][:2]))))
    drawn.extend(_drawn(world, actor, 0, 0.0, 0.0) for actor in world.props.owners)
    return drawn + _open_doors(world)


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


def _drawn(world: World, actor: Actor, light_flags: int, steer_deg: float, speed_mps: float) -> DrawnActor:
    pose, (x, y, _) = world.pose_of(actor), actor.center
    if x != 0.0 or y != 0.0:
        pose = compose(
            pose, Pose(x, y, 0.0, 0.0, 0.0, 0.0)
        )  # bodies are drawn around the middle of their box
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
    parts = actor.attributes.get("color", "").split(",")
    if actor.kind is not Kind.VEHICLE or len(parts) != 3:
        return _DEFAULT_COLOR
    red, green, blue = (int(part) for part in parts)
    return red, green, blue
