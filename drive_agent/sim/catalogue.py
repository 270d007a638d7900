"""What can be spawned besides sensors and props: vehicles and walkers, with their boxes and what makes them move.

Ids, base and special types, generations, lights and doors are those of CARLA 0.9.16's documentation (vehicle
and pedestrian catalogues). Boxes of vehicles and walkers are a dump of `actor.bounding_box` of CARLA 0.9.15
in a public fuzzer of driving stacks; their sizes agree with the snapshot of 0.9.16 that Scenic publishes
(`tools/carla/snapshots`). Wheelbases were measured in CARLA 0.9.9 by the project carla-real-traffic-
scenarios; where it has none, 0.6 of the length, estimated. Masses of `lincoln.mkz_2017` and `nissan.patrol`
are in recordings published with ScenarioRunner; other masses and all powers are those of the real model or of
its class, estimated. Gender, age, wheelchair and speeds of walkers come from a public catalogue of the same
walkers in CARLA 0.10.

The bus is the exception: CARLA's box for it is 3.94 m wide and 4.25 m high and touches whoever comes the
other way; here it is as wide and high as a bus. The looks are the renderer's business.
"""

from dataclasses import dataclass
from typing import Any

from drive_agent.sim.render import labels

_RED, _WHITE, _BLACK_AND_WHITE = ("165,18,18",), ("235,235,235",), ("18,18,22", "225,225,225")
_YELLOW, _STEEL = ("225,180,20",), ("180,182,186",)
WHEELBASE_PER_LENGTH = 0.6  # fits the measured cars, vans and trucks within 12 %


@dataclass(frozen=True)
class VehicleModel:
    """One kind of vehicle; `half_extents_m` is half of length, width, height, `center_m` their middle in its frame."""

    type_id: str
    center_m: tuple[float, float, float]
    half_extents_m: tuple[float, float, float]
    mass_kg: float
    power_w: float
    measured_wheelbase_m: float | None = None
    base_type: str = "car"
    special_type: str = ""
    generation: int = 1
    has_lights: bool = False
    has_doors: bool = False
    wheels: int = 4
    drivers: tuple[int, ...] = ()  # ids of the riders that may sit on it
    colors: tuple[str, ...] = ("190,190,190", "20,20,22", "150,25,30", "30,60,120", "225,225,225")

    @property
    def label(self) -> int:
        """Semantic label of the whole vehicle."""
        by_type = {
            "truck": labels.TRUCK,
            "van": labels.CAR,
            "bus": labels.BUS,
            "motorcycle": labels.MOTORCYCLE,
            "bicycle": labels.BICYCLE,
        }
        return by_type.get(self.base_type, labels.CAR)

    @property
    def wheelbase_m(self) -> float:
        """Distance of the axles."""
        return self.measured_wheelbase_m or 2.0 * WHEELBASE_PER_LENGTH * self.half_extents_m[0]


@dataclass(frozen=True)
class WalkerModel:
    """One kind of pedestrian; speeds are those that CARLA recommends."""

    type_id: str
    half_extents_m: tuple[float, float, float]
    gender: str
    age: str
    generation: int
    can_use_wheelchair: bool
    walking_mps: float
    running_mps: float


def _car(
    name: str,
    box: tuple[float, float, float, float, float],
    mass_kg: float,
    power_kw: float,
    wheelbase_m: float | None = None,
    **more: Any,
) -> VehicleModel:
    """`box` is x and z of its centre, then half length, width and height."""
    x, z, half_length, half_width, half_height = box
    return VehicleModel(
        f"vehicle.{name}",
        (x, 0.0, z),
        (half_length, half_width, half_height),
        mass_kg,
        power_kw * 1000.0,
        wheelbase_m,
        **more,
    )


def _modern(name: str, *values: Any, **more: Any) -> VehicleModel:
    """Generation 2 has lamps and, unless said otherwise, doors that open."""
    return _car(name, *values, **({"generation": 2, "has_lights": True, "has_doors": True} | more))


def _two_wheeler(name: str, base_type: str, *values: Any) -> VehicleModel:
    return _car(name, *values, base_type=base_type, wheels=2, drivers=(0, 1, 2, 3, 4, 5, 6, 7, 8))


# name, box (m), mass (kg), power (kW), measured wheelbase (m)
VEHICLES: tuple[VehicleModel, ...] = (
    _car("audi.a2", (0.000, 0.782, 1.853, 0.894, 0.775), 1015, 80, 2.506),
    _car("audi.etron", (-0.004, 0.821, 2.428, 1.016, 0.825), 2520, 300, 2.900, special_type="electric"),
    _car("audi.tt", (0.000, 0.693, 2.091, 0.997, 0.693), 1430, 180, 2.653),
    _car("bmw.grandtourer", (0.000, 0.765, 2.306, 1.121, 0.834), 1530, 110, 2.935),
    _car("chevrolet.impala", (0.000, 0.701, 2.679, 1.017, 0.705), 1650, 150, 2.982),
    _car("citroen.c3", (0.000, 0.762, 1.994, 0.925, 0.809), 1150, 61, 2.684),
    _modern("dodge.charger_2020", (-0.005, 0.766, 2.504, 0.941, 0.767), 1950, 272),
    _car(
        "dodge.charger_police", (0.024, 0.793, 2.487, 1.019, 0.771), 1950, 272, 3.010,
        colors=_BLACK_AND_WHITE, special_type="emergency",
    ),
    _modern(
        "dodge.charger_police_2020", (0.109, 0.817, 2.619, 0.965, 0.819), 1950, 272,
        colors=_BLACK_AND_WHITE, special_type="emergency",
    ),
    _modern(
        "ford.crown", (0.185, 0.768, 2.683, 0.900, 0.787), 1850, 178,
        colors=_YELLOW, special_type="taxi",
    ),
    _car("ford.mustang", (0.032, 0.650, 2.359, 0.947, 0.650), 1650, 310, 2.886),
    _car("jeep.wrangler_rubicon", (0.000, 0.932, 1.933, 0.953, 0.939), 1900, 210, 2.308),
    _car("lincoln.mkz_2017", (0.004, 0.719, 2.451, 1.064, 0.755), 1696, 183, 2.871),
    _modern("lincoln.mkz_2020", (-0.006, 0.749, 2.446, 0.918, 0.745), 1696, 183, 2.871),
    _car("mercedes.coupe", (0.000, 0.667, 2.513, 1.076, 0.825), 1700, 180, 3.289),
    _modern("mercedes.coupe_2020", (-0.003, 0.720, 2.337, 0.906, 0.721), 1700, 190),
    _car("micro.microlino", (0.000, 0.677, 1.104, 0.740, 0.688), 513, 12.5, 1.542, special_type="electric"),
    _car("mini.cooper_s", (0.000, 0.693, 1.903, 0.985, 0.738), 1235, 141, 2.511),
    _modern("mini.cooper_s_2021", (-0.031, 0.891, 2.276, 1.049, 0.884), 1275, 141),
    _car("nissan.micra", (0.000, 0.781, 1.817, 0.923, 0.751), 1000, 66, 2.490),
    _car("nissan.patrol", (-0.057, 0.935, 2.302, 0.966, 0.927), 2355, 298, 2.838),
    _modern("nissan.patrol_2021", (0.028, 1.017, 2.783, 1.075, 1.023), 2700, 298),
    _car("seat.leon", (0.000, 0.740, 2.096, 0.908, 0.737), 1300, 110, 2.736),
    _car("tesla.model3", (0.029, 0.736, 2.396, 1.082, 0.744), 1845, 258, 3.000, special_type="electric"),
    _car("toyota.prius", (0.002, 0.724, 2.257, 1.003, 0.762), 1400, 90, 2.820, special_type="electric"),
    _car("carlamotors.carlacola", (0.000, 1.234, 2.602, 1.313, 1.234), 5500, 130, 2.665, base_type="truck"),
    _car(
        "carlamotors.european_hgv", (0.013, 1.731, 3.968, 1.446, 1.731), 9000, 340,
        base_type="truck", generation=2,
    ),
    _modern(
        "carlamotors.firetruck", (-0.253, 1.913, 4.234, 1.446, 1.914), 12000, 230,
        base_type="truck", colors=_RED, special_type="emergency",
    ),
    _car(
        "tesla.cybertruck", (0.000, 1.049, 3.137, 1.195, 1.049), 3000, 450,
        base_type="truck", colors=_STEEL, special_type="electric", generation=2,
    ),
    _modern(
        "ford.ambulance", (-0.289, 1.216, 3.183, 1.176, 1.216), 3500, 130,
        base_type="van", colors=_WHITE, special_type="emergency",
    ),
    _modern("mercedes.sprinter", (-0.011, 1.288, 2.958, 0.994, 1.280), 2600, 120, base_type="van"),
    _car("volkswagen.t2", (0.001, 1.014, 2.240, 1.035, 1.019), 1500, 51, 2.444, base_type="van"),
    _modern("volkswagen.t2_2021", (0.117, 0.991, 2.221, 0.887, 0.994), 1500, 51, base_type="van"),
    _modern(
        "mitsubishi.fusorosa", (-0.445, 1.700, 5.136, 1.280, 1.700), 6500, 129,
        base_type="bus", has_doors=False,
    ),
    _two_wheeler("harley-davidson.low_rider", "motorcycle", (0.000, 0.825, 1.175, 0.383, 0.825), 380, 64),
    _two_wheeler("kawasaki.ninja", "motorcycle", (0.000, 0.769, 1.022, 0.398, 0.762), 280, 40),
    _two_wheeler("vespa.zx125", "motorcycle", (0.010, 0.795, 0.909, 0.433, 0.795), 190, 7),
    _two_wheeler("yamaha.yzf", "motorcycle", (0.000, 0.775, 1.095, 0.433, 0.765), 290, 60),
    _two_wheeler("bh.crossbike", "bicycle", (0.000, 0.808, 0.755, 0.433, 0.806), 90, 0.5),
    _two_wheeler("diamondback.century", "bicycle", (0.000, 0.816, 0.828, 0.291, 0.810), 90, 0.5),
    _two_wheeler("gazelle.omafiets", "bicycle", (-0.010, 0.895, 0.922, 0.330, 0.888), 95, 0.4),
)  # fmt: skip

_FEMALE = frozenset(
    (1, *range(5, 12), 15, *range(19, 24), 31, 32, *range(35, 38), *range(40, 45), 48, 49, 50)
)
_SMALL_CHILDREN, _CHILDREN = frozenset((9, 10, 11, 48, 49)), frozenset((12, 13, 14))
_TEENAGERS = frozenset((50, 51))
_WALK_ONLY = frozenset((*range(9, 15), 30, 32, *range(42, 45), *range(48, 53)))  # never in a wheelchair


def _walker(number: int) -> WalkerModel:
    half_width, half_height = (0.188, 0.93)
    if number in _SMALL_CHILDREN:
        half_width, half_height = (0.25, 0.55)
    elif number in _CHILDREN:
        half_height = 0.65
    young = number in _SMALL_CHILDREN | _CHILDREN
    slow = young or number in _TEENAGERS
    return WalkerModel(
        f"walker.pedestrian.{number:04d}",
        (half_width, half_width, half_height),
        "female" if number in _FEMALE else "male",
        "child" if young else "teenager" if number in _TEENAGERS else "adult",
        1 if number < 15 else 2 if number < 50 else 3,
        number not in _WALK_ONLY,
        1.1 if slow else 1.8 if number in (1, 5, 6, 7, 8, 15) else 1.7,
        2.0 if slow else 4.0,
    )


WALKERS: tuple[WalkerModel, ...] = tuple(_walker(number) for number in range(1, 53))
