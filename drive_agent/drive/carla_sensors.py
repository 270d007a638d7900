"""The ego's sensors over the carla client: GNSS and IMU every tick, cameras at the model's period, collisions.

Gathers what the streams deliver into one `SensorPacket` a tick. A stream that stays silent is an error that names it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

import carla
import numpy as np

from drive_agent.drive.carla_axes import Geography, camera_transform, compass_yaw, transform
from drive_agent.rig import REAR_AXLE_TO_ORIGIN_M, Rig
from drive_agent.types import Collision, SensorPacket

# Noise of the Leaderboard's SENSORS track (peers: leaderboard/autoagents/agent_wrapper.py).
GNSS_NOISE_DEG = 0.000005
ACCEL_NOISE_MPS2 = (0.001, 0.001, 0.015)
GYRO_NOISE_RADPS = 0.001


@dataclass(frozen=True)
class SensorSettings:
    rig: Rig
    camera_period_s: float
    tick_s: float
    timeout_s: float
    cameras_on: bool


@dataclass(frozen=True)
class Readings:
    """One tick of the ego's sensors as CARLA tells it: left-handed axes, latitude as this CARLA counts it."""

    latitude_deg: float
    longitude_deg: float
    compass_rad: float
    gyro_z_radps: float
    accel_x_mps2: float
    speed_mps: float
    pictures: dict[str, np.ndarray]  # camera -> uint8 (height, width, 4) BGRA, of the cameras that delivered


def packet_of(readings: Readings, time_us: int, geography: Geography) -> SensorPacket:
    """What the agent gets of one tick, in right-handed axes."""
    return SensorPacket(
        time_us=time_us,
        latitude_deg=geography.latitude(readings.latitude_deg),
        longitude_deg=readings.longitude_deg,
        yaw_rad=compass_yaw(readings.compass_rad),
        yaw_rate_radps=-readings.gyro_z_radps,
        accel_mps2=readings.accel_x_mps2,
        speed_mps=readings.speed_mps,
        images={name: np.ascontiguousarray(bgra[:, :, 2::-1]) for name, bgra in readings.pictures.items()},
    )


class Mailbox:
    """The latest message of each stream, by frame number; `take` waits until a frame is there."""

    def __init__(self, name: str, timeout_s: float) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._messages: queue.Queue = queue.Queue()

    def put(self, message: carla.SensorData) -> None:
        """Called by the stream's thread."""
        self._messages.put(message)

    def take(self, frame: int) -> carla.SensorData:
        """The message of `frame`; older ones are dropped."""
        while True:
            try:
                message = self._messages.get(timeout=self._timeout_s)
            except queue.Empty:
                raise TimeoutError(
                    f"sensor {self._name!r} sent nothing for frame {frame} within {self._timeout_s:.0f} s; is the server alive?"
                ) from None
            if message.frame >= frame:
                if message.frame > frame:
                    raise TimeoutError(
                        f"sensor {self._name!r} skipped frame {frame}: next came {message.frame}"
                    )
                return message

    def first_frame(self) -> int:
        """Frame of the oldest message waiting; waits for one."""
        try:
            message = self._messages.get(timeout=self._timeout_s)
        except queue.Empty:
            raise TimeoutError(f"sensor {self._name!r} sent nothing within {self._timeout_s:.0f} s") from None
        self._messages.queue.appendleft(message)
        return message.frame


class OutOfStepError(RuntimeError):
    """The cameras do not deliver on the same frames."""


class EgoSensors:
    """Spawns the sensors on a vehicle and reads them tick by tick."""

    def __init__(
        self,
        world: carla.World,
        ego: carla.Vehicle,
        settings: SensorSettings,
        geography: Geography,
        seed: int,
    ) -> None:
        self._ego = ego
        self._geography = geography
        self._settings = settings
        self._actors: list[carla.Sensor] = []
        self._cameras: dict[str, Mailbox] = {}
        self._camera_actors: dict[str, carla.Sensor] = {}
        self._awake = True
        self._collisions: list[Collision] = []
        self._lock = threading.Lock()
        self._library = world.get_blueprint_library()
        self._world = world
        rear_axle = transform(-REAR_AXLE_TO_ORIGIN_M, 0.0, 0.0)
        gnss = {f"noise_{axis}_stddev": GNSS_NOISE_DEG for axis in ("lat", "lon", "alt")}
        imu = {f"noise_accel_stddev_{axis}": s for axis, s in zip("xyz", ACCEL_NOISE_MPS2, strict=True)}
        imu |= {f"noise_gyro_stddev_{axis}": GYRO_NOISE_RADPS for axis in "xyz"}
        self._gnss = self._listen("sensor.other.gnss", rear_axle, {**gnss, "noise_seed": seed})
        self._imu = self._listen("sensor.other.imu", transform(0.0, 0.0, 0.0), {**imu, "noise_seed": seed})
        self._spawn("sensor.other.collision", transform(0.0, 0.0, 0.0), {}, self._on_collision)
        if settings.cameras_on:
            for mount in settings.rig.cameras:
                attributes = {
                    "image_size_x": mount.width,
                    "image_size_y": mount.height,
                    "fov": np.degrees(mount.fov_rad),
                    "sensor_tick": settings.camera_period_s,
                }
                self._cameras[mount.name] = self._listen(
                    "sensor.camera.rgb", camera_transform(mount), attributes
                )
                self._camera_actors[mount.name] = self._actors[-1]
        self._period = max(round(settings.camera_period_s / settings.tick_s), 1)
        self._phase: int | None = None  # of the frames on which the cameras deliver

    def read(self, frame: int, time_us: int) -> SensorPacket:
        """Everything the sensors say of `frame`. Cameras are waited for on the ticks on which they are due."""
        gnss, imu = self._gnss.take(frame), self._imu.take(frame)
        if self._phase is None and self._cameras:
            self._phase = next(iter(self._cameras.values())).first_frame() % self._period
        due = self._cameras if self._awake and self.due(frame) else {}
        readings = Readings(
            gnss.latitude, gnss.longitude, imu.compass, imu.gyroscope.z, imu.accelerometer.x, self._speedometer(),
            {name: bgra(box.take(frame)) for name, box in due.items()},
        )  # fmt: skip
        return packet_of(readings, time_us, self._geography)

    def due(self, frame: int) -> bool:
        """Is it a frame on which the cameras deliver, as far as their rhythm is known?"""
        return frame % self._period == self._phase

    def settle(self) -> int:
        """In a world that others tick: the first frame that `read` can be asked for, once every stream has delivered.

        Raises OutOfStepError for cameras that came to the world in different ticks, and deliver so.
        """
        first = [box.first_frame() for box in self._cameras.values()]
        phases = {frame % self._period for frame in first}
        if len(phases) > 1:
            raise OutOfStepError(f"cameras deliver on frames {first}, every {self._period}th")
        self._phase = phases.pop() if phases else None
        return max(*first, self._gnss.first_frame(), self._imu.first_frame())

    def doze(self) -> None:
        """Let the cameras rest once their rhythm is known; nobody listens, so nothing is drawn for them."""
        if self._cameras and self._awake:
            self._phase = next(iter(self._cameras.values())).first_frame() % self._period
            for actor in self._camera_actors.values():
                actor.stop()
            self._awake = False

    def wake(self) -> None:
        """Let the cameras deliver again, in the same rhythm, from the next tick on."""
        if not self._awake:
            for name, actor in self._camera_actors.items():
                actor.listen(self._cameras[name].put)
            self._awake = True

    def collisions(self) -> tuple[Collision, ...]:
        """What the collision sensor reported since the last call."""
        with self._lock:
            found, self._collisions = tuple(self._collisions), []
        return found

    def destroy(self) -> None:
        """Stop and remove all sensors."""
        for actor in self._actors:
            actor.stop()
        for actor in self._actors:
            actor.destroy()
        self._actors.clear()

    def _speedometer(self) -> float:
        velocity = self._ego.get_velocity()
        forward = self._ego.get_transform().get_forward_vector()
        return velocity.x * forward.x + velocity.y * forward.y + velocity.z * forward.z

    def _listen(self, blueprint: str, where: carla.Transform, attributes: dict) -> Mailbox:
        box = Mailbox(blueprint, self._settings.timeout_s)
        self._spawn(blueprint, where, attributes, box.put)
        return box

    def _spawn(self, blueprint: str, where: carla.Transform, attributes: dict, callback: Callable) -> None:
        description = self._library.find(blueprint)
        for name, value in attributes.items():
            description.set_attribute(name, str(value))
        actor = self._world.spawn_actor(description, where, attach_to=self._ego)
        actor.listen(callback)
        self._actors.append(actor)

    def _on_collision(self, event: carla.CollisionEvent) -> None:
        with self._lock:
            self._collisions.append(collision_of(event))


def collision_of(event: carla.CollisionEvent) -> Collision:
    """One report of a collision sensor."""
    impulse = event.normal_impulse
    size = float(np.sqrt(impulse.x**2 + impulse.y**2 + impulse.z**2))
    return Collision(event.other_actor.id, event.other_actor.type_id, size)


def bgra(image: carla.Image) -> np.ndarray:
    """A picture's bytes, uint8 (h, w, 4): a copy, for `raw_data` does not keep the client's buffer."""
    return np.frombuffer(image.raw_data, dtype=np.uint8).reshape(image.height, image.width, 4).copy()
