"""Sensors that need no picture: who sends what after a tick, and when. GNSS, IMU and collision here, ray casts in `scans`."""

from __future__ import annotations

import math
from collections.abc import Callable, Container
from dataclasses import dataclass, field

import carla
from numpy.random import Generator, default_rng

from drive_agent.sim import scans
from drive_agent.sim.actors import Actor
from drive_agent.sim.contacts import ContactEvent
from drive_agent.sim.motion import Accelerometer, compass, specific_force, turn_of_carrier
from drive_agent.sim.poses import rotation_matrix, unrotate
from drive_agent.sim.raycast import Moment
from drive_agent.sim.wire import Encoded, StreamType, encode_vector, pack, stream_header
from drive_agent.sim.world import World

Message = tuple[int, bytes]  # stream id, payload
IMU = "sensor.other.imu"


@dataclass
class SensorMemory:
    """What a sensor carries from tick to tick."""

    entropy: list[int]  # of its noise
    born_s: float
    numbers: dict[str, float] = field(default_factory=dict)  # parsed attributes
    accelerometer: Accelerometer = field(default_factory=Accelerometer)
    sweep: scans.Sweep | None = None

    def noise(self, tick: int) -> Generator:
        """Random numbers of one tick of the episode: the same ones whenever somebody began to listen."""
        return default_rng([*self.entropy, tick])

    def sweep_of(self) -> scans.Sweep:
        """The turning head of a lidar."""
        if self.sweep is None:
            self.sweep = scans.Sweep(self.numbers)
        return self.sweep


class Sensors:
    """Memories of the sensors that somebody listens to, and the table of what each kind sends."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._memories: dict[int, SensorMemory] = {}
        self._moment: Moment | None = None  # what rays can meet after this tick, once a sensor has asked
        self._senders: dict[str, Callable[[Actor, SensorMemory], list[bytes]]] = {
            "sensor.other.gnss": self._gnss,
            IMU: self._imu,
            "sensor.other.collision": self._collision,
            "sensor.other.obstacle": self._obstacle,
            "sensor.other.radar": self._radar,
            "sensor.lidar.ray_cast": self._lidar,
            "sensor.lidar.ray_cast_semantic": self._semantic_lidar,
        }

    def messages(self, subscribed: Container[int]) -> list[Message]:
        """What the sensors with a subscriber send after this tick, in order of their ids."""
        self._moment = None
        for sensor in self._world.sensors:
            if sensor.type_id == IMU:  # it has to know every tick, listened to or not
                self.memory(sensor).accelerometer.follow(self._world, sensor)
        return [
            (sensor.stream_id, payload)
            for sensor in self._world.sensors
            if sensor.type_id in self._senders and sensor.stream_id in subscribed
            for memory in [self.memory(sensor)]
            if self.is_due(memory)
            for payload in self._senders[sensor.type_id](sensor, memory)
        ]

    def memory(self, sensor: Actor) -> SensorMemory:
        """The sensor's memory. Its random numbers depend on the server's seed, its own `noise_seed` and its place among
        the actors of the episode, not on what earlier episodes held: the same calls after a load give the same readings.
        """
        memory = self._memories.get(sensor.id)
        if memory is None:
            alive = {other.id for other in self._world.sensors}
            self._memories = {key: kept for key, kept in self._memories.items() if key in alive}
            numbers = {
                name: number
                for name, text in sensor.attributes.items()
                if (number := _number(text)) is not None
            }
            place = sensor.id - self._world.spectator.id  # the episode's first actor
            entropy = [abs(self._world.seed), abs(int(numbers.get("noise_seed", 0))), place]
            memory = SensorMemory(entropy, sensor.born_s, numbers)
            self._memories[sensor.id] = memory
        return memory

    def noise(self, sensor: Actor) -> Generator:
        """The sensor's random numbers of this tick."""
        return self.memory(sensor).noise(self._tick)

    @property
    def _tick(self) -> int:
        return self._world.frame - self._world.first_frame

    def is_due(self, memory: SensorMemory) -> bool:
        """Whether this tick begins another `sensor_tick`, counted from the first tick after the sensor's spawn.

        The rhythm hangs on the spawn, not on who listens since when, so sensors spawned together stay together.
        """
        period, delta_s = memory.numbers.get("sensor_tick", 0.0), self._world.delta_s
        since_s = self._world.elapsed_s - memory.born_s - delta_s + 1e-6
        return period <= 0.0 or math.floor(since_s / period) > math.floor((since_s - delta_s) / period)

    def _header(self, kind: StreamType, sensor: Actor) -> bytes:
        return stream_header(kind, self._world.frame, self._world.elapsed_s, sensor.pose)

    # ---- position and motion -----------------------------------------------------------------------------------------

    def _gnss(self, sensor: Actor, memory: SensorMemory) -> list[bytes]:
        """Latitude and longitude in degrees, altitude in metres, with bias and noise in these units."""
        place = self._world.town.carla_map.transform_to_geolocation(carla.Location(*sensor.pose[:3]))
        noisy = [
            value + memory.numbers[f"noise_{axis}_bias"] + memory.numbers[f"noise_{axis}_stddev"] * noise
            for value, axis, noise in zip(
                (place.latitude, place.longitude, place.altitude),
                ("lat", "lon", "alt"),
                memory.noise(self._tick).standard_normal(3).tolist(),
                strict=True,
            )
        ]
        return [self._header(StreamType.GNSS, sensor) + pack(noisy)]

    def _imu(self, sensor: Actor, memory: SensorMemory) -> list[bytes]:
        """Specific force in m/s^2, angular velocity in rad/s, compass in rad from north (-y) clockwise; sensor axes."""
        acceleration = memory.accelerometer.acceleration
        assert acceleration is not None  # `messages` has just followed the sensor
        force = specific_force(acceleration, sensor.pose, self._world.imu_gravity_mps2)
        turn = tuple(turn_of_carrier(self._world, sensor).tolist())
        gyro = unrotate(rotation_matrix(*sensor.pose[3:]), turn)
        numbers, noise = memory.numbers, memory.noise(self._tick).standard_normal(6).tolist()
        accelerometer = [
            float(force[i]) + numbers[f"noise_accel_stddev_{a}"] * noise[i] for i, a in enumerate("xyz")
        ]
        gyroscope = [
            gyro[i] + numbers[f"noise_gyro_bias_{a}"] + numbers[f"noise_gyro_stddev_{a}"] * noise[3 + i]
            for i, a in enumerate("xyz")
        ]
        body = pack([accelerometer, gyroscope, compass(sensor.pose)])
        return [self._header(StreamType.IMU, sensor) + body]

    # ---- contact -----------------------------------------------------------------------------------------------------

    def _collision(self, sensor: Actor, memory: SensorMemory) -> list[bytes]:
        """One message for every contact of the parent in this tick."""
        parent = self._world.actors.find(sensor.parent_id)
        if parent is None:
            return []
        header, port = self._header(StreamType.COLLISION, sensor), self._world.stream_port
        return [
            header + pack([parent.encode(port), self._partner(event), encode_vector(*event.impulse)])
            for event in self._world.contacts
            if event.actor is parent
        ]

    def _partner(self, event: ContactEvent) -> Encoded:
        """The other side of a contact; static boxes have no actor, only a type id and id 0."""
        if event.other is not None:
            return event.other.encode(self._world.stream_port)
        return self._world.scene.encode_box_as_actor(event.static_index)

    # ---- rays --------------------------------------------------------------------------------------------------------

    def _surroundings(self) -> Moment:
        if self._moment is None:
            self._moment = scans.surroundings(self._world)
        return self._moment

    def _lidar(self, sensor: Actor, memory: SensorMemory) -> list[bytes]:
        noise = memory.noise(self._tick)
        body = scans.lidar_body(
            self._world, self._surroundings(), sensor, memory.sweep_of(), memory.numbers, noise
        )
        return [self._header(StreamType.LIDAR, sensor) + body]

    def _semantic_lidar(self, sensor: Actor, memory: SensorMemory) -> list[bytes]:
        body = scans.semantic_lidar_body(
            self._world, self._surroundings(), sensor, memory.sweep_of(), memory.numbers
        )
        return [self._header(StreamType.LIDAR_SEMANTIC, sensor) + body]

    def _radar(self, sensor: Actor, memory: SensorMemory) -> list[bytes]:
        noise = memory.noise(self._tick)
        body = scans.radar_body(self._world, self._surroundings(), sensor, memory.numbers, noise)
        return [self._header(StreamType.RADAR, sensor) + body]

    def _obstacle(self, sensor: Actor, memory: SensorMemory) -> list[bytes]:
        """A message where something is ahead; the one who sees it is the carrier, of a free sensor the sensor itself."""
        found = scans.obstacle_ahead(self._world, self._surroundings(), sensor, memory.numbers)
        if found is None:
            return []
        carrier = self._world.actors.find(sensor.parent_id) or sensor
        body = pack([carrier.encode(self._world.stream_port), *found])
        return [self._header(StreamType.OBSTACLE, sensor) + body]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
