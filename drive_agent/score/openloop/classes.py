"""Which agents each published protocol lets a plan collide with, by nuScenes' names.

Both kinds of names are understood: full categories ("vehicle.bus.rigid") and the ten detection classes ("bus").
Source of the mapping: nuScenes' detection task, `nuscenes/eval/detection/utils.py` of nuscenes-devkit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DETECTION_OF_CATEGORY = {
    "vehicle.car": "car",
    "vehicle.truck": "truck",
    "vehicle.bus.bendy": "bus",
    "vehicle.bus.rigid": "bus",
    "vehicle.trailer": "trailer",
    "vehicle.construction": "construction_vehicle",
    "vehicle.motorcycle": "motorcycle",
    "vehicle.bicycle": "bicycle",
    "human.pedestrian.adult": "pedestrian",
    "human.pedestrian.child": "pedestrian",
    "human.pedestrian.construction_worker": "pedestrian",
    "human.pedestrian.police_officer": "pedestrian",
    "movable_object.barrier": "barrier",
    "movable_object.trafficcone": "traffic_cone",
}

VEHICLES = frozenset({"car", "truck", "bus", "trailer", "construction_vehicle", "motorcycle", "bicycle"})
DETECTED = VEHICLES | {"pedestrian", "barrier", "traffic_cone"}

# The occupancy keeps the label numbers 0-4, 6 and 7. In the order of the released data set class
# (`NuScenesDataset.CLASSES`) number 5 is the bicycle and 7 the pedestrian; in the order of the released label tool
# (`create_data_bev_planner.py`) 5 is the barrier and 7 the bicycle.
BEV_PLANNER = (VEHICLES - {"bicycle"}) | {"pedestrian"}
BEV_PLANNER_LABEL_TOOL = VEHICLES


def detection_class(name: str) -> str:
    """The detection class of a nuScenes name, "" for what the detection task leaves out."""
    return name if name in DETECTED else DETECTION_OF_CATEGORY.get(name, "")


def is_vehicle(name: str) -> bool:
    """ST-P3's and VAD's vehicles: every `vehicle.*` category, ambulances and police cars too."""
    return name.startswith("vehicle.") or name in VEHICLES


def is_human(name: str) -> bool:
    """ST-P3's and VAD's humans: every `human.*` category, strollers and wheelchairs too."""
    return name.startswith("human.") or name == "pedestrian"


def of_detection_classes(class_names: Sequence[str], chosen: frozenset[str]) -> np.ndarray:
    """Bool (classes,): is a class one of the chosen detection classes."""
    return np.array([detection_class(name) in chosen for name in class_names], bool)


def road_users(class_names: Sequence[str]) -> np.ndarray:
    """Bool (classes,): vehicles and humans of any category."""
    return np.array([is_vehicle(name) or is_human(name) for name in class_names], bool)
