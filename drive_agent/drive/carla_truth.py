"""Ground truth of a world, read from its snapshots over the carla client. Reads only: nothing in the world changes."""

from __future__ import annotations

import carla
import numpy as np

from drive_agent.drive.carla_axes import pose
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M
from drive_agent.types import ActorInfo, Collision, LightState, ObjectKind, Truth

LIGHTS = {
    carla.TrafficLightState.Red: LightState.RED,
    carla.TrafficLightState.Yellow: LightState.YELLOW,
    carla.TrafficLightState.Green: LightState.GREEN,
}
ON_THE_ROAD = ("vehicle.", "walker.", "static.prop.")


class TruthReader:
    """One world with one ego in it. `signals` are the traffic lights, by OpenDRIVE id."""

    def __init__(self, world: carla.World, ego: carla.Vehicle) -> None:
        self._world = world
        self._infos = {ego.id: actor_info(ego)}
        self._ignored: set[int] = set()
        self.signals: dict[str, carla.TrafficLight] = {
            light.get_opendrive_id(): light for light in world.get_actors().filter("traffic.traffic_light*")
        }

    def read(self, collisions: tuple[Collision, ...], tick: carla.WorldSnapshot | None = None) -> Truth:
        """A tick (the current one), with what the ego hit since the last one; the others stand in order of being met."""
        snapshot = self._world.get_snapshot() if tick is None else tick
        self._meet_new_actors(snapshot)
        ids = [i for i in self._infos if snapshot.has_actor(i)]
        return Truth(
            time_us=round(snapshot.timestamp.elapsed_seconds * 1e6),
            frame_id=snapshot.frame,
            ids=tuple(ids),
            actors=np.array([actor_row(snapshot.find(i)) for i in ids]),
            lights={key: LIGHTS.get(a.get_state(), LightState.NONE) for key, a in self.signals.items()},
            infos=dict(self._infos),
            collisions=collisions,
        )

    def _meet_new_actors(self, snapshot: carla.WorldSnapshot) -> None:
        unknown = [s.id for s in snapshot if s.id not in self._infos and s.id not in self._ignored]
        if not unknown:
            return
        for actor in self._world.get_actors(unknown):
            if actor.type_id.startswith(ON_THE_ROAD):
                self._infos[actor.id] = actor_info(actor)
            else:
                self._ignored.add(actor.id)


def actor_info(actor: carla.Actor) -> ActorInfo:
    """What does not change about an actor."""
    box = actor.bounding_box
    kind = ObjectKind.VEHICLE
    if actor.type_id.startswith("walker."):
        kind = ObjectKind.WALKER
    elif actor.type_id.startswith("static."):
        kind = ObjectKind.PROP
    elif actor.attributes.get("number_of_wheels") == "2":
        kind = ObjectKind.CYCLIST
    wheelbase = 0.0 if kind in (ObjectKind.WALKER, ObjectKind.PROP) else 2 * REAR_AXLE_TO_ORIGIN_M
    return ActorInfo(
        actor.id, actor.type_id, actor.attributes.get("role_name", ""), kind,
        box.extent.x, box.extent.y, box.extent.z, box.location.x, wheelbase,
    )  # fmt: skip


def actor_row(actor: carla.ActorSnapshot) -> tuple[float, ...]:
    """A row of `Truth.actors`."""
    x, y, z, yaw, pitch = pose(actor.get_transform())
    velocity, turn, accel = actor.get_velocity(), actor.get_angular_velocity(), actor.get_acceleration()
    return x, y, z, yaw, pitch, velocity.x, -velocity.y, -np.radians(turn.z), accel.x, -accel.y
