"""Static props: what a scenario puts on or beside a road, with their boxes.

Ids and sizes: CARLA 0.9.16, from the snapshot of its blueprints that Scenic publishes
(`tools/carla/snapshots`). Masses are estimated, for a prop is pushed by what drives into it; size classes
follow the longest side, estimated too: CARLA's own are not published.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from drive_agent.sim.catalogue import VEHICLES
from drive_agent.sim.render import labels

_DENSITY_KG_PER_M3 = 150.0  # of a box, where nothing better is known


@dataclass(frozen=True)
class PropModel:
    """One kind of static prop; a `loose` one is pushed away from the start, others once they have physics."""

    type_id: str
    half_extents_m: tuple[float, float, float]
    size: str
    mass_kg: float
    loose: bool = False


def _prop(
    name: str,
    length: float,
    width: float,
    height: float,
    size: str,
    mass_kg: float = 0.0,
    *,
    loose: bool = False,
) -> PropModel:
    mass_kg = mass_kg or max(0.2, _DENSITY_KG_PER_M3 * length * width * height)
    return PropModel(f"static.prop.{name}", (length / 2, width / 2, height / 2), size, mass_kg, loose)


# name, length, width, height (m), size class, mass (kg)
PROPS: tuple[PropModel, ...] = (
    _prop("advertisement", 1.549, 0.287, 2.443, "big", 200),
    _prop("aporosatree", 12.958, 12.585, 15.633, "huge"),
    _prop("atm", 0.713, 0.874, 2.276, "big", 400),
    _prop("barbeque", 0.946, 0.499, 1.264, "medium", 30),
    _prop("barrel", 0.460, 0.471, 0.807, "small", 12, loose=True),
    _prop("bench01", 1.544, 0.736, 0.970, "medium", 60),
    _prop("bench02", 1.564, 0.545, 0.509, "medium", 60),
    _prop("bench03", 1.583, 0.513, 0.513, "medium", 60),
    _prop("bike helmet", 0.186, 0.277, 0.171, "tiny", 1, loose=True),
    _prop("bin", 0.548, 0.638, 1.059, "medium", 15, loose=True),
    _prop("box01", 0.652, 0.652, 0.692, "small", 8, loose=True),
    _prop("box02", 0.649, 0.649, 0.649, "small", 8, loose=True),
    _prop("box03", 0.661, 0.670, 0.649, "small", 8, loose=True),
    _prop("briefcase", 0.543, 0.181, 0.433, "small", 4, loose=True),
    _prop("brokentile01", 0.134, 0.176, 0.007, "tiny"),
    _prop("brokentile02", 0.210, 0.152, 0.008, "tiny"),
    _prop("brokentile03", 0.154, 0.145, 0.009, "tiny"),
    _prop("brokentile04", 0.130, 0.126, 0.010, "tiny"),
    _prop("busstop", 3.876, 1.894, 2.739, "big"),
    _prop("busstoplb", 1.894, 3.876, 2.739, "big"),
    _prop("calibrator", 1.548, 0.690, 0.202, "medium"),
    _prop("chainbarrier", 1.494, 0.239, 0.889, "medium", 20),
    _prop("chainbarrierend", 0.239, 0.239, 0.889, "small", 12),
    _prop("clothcontainer", 1.239, 1.887, 1.810, "medium", 200),
    _prop("clothesline", 6.652, 1.118, 2.061, "huge"),
    _prop("coconutpalm", 8.604, 8.886, 20.315, "huge"),
    _prop("colacan", 0.068, 0.072, 0.110, "tiny", 0.3, loose=True),
    _prop("constructioncone", 0.344, 0.344, 0.586, "small", 3, loose=True),
    _prop("container", 1.932, 1.012, 1.714, "medium", 250),
    _prop("creasedbox01", 0.809, 0.713, 0.118, "small", 1, loose=True),
    _prop("creasedbox02", 1.633, 0.713, 0.212, "medium", 1, loose=True),
    _prop("creasedbox03", 1.669, 0.713, 0.022, "medium", 1, loose=True),
    _prop("cypresstree", 4.610, 4.628, 15.679, "huge"),
    _prop("dirtdebris01", 1.857, 1.514, 0.149, "medium"),
    _prop("dirtdebris02", 1.857, 1.514, 0.149, "medium"),
    _prop("dirtdebris03", 1.857, 1.514, 0.188, "medium"),
    _prop("doghouse", 1.079, 1.272, 1.094, "medium", 40),
    _prop("foodcart", 2.285, 4.638, 3.573, "big", 500),
    _prop("fountain", 8.402, 8.402, 6.924, "huge"),
    _prop("garbage01", 0.053, 0.053, 0.087, "tiny", 0.2, loose=True),
    _prop("garbage02", 0.053, 0.053, 0.009, "tiny", 0.2, loose=True),
    _prop("garbage03", 0.060, 0.059, 0.079, "tiny", 0.2, loose=True),
    _prop("garbage04", 0.057, 0.056, 0.069, "tiny", 0.2, loose=True),
    _prop("garbage05", 0.232, 0.233, 0.058, "tiny", 0.2, loose=True),
    _prop("garbage06", 0.366, 0.213, 0.077, "small", 0.2, loose=True),
    _prop("gardenlamp", 0.297, 0.281, 0.648, "small", 5),
    _prop("glasscontainer", 1.955, 2.009, 1.788, "big", 400),
    _prop("gnome", 0.367, 0.376, 0.883, "small", 8, loose=True),
    _prop("guitarcase", 1.242, 0.125, 0.494, "medium", 7, loose=True),
    _prop("haybale", 1.248, 1.193, 1.195, "medium", 200),
    _prop("haybalelb", 1.248, 1.193, 1.195, "medium", 200),
    _prop("ironplank", 1.452, 1.174, 0.021, "medium", 40),
    _prop("kiosk_01", 1.625, 1.654, 3.245, "big"),
    _prop("mailbox", 0.527, 0.438, 1.157, "medium", 80),
    _prop("maptable", 1.573, 0.617, 1.181, "medium", 60),
    _prop("mobile", 0.080, 0.007, 0.166, "tiny", 0.2, loose=True),
    _prop("motorhelmet", 0.200, 0.259, 0.258, "tiny", 2, loose=True),
    _prop("pergola", 5.029, 5.085, 3.542, "huge"),
    _prop("plantpot01", 1.089, 0.476, 0.557, "medium"),
    _prop("plantpot02", 1.051, 0.431, 0.487, "medium"),
    _prop("plantpot03", 1.051, 0.431, 0.487, "medium"),
    _prop("plantpot04", 4.967, 0.737, 0.125, "big"),
    _prop("plantpot05", 0.400, 0.400, 0.280, "small"),
    _prop("plantpot06", 1.593, 1.593, 0.850, "medium"),
    _prop("plantpot07", 0.495, 0.476, 0.557, "small"),
    _prop("plantpot08", 0.530, 0.530, 0.489, "small"),
    _prop("plasticbag", 0.311, 0.403, 0.552, "small", 1, loose=True),
    _prop("plasticchair", 0.730, 0.750, 1.271, "medium", 4, loose=True),
    _prop("plastictable", 2.482, 2.482, 2.480, "big", 20),
    _prop("platformgarbage01", 3.633, 1.711, 0.332, "big", 80),
    _prop("purse", 0.159, 0.333, 0.585, "small", 1, loose=True),
    _prop("shoppingbag", 0.474, 0.243, 0.601, "small", 2, loose=True),
    _prop("shoppingcart", 0.669, 1.208, 1.079, "medium", 18, loose=True),
    _prop("shoppingtrolley", 0.506, 0.331, 1.094, "medium", 6, loose=True),
    _prop("slide", 0.943, 4.122, 1.977, "big"),
    _prop("streetbarrier", 1.215, 0.372, 1.069, "medium", 25),
    _prop("streetfountain", 0.287, 0.670, 1.259, "medium"),
    _prop("streetsign", 1.064, 0.125, 2.154, "big"),
    _prop("streetsign01", 2.470, 0.303, 3.878, "big"),
    _prop("streetsign04", 1.171, 0.125, 2.773, "big"),
    _prop("swing", 4.105, 1.577, 2.572, "big"),
    _prop("swingcouch", 1.357, 2.362, 2.249, "big", 60),
    _prop("table", 2.156, 2.152, 0.846, "big", 30),
    _prop("trafficcone01", 0.883, 0.882, 1.133, "medium", 7, loose=True),
    _prop("trafficcone02", 0.456, 0.395, 1.183, "medium", 4, loose=True),
    _prop("trafficwarning", 2.373, 2.871, 3.570, "big", 600),
    _prop("trampoline", 4.132, 4.132, 2.802, "big", 80),
    _prop("trashbag", 0.378, 0.430, 0.702, "small", 6, loose=True),
    _prop("trashcan01", 0.635, 0.568, 0.848, "small", 15, loose=True),
    _prop("trashcan02", 0.524, 0.514, 1.045, "medium", 15, loose=True),
    _prop("trashcan03", 0.629, 0.545, 0.934, "medium", 15, loose=True),
    _prop("trashcan04", 0.789, 0.580, 1.016, "medium", 15, loose=True),
    _prop("trashcan05", 0.789, 0.580, 1.016, "medium", 15, loose=True),
    _prop("travelcase", 0.567, 0.328, 1.263, "medium", 12, loose=True),
    _prop("vendingmachine", 0.873, 1.102, 2.108, "big", 300),
    _prop("warningaccident", 1.305, 1.055, 1.860, "medium", 40),
    _prop("warningconstruction", 1.305, 1.055, 1.860, "medium", 40),
    _prop("wateringcan", 0.070, 0.194, 0.135, "tiny", 1, loose=True),
    _prop("mesh", 1.000, 1.000, 1.000, "medium", 10),  # without a known `mesh_path` a box
)  # fmt: skip

# Words of the `mesh_path` of a `static.prop.mesh` that the Leaderboard parks beside its routes -> what it looks like
MESHES: tuple[tuple[str, str], ...] = (
    ("Charger", "vehicle.dodge.charger_2020"),
    ("FordCrown", "vehicle.ford.crown"),
    ("Lincoln", "vehicle.lincoln.mkz_2020"),
    ("MercedesCCC", "vehicle.mercedes.coupe_2020"),
    ("Mini2021", "vehicle.mini.cooper_s_2021"),
    ("NissanPatrol2021", "vehicle.nissan.patrol_2021"),
    ("TeslaM3", "vehicle.tesla.model3"),
    ("VolkswagenT2", "vehicle.volkswagen.t2_2021"),
)


@dataclass(frozen=True)
class PropShape:
    """What one spawned prop is: size and mass, the type id that it looks like, and its semantic label."""

    model: PropModel
    look: str
    label: int


def shape_of(model: PropModel, attributes: Mapping[str, str]) -> PropShape:
    """A prop as its attributes ask for; only `static.prop.mesh` has any that matter."""
    if model.type_id != "static.prop.mesh":
        return PropShape(model, model.type_id, labels.DYNAMIC if model.loose else labels.STATIC)
    path, scale = attributes.get("mesh_path", ""), float(attributes.get("scale", "1"))
    type_id = next((type_id for word, type_id in MESHES if word in path), None)
    vehicle = next((vehicle for vehicle in VEHICLES if vehicle.type_id == type_id), None)
    size = vehicle.half_extents_m if vehicle is not None else model.half_extents_m
    mass_kg = vehicle.mass_kg if vehicle is not None else float(attributes.get("mass", str(model.mass_kg)))
    scaled = replace(
        model, half_extents_m=(size[0] * scale, size[1] * scale, size[2] * scale), mass_kg=mass_kg
    )
    if vehicle is None:
        return PropShape(scaled, model.type_id, labels.STATIC)
    return PropShape(scaled, vehicle.type_id, vehicle.label)
