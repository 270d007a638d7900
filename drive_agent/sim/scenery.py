"""The town's static boxes (buildings, poles, trunks): what vehicles run into and rays hit. The looks are the renderer's."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from drive_agent.sim.collision import StaticGrid, build_static_grid
from drive_agent.sim.maps import Town
from drive_agent.sim.render import labels
from drive_agent.sim.render.scenery import build_scenery
from drive_agent.sim.wire import Encoded

# Type ids of collision partners that are no actors, as CARLA names them
_TYPE_IDS = {
    labels.BUILDINGS: "static.building",
    labels.WALLS: "static.wall",
    labels.FENCES: "static.fence",
    labels.POLES: "static.pole",
    labels.TRAFFIC_LIGHT: "static.trafficlight",
    labels.TRAFFIC_SIGNS: "static.trafficsign",
    labels.VEGETATION: "static.vegetation",
    labels.GUARD_RAIL: "static.guardrail",
    labels.ROADS: "static.road",
    labels.ROAD_LINES: "static.roadline",
    labels.SIDEWALKS: "static.sidewalk",
    labels.TERRAIN: "static.terrain",
    labels.GROUND: "static.ground",
}
_OUT_OF_THE_WAY_M = -1e6


@dataclass(frozen=True)
class StaticScene:
    """Static boxes of a town with their labels, and the scenery that the renderer draws."""

    grid: StaticGrid
    labels: np.ndarray  # uint8 (n,)
    scenery: Any  # drive_agent.sim.render.scenery.Scenery
    disabled: frozenset[int] = frozenset()  # indices of boxes that nothing touches and nobody sees

    @property
    def hidden_objects(self) -> frozenset[int]:
        """Numbers of the disabled objects in the renderer's mesh."""
        return frozenset(int(self.scenery.static_objects[index]) for index in self.disabled)

    def without(self, indices: Collection[int]) -> "StaticScene":
        """The scene with exactly these boxes disabled: they lie far below everything."""
        boxes = self.scenery.static_boxes.copy()
        boxes[list(indices), 2] = _OUT_OF_THE_WAY_M
        return replace(self, grid=self.grid._replace(boxes=boxes), disabled=frozenset(indices))

    def type_id(self, index: int) -> str:
        """What a collision event calls box `index`."""
        return _type_id(int(self.labels[index]))

    def encode_box_as_actor(self, index: int) -> Encoded:
        """`Actor` for box `index` as a partner of an event: a type id and a size, no id."""
        return _no_actor(int(self.labels[index]), [float(size) for size in self.grid.boxes[index, 3:6]])


def encode_label_as_actor(label: int) -> Encoded:
    """`Actor` for a static thing of which only the label is known."""
    return _no_actor(label, [0.0, 0.0, 0.0])


def _no_actor(label: int, extent: list[float]) -> Encoded:
    box = [[0.0, 0.0, 0.0], extent, [0.0, 0.0, 0.0], 0]
    return [0, 0, [0, _type_id(label), []], box, bytes([label]), b""]


def _type_id(label: int) -> str:
    return _TYPE_IDS.get(label, "static.unknown")


def build_static_scene(town: Town, seed: int) -> StaticScene:
    """Furnish a town; the same seed furnishes it the same way."""
    scenery = build_scenery(town.carla_map, town.opendrive_text, seed, town.streets)
    return StaticScene(build_static_grid(scenery.static_boxes), scenery.static_tags, scenery)
