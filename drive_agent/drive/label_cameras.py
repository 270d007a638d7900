"""Colour, depth and semantic cameras at the places of a rig: the pictures that dense labels are made of."""

from __future__ import annotations

import carla
import numpy as np

from drive_agent.drive.carla_axes import camera_transform
from drive_agent.drive.carla_sensors import Mailbox, bgra
from drive_agent.rig import CameraMount

KINDS = {
    "rgb": "sensor.camera.rgb",
    "depth": "sensor.camera.depth",
    "tags": "sensor.camera.semantic_segmentation",
}


class LabelCameras:
    """Colour, depth and semantic cameras at the places of a rig, on one vehicle, delivering at the same ticks."""

    def __init__(
        self,
        world: carla.World,
        vehicle: carla.Vehicle,
        mounts: tuple[CameraMount, ...],
        period_s: float,
        timeout_s: float,
    ) -> None:
        self.mounts = mounts
        self._boxes: dict[tuple[str, str], Mailbox] = {}
        self._actors: list[carla.Sensor] = []
        library = world.get_blueprint_library()
        for mount in mounts:
            for kind, type_id in KINDS.items():
                blueprint = library.find(type_id)
                size = {"image_size_x": mount.width, "image_size_y": mount.height}
                for name, value in (
                    size | {"fov": np.degrees(mount.fov_rad), "sensor_tick": period_s}
                ).items():
                    blueprint.set_attribute(name, str(value))
                sensor = world.spawn_actor(blueprint, camera_transform(mount), attach_to=vehicle)
                box = Mailbox(f"{mount.name} {kind} of car {vehicle.id}", timeout_s)
                sensor.listen(box.put)
                self._boxes[mount.name, kind] = box
                self._actors.append(sensor)

    def take(self, frame: int) -> dict[str, dict[str, np.ndarray]]:
        """Camera -> kind -> raw picture (h, w, 4) of a frame; earlier ones are dropped."""
        out: dict[str, dict[str, np.ndarray]] = {mount.name: {} for mount in self.mounts}
        for (name, kind), box in self._boxes.items():
            out[name][kind] = bgra(box.take(frame))
        return out

    def destroy(self) -> None:
        for actor in self._actors:
            actor.stop()
        for actor in self._actors:
            actor.destroy()
