"""The world: clock, episode, actors, and what happens in a tick. Knows no sockets, draws no pictures.

A tick, in this order:

| step | what | where |
|---|---|---|
| 1 | frame and clock advance | here |
| 2 | traffic light cycles | signals |
| 3 | vehicles move in the plane | vehicle_dynamics |
| 4 | walkers move | walkers |
| 5 | contacts: push apart, stop approach, note events | collision |
| 6 | vehicles fall or follow the ground; speed limits | ground |
| 7 | world velocities and accelerations | vehicle_dynamics |
| 8 | which vehicle stands before which light | signals |
| 9 | attached actors follow their parents | here |
| 10 | snapshot | here |

Sensors read the world after the tick (`sensors.py`, `cameras.py`); orders of clients are applied between ticks.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from drive_agent.sim import blueprints, collision, ground, signals, vehicle_dynamics, walkers, wire
from drive_agent.sim.ackermann import AckermannDriver
from drive_agent.sim.actors import Actor, Actors, Kind, Table
from drive_agent.sim.catalogue import VehicleModel, WalkerModel
from drive_agent.sim.catalogue_props import PropModel
from drive_agent.sim.lamps import Lamps
from drive_agent.sim.maps import Town
from drive_agent.sim.poses import compose, relative
from drive_agent.sim.raycast import Geometry
from drive_agent.sim.render import labels
from drive_agent.sim.scenery import StaticScene, build_static_scene
from drive_agent.sim.settings import DEFAULT_SETTINGS, EpisodeSettings
from drive_agent.sim.signal_sites import SignalSite, local_trigger
from drive_agent.sim.wire import Encoded, Pose, RequestError

DEFAULT_DELTA_S = 0.05
CLEAR_NOON = [5.0, 0.0, 0.0, 10.0, -1.0, 45.0, 2.0, 0.75, 0.1, 0.0, 1.0, 0.03, 0.0331, 0.0]
LIGHT_TYPE = "traffic.traffic_light"


@dataclass(frozen=True)
class ContactEvent:
    """Two things touched in the last tick. `other` is an actor, or None for static box `static_index` of the town."""

    actor: Actor
    other: Actor | None
    static_index: int
    impulse: tuple[float, float, float]  # that the actor received, N s, world axes


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
        self.custom_opendrive: str | None = None
        self.traffic_managers: dict[
            int, tuple[str, int]
        ] = {}  # port -> address, id of the client that runs it
        self.on_stream_closed: Callable[[int], None] = lambda stream_id: None
        self.load(town)

    # ---- episode -----------------------------------------------------------------------------------------------------

    town: Town
    scene: StaticScene

    def load(self, town: Town) -> None:
        """Begin a new episode in this town: everything that was spawned is gone."""
        for actor in self.actors:
            if actor.stream_id:
                self.on_stream_closed(actor.stream_id)
        self.actors.clear()
        self.weather = list(CLEAR_NOON)
        self.elapsed_s = 0.0
        self.imu_gravity_mps2 = vehicle_dynamics.GRAVITY_MPS2
        if self.episode_id == 0 or town is not self.town:
            self.town, self.scene = town, build_static_scene(town, self.seed)
            self.geometry = Geometry(self.scene.scenery.mesh)
        self.scene = self.scene.without(())
        self.lamps = Lamps(self.scene.scenery.street_lamps, self.weather)
        self.episode_id += 1
        self.vehicles, self.walkers = Table(vehicle_dynamics.VEHICLE), Table(walkers.WALKER)
        self.props = Table(collision.BODY)
        self.tables = (self.vehicles, self.walkers, self.props)
        self.attached: list[Actor] = []
        self.sensors: list[Actor] = []
        self.ackermann: dict[int, AckermannDriver] = {}
        self.contacts: list[ContactEvent] = []
        self._contact_rows = np.zeros(collision.MAX_CONTACTS, collision.CONTACT)
        self.signals = signals.Signals(town.sites, town.controllers)
        self.spectator = self._add(
            Kind.OTHER, "spectator", [0, "spectator", []], Pose(0.0, 0.0, 30.0, -40.0, 0.0, 0.0)
        )
        sites = [(site, self._add_site(site)) for site in town.sites]
        self.light_actors = [actor for site, actor in sites if site.is_light]
        self._light_ids = np.array([actor.id for actor in self.light_actors], np.int64)
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
        records = self.actors.records.view(wire.SIGNAL_RECORD)
        records["sign_id"][actor.row] = site.signal_id.encode()[:31]
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
            actor = self._spawn_walker(model, description, world_pose)
        elif isinstance(model, PropModel):
            actor = self._spawn_prop(model, description, world_pose)
        elif type_id.startswith("sensor."):
            # lane invasion is computed in the client: it has no stream
            stream_id = 0 if type_id == "sensor.other.lane_invasion" else self.actors.new_stream_id()
            actor = self._add(Kind.SENSOR, type_id, description, world_pose, stream_id=stream_id)
            self.sensors.append(actor)
        else:
            actor = self._add(Kind.OTHER, type_id, description, world_pose)
        actor.attributes = attributes
        if parent is not None:
            actor.parent_id, actor.relative_pose = parent.id, pose
            self.attached.append(actor)
            if actor.kind is Kind.VEHICLE:
                self.vehicles.rows["simulate_physics"][actor.slot] = 0
        return actor

    def _spawn_vehicle(self, model: VehicleModel, description: Encoded, pose: Pose) -> Actor:
        row = vehicle_dynamics.new_vehicle(model)
        row["x"], row["y"], row["z"] = pose.x, pose.y, pose.z
        row["pitch"], row["yaw"], row["roll"] = np.radians((pose.pitch, pose.yaw, pose.roll))
        body = np.zeros(1, collision.BODY)
        collision.vehicle_bodies(row.reshape(1), body)
        self._refuse_occupied(body)
        actor = self._add(
            Kind.VEHICLE, model.type_id, description, pose,
            center=model.center_m, half_extents=model.half_extents_m, tags=bytes([model.label]),
        )  # fmt: skip
        return self._seat(self.vehicles, actor, row)

    def _spawn_walker(self, model: WalkerModel, description: Encoded, pose: Pose) -> Actor:
        row = walkers.new_walker(model)
        row["x"], row["y"], row["z"] = pose.x, pose.y, pose.z
        row["pitch"], row["yaw"], row["roll"] = np.radians((pose.pitch, pose.yaw, pose.roll))
        body = np.zeros(1, collision.BODY)
        collision.walker_bodies(row.reshape(1), body)
        self._refuse_occupied(body)
        tags = bytes([labels.PEDESTRIANS])
        actor = self._add(
            Kind.WALKER, model.type_id, description, pose, half_extents=model.half_extents_m, tags=tags
        )
        return self._seat(self.walkers, actor, row)

    def _spawn_prop(self, model: PropModel, description: Encoded, pose: Pose) -> Actor:
        row = np.zeros((), collision.BODY)
        row["half_length"], row["half_width"], row["half_height"] = model.half_extents_m
        row["collisions"] = 1
        row["inverse_mass"] = 1.0 / model.mass_kg if model.loose else 0.0
        _place_prop(row, pose)
        center = (0.0, 0.0, model.half_extents_m[2])
        tags = bytes([labels.DYNAMIC if model.loose else labels.STATIC])
        actor = self._add(
            Kind.PROP,
            model.type_id,
            description,
            pose,
            center=center,
            half_extents=model.half_extents_m,
            tags=tags,
        )
        return self._seat(self.props, actor, row)

    def _seat(self, table: Table, actor: Actor, row: np.ndarray) -> Actor:
        table.append(actor, row)
        table.record_rows = np.array([owner.row for owner in table.owners], np.int64)
        return actor

    def _refuse_occupied(self, body: np.ndarray) -> None:
        if collision.blocked_by(body, self.bodies, self.scene.grid):
            raise RequestError("Spawn failed because of collision at spawn position")

    def destroy(self, actor: Actor) -> None:
        """Remove an actor. What is attached to it stays where it is until destroyed itself, as in CARLA."""
        if actor.kind in (Kind.LIGHT, Kind.SIGN) or actor is self.spectator:
            raise RequestError(
                f"actor {actor.id} ({actor.type_id}) belongs to the town and cannot be destroyed"
            )
        table = {Kind.VEHICLE: self.vehicles, Kind.WALKER: self.walkers, Kind.PROP: self.props}.get(
            actor.kind
        )
        if table is not None:
            table.remove(actor)
        if actor in self.attached:
            self.attached.remove(actor)
        if actor in self.sensors:
            self.sensors.remove(actor)
        self.ackermann.pop(actor.id, None)
        self.actors.remove(actor, self.tables)
        if actor.stream_id:
            self.on_stream_closed(actor.stream_id)

    # ---- poses -------------------------------------------------------------------------------------------------------

    def pose_of(self, actor: Actor) -> Pose:
        """Where the actor is now."""
        if actor.kind is Kind.VEHICLE or actor.kind is Kind.WALKER:
            row = (self.vehicles if actor.kind is Kind.VEHICLE else self.walkers).rows[actor.slot]
            pitch, yaw, roll = (math.degrees(row[name]) for name in ("pitch", "yaw", "roll"))
            return Pose(float(row["x"]), float(row["y"]), float(row["z"]), pitch, yaw, roll)
        return actor.pose

    def move(self, actor: Actor, pose: Pose) -> None:
        """Teleport, as a client asks; what is attached to another stays attached, in its new place."""
        parent = self.actors.find(actor.parent_id)
        if parent is not None:
            actor.relative_pose = relative(self.pose_of(parent), pose)
        self.place(actor, pose)

    def place(self, actor: Actor, pose: Pose) -> None:
        """Put the actor somewhere else, at rest or moving as it was."""
        if actor.kind is Kind.VEHICLE or actor.kind is Kind.WALKER:
            table = self.vehicles if actor.kind is Kind.VEHICLE else self.walkers
            row = table.rows[actor.slot]
            row["x"], row["y"], row["z"] = pose.x, pose.y, pose.z
            row["pitch"], row["yaw"], row["roll"] = (math.radians(angle) for angle in pose[3:])
            if actor.kind is Kind.VEHICLE:
                row["grounded"] = 0
            return
        actor.pose = pose
        self.actors.records["pose"][actor.row] = pose
        if actor.kind is Kind.PROP:
            _place_prop(self.props.rows[actor.slot], pose)

    def velocity_of(self, actor: Actor) -> tuple[float, float, float]:
        """World velocity, m/s."""
        if actor.kind is Kind.VEHICLE:
            return tuple(self.vehicles.rows["world_velocity"][actor.slot].tolist())
        if actor.kind is Kind.WALKER:
            return tuple(self.walkers.rows["velocity"][actor.slot].tolist())
        return (0.0, 0.0, 0.0)

    # ---- tick --------------------------------------------------------------------------------------------------------

    def step(self, delta_s: float) -> None:
        """One tick; the table in the module's docstring gives the order."""
        self.frame += 1
        self.elapsed_s += delta_s
        self.delta_s = delta_s
        self.signals.step(delta_s)
        for driver in self.ackermann.values():
            driver.step(self.vehicles.rows, delta_s)
        vehicle_rows, walker_rows, town_ground = self.vehicles.rows, self.walkers.rows, self.town.ground
        vehicle_dynamics.step_vehicles(vehicle_rows, delta_s)
        if len(walker_rows):
            walkers.step_walkers(town_ground, walker_rows, delta_s)
        self._collide()
        ground.settle_vehicles(town_ground, vehicle_rows, delta_s)
        vehicle_dynamics.update_world_motion(vehicle_rows, delta_s)
        signals.assign_lights(vehicle_rows, self.signals.triggers, self.signals.states, self._light_ids)
        for actor in self.attached:
            parent = self.actors.find(actor.parent_id)
            if parent is not None:
                self.place(actor, compose(self.pose_of(parent), actor.relative_pose))
        self._write_records()
        self.snapshot = self._snapshot()

    @property
    def body_owners(self) -> list[Actor]:
        """Everything with a body, in the order of `bodies`."""
        return self.vehicles.owners + self.walkers.owners + self.props.owners

    def body_index(self, actor: Actor) -> int:
        """Index of the actor in `bodies`; -1 for what has none."""
        if actor.kind is Kind.VEHICLE:
            return actor.slot
        if actor.kind is Kind.WALKER:
            return len(self.vehicles.owners) + actor.slot
        return (
            len(self.vehicles.owners) + len(self.walkers.owners) + actor.slot
            if actor.kind is Kind.PROP
            else -1
        )

    @property
    def bodies(self) -> np.ndarray:
        """BODY (n,) as they stand now: vehicles, walkers, props."""
        vehicle_count, walker_count = len(self.vehicles.rows), len(self.walkers.rows)
        bodies = np.zeros(vehicle_count + walker_count + len(self.props.rows), collision.BODY)
        collision.vehicle_bodies(self.vehicles.rows, bodies[:vehicle_count])
        if walker_count:
            collision.walker_bodies(self.walkers.rows, bodies[vehicle_count : vehicle_count + walker_count])
        if len(self.props.rows):
            bodies[vehicle_count + walker_count :] = self.props.rows
        return bodies

    def _collide(self) -> None:
        bodies = self.bodies
        count = collision.collide_bodies(bodies, self._contact_rows, 0)
        count = collision.collide_static(bodies, self.scene.grid, self._contact_rows, count)
        self.contacts = []
        if count == 0:
            return
        vehicle_count, walker_count = len(self.vehicles.rows), len(self.walkers.rows)
        collision.apply_to_vehicles(bodies[:vehicle_count], self.vehicles.rows)
        collision.apply_to_walkers(bodies[vehicle_count : vehicle_count + walker_count], self.walkers.rows)
        self._apply_to_props(bodies[vehicle_count + walker_count :])
        self._note_contacts(self._contact_rows[:count])

    def _apply_to_props(self, bodies: np.ndarray) -> None:
        for actor, body in zip(self.props.owners, bodies, strict=True):
            if body["push_x"] != 0.0 or body["push_y"] != 0.0:
                moved = actor.pose._replace(
                    x=actor.pose.x + float(body["push_x"]), y=actor.pose.y + float(body["push_y"])
                )
                self.place(actor, moved)

    def _note_contacts(self, rows: np.ndarray) -> None:
        owners = self.body_owners
        for first, second, static, normal_x, normal_y, _, impulse in rows.tolist():
            x, y = impulse * normal_x, impulse * normal_y
            actor = owners[first]
            if static:
                self.contacts.append(ContactEvent(actor, None, second, (-x, -y, 0.0)))
            else:
                other = owners[second]
                self.contacts.append(ContactEvent(actor, other, -1, (-x, -y, 0.0)))
                self.contacts.append(ContactEvent(other, actor, -1, (x, y, 0.0)))

    def _write_records(self) -> None:
        records = self.actors.records
        vehicle_dynamics.write_vehicle_records(
            self.vehicles.rows, self.vehicles.record_rows, records.view(wire.VEHICLE_RECORD)
        )
        if len(self.walkers.rows):
            walkers.write_walker_records(
                self.walkers.rows, self.walkers.record_rows, records.view(wire.WALKER_RECORD)
            )
        self._write_lights(records.view(wire.SIGNAL_RECORD))

    def _write_lights(self, records: np.ndarray) -> None:
        if not self.light_actors:
            return
        rows = np.array([actor.row for actor in self.light_actors])
        groups = [self.signals.group_of[index] for index in range(len(rows))]
        durations = np.array([self.signals.turn_of[index].durations_s for index in range(len(rows))])
        records["green_s"][rows], records["yellow_s"][rows], records["red_s"][rows] = durations.T
        records["elapsed_s"][rows] = [group.elapsed_s for group in groups]
        records["frozen"][rows] = [group.frozen for group in groups]
        records["light_state"][rows] = self.signals.states

    def _snapshot(self) -> bytes:
        return wire.snapshot_message(
            frame=self.frame,
            elapsed_s=self.elapsed_s,
            delta_s=self.delta_s,
            episode_id=self.episode_id,
            platform_s=time.monotonic(),
            records=self.actors.records,
        )


def _place_prop(row: np.ndarray, pose: Pose) -> None:
    row["x"], row["y"], row["z"] = pose.x, pose.y, pose.z + float(row["half_height"])
    row["yaw"] = math.radians(pose.yaw)
