"""From a CARLA blueprint id and a box to a body."""

from __future__ import annotations

import zlib

from drive_agent.sim.render import people, props, vehicles
from drive_agent.sim.render.body import Body

SALOON, SUV, VAN, POLICE, AMBULANCE, TRUCK, FIRE_TRUCK, BUS = (
    "saloon", "suv", "van", "police", "ambulance", "truck", "fire_truck", "bus",
)  # fmt: skip
MOTORCYCLE, BICYCLE, PEDESTRIAN, PROP = "motorcycle", "bicycle", "pedestrian", "prop"

# First word found in the blueprint id decides; blueprints of CARLA 0.9.16.
CLASS_OF_WORD = (
    ("crossbike", BICYCLE), ("omafiets", BICYCLE), ("century", BICYCLE), ("bicycle", BICYCLE),
    ("kawasaki", MOTORCYCLE), ("harley", MOTORCYCLE), ("yamaha", MOTORCYCLE), ("vespa", MOTORCYCLE),
    ("motorcycle", MOTORCYCLE), ("fusorosa", BUS), ("bus", BUS), ("firetruck", FIRE_TRUCK),
    ("carlacola", TRUCK), ("hgv", TRUCK), ("truck", TRUCK), ("ambulance", AMBULANCE), ("police", POLICE),
    ("sprinter", VAN), ("volkswagen.t2", VAN), ("van", VAN), ("patrol", SUV), ("wrangler", SUV),
    ("etron", SUV), ("suv", SUV), ("grandtourer", SUV),
)  # fmt: skip


def body_class(type_id: str, half_extents: tuple[float, float, float]) -> str:
    """Class of a blueprint. A vehicle that no word of its id describes is judged by the size of its box."""
    if type_id.startswith("walker."):
        return PEDESTRIAN
    if not type_id.startswith("vehicle."):
        return PROP
    if "cybertruck" in type_id:
        return SUV
    for word, name in CLASS_OF_WORD:
        if word in type_id:
            return name
    length, width, height = half_extents
    if width < 0.5:
        return MOTORCYCLE if length > 0.95 else BICYCLE
    if length > 3.3:
        return TRUCK
    return SUV if height > 0.88 else SALOON


def build_body(name: str, half_extents: tuple[float, float, float], type_id: str) -> Body:
    """The body of a class, within its box. The same arguments give the same body."""
    look = zlib.crc32(type_id.encode()) % 60
    if name == PEDESTRIAN:
        return people.pedestrian(half_extents, look)
    if name == BICYCLE:
        return people.bicycle(half_extents, look)
    if name == MOTORCYCLE:
        return people.motorcycle(half_extents, look)
    if name == PROP:
        return props.prop(half_extents, type_id)
    if name in (TRUCK, FIRE_TRUCK):
        return vehicles.truck(half_extents, beacons=name == FIRE_TRUCK)
    if name == BUS:
        return vehicles.bus(half_extents)
    shape = {POLICE: SALOON, AMBULANCE: VAN}.get(name, name)
    return vehicles.car(half_extents, shape, beacons=name in (POLICE, AMBULANCE))
