"""From a CARLA blueprint id and a box to a body."""

from __future__ import annotations

import zlib

from drive_agent.sim.render import people, props, vehicles
from drive_agent.sim.render.body import Body

SALOON, HATCHBACK, SUV, VAN, POLICE, TAXI, AMBULANCE, PICKUP, TRUCK, FIRE_TRUCK, BUS = (
    "saloon", "hatchback", "suv", "van", "police", "taxi", "ambulance", "pickup", "truck", "fire_truck", "bus",
)  # fmt: skip
MOTORCYCLE, BICYCLE, PEDESTRIAN, PROP, DOOR = "motorcycle", "bicycle", "pedestrian", "prop", "door"

# First word found in the blueprint id decides; blueprints of CARLA 0.9.16.
CLASS_OF_WORD = (
    ("vehicle.door", DOOR),
    ("crossbike", BICYCLE), ("omafiets", BICYCLE), ("century", BICYCLE), ("bicycle", BICYCLE),
    ("kawasaki", MOTORCYCLE), ("harley", MOTORCYCLE), ("yamaha", MOTORCYCLE), ("vespa", MOTORCYCLE),
    ("motorcycle", MOTORCYCLE), ("fusorosa", BUS), ("bus", BUS), ("firetruck", FIRE_TRUCK),
    ("cybertruck", PICKUP), ("carlacola", TRUCK), ("hgv", TRUCK), ("truck", TRUCK), ("ambulance", AMBULANCE), ("police", POLICE),
    ("sprinter", VAN), ("volkswagen.t2", VAN), ("van", VAN), ("patrol", SUV), ("wrangler", SUV),
    ("etron", SUV), ("suv", SUV), ("grandtourer", SUV), ("crown", TAXI), ("audi.a2", HATCHBACK),
    ("citroen.c3", HATCHBACK), ("micra", HATCHBACK), ("leon", HATCHBACK), ("cooper", HATCHBACK), ("prius", HATCHBACK),
    ("microlino", HATCHBACK),
)  # fmt: skip

STRIPES = {POLICE: (0.10, 0.22, 0.62), AMBULANCE: (0.80, 0.10, 0.08)}


def body_class(type_id: str, half_extents: tuple[float, float, float]) -> str:
    """Class of a blueprint. A vehicle that no word of its id describes is judged by the size of its box."""
    if type_id.startswith("walker."):
        return PEDESTRIAN
    if not type_id.startswith("vehicle."):
        return PROP
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
    if name == DOOR:
        return vehicles.door(half_extents)
    if name == PICKUP:
        return vehicles.pickup(half_extents)
    if name == TAXI:
        return vehicles.car(half_extents, SALOON, taxi=True)
    if name in STRIPES:
        shape = SALOON if name == POLICE else VAN
        return vehicles.car(half_extents, shape, beacons=True, stripe=STRIPES[name])
    return vehicles.car(half_extents, name)
