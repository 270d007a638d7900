"""The shape of the ground and what the road says at a point: height, slope and speed limit, looked up in a grid.

Built once per town from samples every 2 m of every drivable lane; between samples the ground is a plane along the lane.
Beyond about 10 m from any lane nothing is known and things keep their height.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import carla
import numpy as np

from drive_agent.sim.compiled import compiled
from drive_agent.sim.opendrive import LaneSpan
from drive_agent.sim.speed_limits import LaneLimit
from drive_agent.sim.vehicle_dynamics import GRAVITY_MPS2

SAMPLE_STEP_M = 2.0
_CELL_M = 8.0
_STICK_M = 0.5  # a vehicle on the ground follows it over steps up to this
_BURIED_M = 3.0  # deeper than this below the ground, a vehicle is not on this ground at all

SAMPLE = np.dtype(
    [(name, "f8") for name in ("x", "y", "z", "cos", "sin", "slope", "limit_kmh")] + [("cell", "i8")],
    align=True,
)


class GroundGrid(NamedTuple):
    """Samples sorted by cell, and where each cell begins: what the compiled functions read."""

    samples: np.ndarray  # SAMPLE (n,)
    starts: np.ndarray  # int64 (columns * rows + 1,)
    origin_x: float
    origin_y: float
    columns: int
    rows: int


def build_ground(carla_map: carla.Map, limits: Mapping[LaneSpan, LaneLimit]) -> GroundGrid:
    """Sample every drivable lane of a town, with its limit."""
    rows = [sample for lane, limit in limits.items() for sample in _sample_lane(carla_map, lane, limit)]
    samples = np.zeros(len(rows), SAMPLE)
    for column, name in enumerate(("x", "y", "z", "cos", "sin", "slope", "limit_kmh")):
        samples[name] = [row[column] for row in rows]
    origin_x, origin_y = float(samples["x"].min()) - _CELL_M, float(samples["y"].min()) - _CELL_M
    columns = int((samples["x"].max() - origin_x) / _CELL_M) + 2
    grid_rows = int((samples["y"].max() - origin_y) / _CELL_M) + 2
    column = ((samples["x"] - origin_x) / _CELL_M).astype(np.int64)
    samples["cell"] = ((samples["y"] - origin_y) / _CELL_M).astype(np.int64) * columns + column
    samples = samples[np.argsort(samples["cell"], kind="stable")]
    starts = np.searchsorted(samples["cell"], np.arange(columns * grid_rows + 1))
    return GroundGrid(samples, starts.astype(np.int64), origin_x, origin_y, columns, grid_rows)


def _sample_lane(carla_map: carla.Map, lane: LaneSpan, limit: LaneLimit) -> list[tuple[float, ...]]:
    """Points along the reference line's direction; slope from neighbours (the client's own pitch depends on the lane's side)."""
    count = max(2, math.ceil((lane.end_s - lane.start_s) / SAMPLE_STEP_M) + 1)
    stations = np.linspace(lane.start_s + 1e-3, lane.end_s - 1e-3, count)
    waypoints = [carla_map.get_waypoint_xodr(lane.road_id, lane.lane_id, float(s)) for s in stations]
    found = [
        (waypoint.transform.location, limit.at(float(s)))
        for waypoint, s in zip(waypoints, stations, strict=True)
        if waypoint is not None
    ]
    if len(found) < 2:
        return []
    points = np.array([(place.x, place.y, place.z) for place, _ in found])
    along = np.gradient(points, axis=0)
    flat = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    rows = np.column_stack(
        [points, along[:, 0] / flat, along[:, 1] / flat, along[:, 2] / flat, [kmh for _, kmh in found]]
    )
    return [tuple(row) for row in rows.tolist()]


@compiled
def nearest_sample(grid, x, y, z):
    """Index of the sample nearest to (x, y, z), among those of the 3 x 3 cells around; -1 where there is none."""
    column, row = (
        int(math.floor((x - grid.origin_x) / _CELL_M)),
        int(math.floor((y - grid.origin_y) / _CELL_M)),
    )
    best, best_distance = -1, 1e18
    for r in range(max(0, row - 1), min(grid.rows, row + 2)):
        for c in range(max(0, column - 1), min(grid.columns, column + 2)):
            cell = r * grid.columns + c
            for index in range(grid.starts[cell], grid.starts[cell + 1]):
                s = grid.samples[index]
                distance = (s.x - x) ** 2 + (s.y - y) ** 2 + (s.z - z) ** 2
                if distance < best_distance:
                    best, best_distance = index, distance
    return best


@compiled
def plane_height(sample, x, y):
    """Height at (x, y) of the plane through a SAMPLE."""
    return sample.z + sample.slope * ((x - sample.x) * sample.cos + (y - sample.y) * sample.sin)


@compiled
def ground_height(grid, x, y, z):
    """Height of the ground under (x, y) nearest to z; nan where nothing is known."""
    index = nearest_sample(grid, x, y, z)
    return plane_height(grid.samples[index], x, y) if index >= 0 else math.nan


@compiled
def settle_vehicles(grid, vehicles, delta_s):
    """Let VEHICLE (n,) fly, fall to the ground or follow it with height, pitch and roll; note the speed limit there."""
    for index in range(vehicles.shape[0]):
        v = vehicles[index]
        nearest = nearest_sample(grid, v.x, v.y, v.z)
        if nearest < 0:
            continue
        sample = grid.samples[nearest]
        v.speed_limit_kmh = sample.limit_kmh
        if v.simulate_physics == 0:
            continue
        height = plane_height(sample, v.x, v.y)
        if v.grounded == 1 and v.vertical_mps <= 0.0 and abs(v.z - height) < _STICK_M:
            _stand(v, sample, height)
        elif v.z - height >= -_BURIED_M:
            _fly(v, sample, height, delta_s)
        else:
            v.grounded = 0


@compiled
def _stand(v, sample, height):
    """On the ground; the body's own pitch and roll add to the slope."""
    v.z, v.vertical_mps, v.grounded = height, 0.0, 1
    cos, sin = math.cos(v.yaw), math.sin(v.yaw)
    v.grade = math.atan(sample.slope * (cos * sample.cos + sin * sample.sin))
    v.bank = -math.atan(sample.slope * (-sin * sample.cos + cos * sample.sin))
    v.pitch, v.roll = v.grade + v.squat, v.bank + v.sway


@compiled
def _fly(v, sample, height, delta_s):
    v.grounded = 0
    if v.gravity == 1:
        v.vertical_mps -= GRAVITY_MPS2 * delta_s
    v.z += v.vertical_mps * delta_s
    if v.z <= height and v.vertical_mps <= 0.0:
        _stand(v, sample, height)
