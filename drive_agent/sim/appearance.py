"""What is to be seen of a world: its actors as the renderer and the rays want them. Copies, so later orders change nothing."""

import numpy as np

from drive_agent.sim.actors import Actor, Kind
from drive_agent.sim.poses import compose
from drive_agent.sim.render.camera import DrawnActor
from drive_agent.sim.render.vehicle_lights import shining
from drive_agent.sim.wire import Pose
from drive_agent.sim.world import World

_DEFAULT_COLOR = (128, 128, 128)


def drawn_actors(world: World) -> list[DrawnActor]:
    """Every vehicle, walker and prop where it is now."""
    drawn = []
    for actor, row in zip(world.vehicles.owners, world.vehicles.rows, strict=True):
        steer_deg = float(np.degrees(row["steer_rad"]))
        lit = shining(int(row["light_flags"]), world.elapsed_s, actor.id)
        drawn.append(_drawn(world, actor, lit, steer_deg, float(row["forward_mps"])))
    for actor, row in zip(world.walkers.owners, world.walkers.rows, strict=True):
        drawn.append(_drawn(world, actor, 0, 0.0, float(np.hypot(*row["velocity"][:2]))))
    drawn.extend(_drawn(world, actor, 0, 0.0, 0.0) for actor in world.props.owners)
    return drawn


def solid_actors(world: World) -> list[DrawnActor]:
    """The drawn actors that rays meet: those whose collisions are not switched off, as in CARLA."""
    solid = np.concatenate([table.rows["collisions"] for table in world.tables]) != 0
    return [actor for actor, is_solid in zip(drawn_actors(world), solid.tolist(), strict=True) if is_solid]


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
