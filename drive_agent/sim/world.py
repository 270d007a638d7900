"""The world: clock, episode, actors, and what happens in a tick. Knows no sockets, draws no pictures.

A tick, in this order:

| step | what | where |
|---|---|---|
| 1 | frame and clock advance | here |
| 2 | traffic light cycles; what is replayed is put where it was | signals, tape |
| 3 | vehicles move in the plane | vehicle_dynamics |
| 4 | walkers and loose props move | walkers, props |
| 5 | contacts: push apart, stop approach, note events | contacts |
| 6 | vehicles fall or follow the ground; speed limits | ground |
| 7 | world velocities and accelerations | vehicle_dynamics |
| 8 | which vehicle stands before which light | signals |
| 9 | attached actors follow their parents | here |
| 10 | snapshot; a frame of the recording | here, tape |

Sensors read the world after the tick (`sensors.py`, `cameras.py`); orders of clients are applied between ticks.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from drive_agent.sim import (
    blueprints,
    bodies,
    collision,
    props,
    signals,
    tick,
    vehicle_dynamics,
    walkers,
    wire,
)
from drive_agent.sim.ackermann import AckermannDriver
from drive_agent.sim.actors import Actor, Actors, Kind, Table
from drive_agent.sim.catalogue import VehicleModel, WalkerModel
from drive_agent.sim.catalogue_props import PropModel, shape_of
from drive_agent.sim.contacts import ContactEvent, Contacts
from drive_agent.sim.grip import AREA_TYPE, lend_grip, take_grip_back
from drive_agent.sim.lamps import Lamps
from drive_agent.sim.maps import GeneratedMap, MapLibrary, Town
from drive_agent.sim.poses import compose, relative
from drive_agent.sim.raycast import Geometry
from drive_agent.sim.render import labels
from drive_agent.sim.scenery import StaticScene, build_static_scene
from drive_agent.sim.settings import DEFAULT_SETTINGS, EpisodeSettings
from drive_agent.sim.signal_sites import SignalSite, local_trigger
from drive_agent.sim.tape import Tape
from drive_agent.sim.wire import Encoded, Pose, RequestError

DEFAULT_DELTA_S = 0.05
CLEAR_NOON = [5.0, 0.0, 0.0, 10.0, -1.0, 45.0, 2.0, 0.75, 0.1, 0.0, 1.0, 0.03, 0.0331, 0.0]
LIGHT_TYPE = "traffic.traffic_light"


class World:
    """One simulated world. `load` replaces the episode; ids of actors and streams go on."""

    def __init__(self, town: Town, seed: int, settings: EpisodeSettings = DEFAULT_SETTINGS) -> None:
        self.seed = seed
        self.settings = self.starting_settings = settings
        self.frame = 0
        self.delta_s = DEFAULT_DELTA_S
        self.episode_id = 0
        self.stream_port = 0
        self.actors = Actors()
        self.library = MapLibrary()
        self.generated_map: GeneratedMap | None = None
        self.traffic_managers: dict[
            int, tuple[str, int]
        ] = {}  # port -> address, id of the client that runs it
        self.on_stream_closed: Callable[[int], None] = lambda stream_id: None
        self.tape = Tape(self)
        self.load(town)

    # ---- episode -----------------------------------------------------------------------------------------------------

    town: Town
    scene: StaticScene

    def load(self, town: Town) -> None:
        """Begin a new episode in this town: everything that was spawned is gone."""
        self.tape.episode_ends()
        for actor in self.actors:
            if actor.stream_id:
                self.on_stream_closed(actor.stream_id)
        self.actors.clear()
        self.weather = list(CLEAR_NOON)
        self.elapsed_s, self.first_frame = 0.0, self.frame
        self.imu_gravity_mps2 = vehicle_dynamics.GRAVITY_MPS2
        if self.episode_id == 0 or town is not self.town:
            self.town, self.scene = town, build_static_scene(town, self.seed)
            self.geometry = Geometry(self.scene.scenery.mesh)
        self.scene = self.scene.without(())
        self.lamps = Lamps(self.scene.scenery.street_lamps, self.weather)
        self.episode_id += 1
        self.vehicles, self.walkers = Table(vehicle_dynamics.VEHICLE), Table(walkers.WALKER)
        self.props = Table(props.PROP)
        self.tables = (self.vehicles, self.walkers, self.props)
        self._table_of: dict[Kind, Table] = dict(
            zip((Kind.VEHICLE, Kind.WALKER, Kind.PROP), self.tables, strict=True)
        )
        self.attached: list[Actor] = []
        self.sensors: list[Actor] = []
        self.grip_areas: list[Actor] = []
        self.ackermann: dict[int, AckermannDriver] = {}
        self._collisions = Contacts(self.vehicles, self.walkers, self.props)
        self.contacts: list[ContactEvent] = []
        self.signals = signals.Signals(town.sites, town.controllers)
        self.spectator = self._add(
            Kind.OTHER, "spectator", [0, "spectator", []], Pose(0.0, 0.0, 30.0, -40.0, 0.0, 0.0)
        )
        sites = [(site, self._add_site(site)) for site in town.sites]
        self.light_actors = [actor for site, actor in sites if site.is_light]
        # the town's own actors come first and are never removed: their rows stay
        for name in ("id", "row"):
            numbers = [getattr(actor, name) for actor in self.light_actors]
            self.signals.table["actor" if name == "id" else name] = numbers
        self._write_records()
        self.snapshot = self._snapshot()

    def _add_site(self, site: SignalSite) -> Actor:
        center, extent = local_trigger(site)
        tag = labels.TRAFFIC_LIGHT if site.is_light else labels.TRAFFIC_SIGNS
        actor = self._add(
            Kind.LIGHT if site.is_light else Kind.SIGN,
            site.type_id,
            [0, site.type_id, [["role_name", int(wire.AttributeType.STRING), ""]]],
            site.pose,
            center=center,
            half_extents=extent,
            tags=bytes([tag]),
        )
        self.actors.as_signals["sign_id"][actor.row] = site.signal_id.encode()[:31]
        if site.is_light:
            actor.slot = next(i for i, light in enumerate(self.signals.lights) if light is site)
        return actor

    def _add(self, kind: Kind, type_id: str, description: Encoded, pose: Pose, **more: Any) -> Actor:
        more.setdefault("center", (0.0, 0.0, 0.0))
        more.setdefault("half_extents", (0.0, 0.0, 0.0))
        actor = Actor(
            self.actors.new_id(), type_id, kind, description, pose=pose, born_s=self.elapsed_s, **more
        )
        self.actors.add(actor, self.tables)
        self.actors.records["pose"][actor.row] = pose
        return actor

    # ---- spawning ----------------------------------------------------------------------------------------------------

    def spawn(self, type_id: str, description: Encoded, pose: Pose, parent: Actor | None = None) -> Actor:
        """A new actor, or RequestError. With a parent, `pose` is in its frame."""
        blueprint = blueprints.find(type_id)
        attributes = {a.name: a.value for a in blueprint.attributes}
        attributes |= {str(entry[0]): str(entry[2]) for entry in description[2]}
        world_pose = compose(self.pose_of(parent), pose) if parent is not None else pose
        model = blueprint.model
        if isinstance(model, VehicleModel):
            actor = self._spawn_vehicle(model, description, world_pose)
        elif isinstance(model, WalkerModel):
            invincible = attributes["is_invincible"].lower() in ("true", "1")
            actor = self._spawn_walker(model, description, world_pose, invincible=invincible)
        elif isinstance(model, PropModel):
            actor = self._spawn_prop(model, description, world_pose, attributes)
        elif type_id.startswith("sensor."):
            # lane invasion is computed in the client: it has no stream
            stream_id = 0 if type_id == "sensor.other.lane_invasion" else self.actors.new_stream_id()
            actor = self._add(Kind.SENSOR, type_id, description, world_pose, stream_id=stream_id)
            self.sensors.append(actor)
        else:
            actor = self._add(Kind.OTHER, type_id, description, world_pose)
            if type_id == AREA_TYPE:
                self.grip_areas.append(actor)
        actor.attributes = attributes
        if parent is not None:
            self.attach(actor, parent, pose)
        return actor

    def attach(self, actor: Actor, parent: Actor, relative_pose: Pose) -> None:
        """Fix an actor that is free to another, from the next tick on."""
        actor.parent_id, actor.relative_pose = parent.id, relative_pose
        self.attached.append(actor)
        if actor.kind is Kind.VEHICLE:
            self.vehicles.rows["simulate_physics"][actor.slot] = 0

    def _spawn_vehicle(self, model: VehicleModel, description: Encoded, pose: Pose) -> Actor:
        row, body = vehicle_dynamics.new_vehicle(model), np.zeros(1, collision.BODY)
        _set_pose(row, pose)
        bodies.vehicle_bodies(row.reshape(1), body)
        self._refuse_occupied(body)
        actor = self._add(
            Kind.VEHICLE, model.type_id, description, pose,
            center=model.center_m, half_extents=model.half_extents_m, tags=bytes([model.label]),
        )  # fmt: skip
        return self._seat(self.vehicles, actor, row)

    def _spawn_walker(
        self, model: WalkerModel, description: Encoded, pose: Pose, *, invincible: bool
    ) -> Actor:
        row, body = walkers.new_walker(model, invincible=invincible), np.zeros(1, collision.BODY)
        _set_pose(row, pose)
        bodies.walker_bodies(row.reshape(1), body)
        self._refuse_occupied(body)
        tags = bytes([labels.PEDESTRIANS])
        actor = self._add(
            Kind.WALKER, model.type_id, description, pose, half_extents=model.half_extents_m, tags=tags
        )
        return self._seat(self.walkers, actor, row)

    def _spawn_prop(
        self, model: PropModel, description: Encoded, pose: Pose, attributes: dict[str, str]
    ) -> Actor:
        """Props are put anywhere, also into other things, as in CARLA."""
        shape = shape_of(model, attributes)
        row = props.new_prop(shape.model)
        _set_pose(row, pose)
        extents = shape.model.half_extents_m
        actor = self._add(
            Kind.PROP, model.type_id, description, pose,
            center=(0.0, 0.0, extents[2]), half_extents=extents, tags=bytes([shape.label]), look=shape.look,
        )  # fmt: skip
        return self._seat(self.props, actor, row)

    def _seat(self, table: Table, actor: Actor, row: np.ndarray) -> Actor:
        table.append(actor, row)
        table.record_rows = np.array([owner.row for owner in table.owners], np.int64)
        return actor

    def _refuse_occupied(self, body: np.ndarray) -> None:
        if self._collisions.blocks(body, self.scene.grid):
            raise RequestError("Spawn failed because of collision at spawn position")

    def destroy(self, actor: Actor) -> None:
        """Remove an actor. What is attached to it stays where it is until destroyed itself, as in CARLA."""
        if actor.kind in (Kind.LIGHT, Kind.SIGN) or actor is self.spectator:
            raise RequestError(
                f"actor {actor.id} ({actor.type_id}) belongs to the town and cannot be destroyed"
            )
        table = self._table_of.get(actor.kind)
        if table is not None:
            table.remove(actor)
        if actor in self.attached:
            self.attached.remove(actor)
        if actor in self.sensors:
            self.sensors.remove(actor)
        if actor in self.grip_areas:
            self.grip_areas.remove(actor)
        self.ackermann.pop(actor.id, None)
        self.actors.remove(actor, self.tables)
        if actor.stream_id:
            self.on_stream_closed(actor.stream_id)

    # ---- poses -------------------------------------------------------------------------------------------------------

    def pose_of(self, actor: Actor) -> Pose:
        """Where the actor is now."""
        table = self._table_of.get(actor.kind)
        if table is None:
            return actor.pose
        row = table.rows[actor.slot]
        pitch, yaw, roll = (math.degrees(row[name]) for name in ("pitch", "yaw", "roll"))
        return Pose(float(row["x"]), float(row["y"]), float(row["z"]), pitch, yaw, roll)

    def poses_of(self, table: Table) -> list[Pose]:
        """Where all actors of a table are now, in their order."""
        rows = table.rows
        columns = [rows[name] for name in "xyz"] + [
            np.degrees(rows[name]) for name in ("pitch", "yaw", "roll")
        ]
        return [Pose(*place) for place in zip(*(column.tolist() for column in columns), strict=True)]

    def move(self, actor: Actor, pose: Pose) -> None:
        """Teleport, as a client asks; what is attached to another stays attached, in its new place."""
        parent = self.actors.find(actor.parent_id)
        if parent is not None:
            actor.relative_pose = relative(self.pose_of(parent), pose)
        self.place(actor, pose)

    def place(self, actor: Actor, pose: Pose) -> None:
        """Put the actor somewhere else, at rest or moving as it was."""
        table = self._table_of.get(actor.kind)
        if table is None:
            actor.pose = pose
            self.actors.records["pose"][actor.row] = pose
            return
        row = table.rows[actor.slot]
        _set_pose(row, pose)
        if actor.kind is Kind.VEHICLE:
            row["grounded"] = 0
            row["last_pitch"], row["last_roll"] = row["pitch"], row["roll"]

    def velocity_of(self, actor: Actor) -> tuple[float, float, float]:
        """World velocity, m/s."""
        table = self._table_of.get(actor.kind)
        if table is None:
            return (0.0, 0.0, 0.0)
        name = "world_velocity" if actor.kind is Kind.VEHICLE else "velocity"
        return tuple(table.rows[name][actor.slot].tolist())

    # ---- tick --------------------------------------------------------------------------------------------------------

    def step(self, delta_s: float) -> None:
        """One tick; the table in the module's docstring gives the order."""
        self.frame += 1
        self.elapsed_s += delta_s
        self.delta_s = delta_s
        self.signals.step(delta_s)
        self.tape.before_motion(delta_s)
        for driver in self.ackermann.values():
            driver.step(self.vehicles.rows, delta_s)
        lights, ground, contacts = self.signals, self.town.ground, self._collisions
        moving = self.vehicles.rows, self.walkers.rows, self.props.rows
        own_grip = lend_grip(self.grip_areas, self.vehicles.rows)
        doors_open = tick.move(*moving, ground, delta_s)
        take_grip_back(own_grip, self.vehicles.rows)
        room = contacts.room(doors_open=doors_open)
        count = tick.settle(
            *moving, room, self.scene.grid, contacts.rows, ground, lights.triggers, lights.table, delta_s
        )
        self.contacts = contacts.events(count)
        for actor in self.attached:
            parent = self.actors.find(actor.parent_id)
            if parent is not None:
                self.place(actor, compose(self.pose_of(parent), actor.relative_pose))
        self._write_records()
        self.snapshot = self._snapshot()
        self.tape.after_tick(delta_s)

    @property
    def body_owners(self) -> list[Actor]:
        """Everything with a body: vehicles, walkers, props."""
        return self._collisions.owners

    def _write_records(self) -> None:
        actors, lights = self.actors, self.signals
        tick.write_records(
            self.vehicles.rows, self.vehicles.record_rows, actors.as_vehicles,
            self.walkers.rows, self.walkers.record_rows, actors.as_walkers,
            self.props.rows, self.props.record_rows,
            lights.groups, lights.turns, lights.table, actors.as_signals,
        )  # fmt: skip

    def _snapshot(self) -> bytes:
        return wire.snapshot_message(
            frame=self.frame,
            elapsed_s=self.elapsed_s,
            delta_s=self.delta_s,
            episode_id=self.episode_id,
            platform_s=time.monotonic(),
            records=self.actors.record_bytes,
        )


def _set_pose(row: np.ndarray | np.void, pose: Pose) -> None:
    row["x"], row["y"], row["z"] = pose.x, pose.y, pose.z
    row["pitch"], row["yaw"], row["roll"] = (math.radians(angle) for angle in pose[3:])
