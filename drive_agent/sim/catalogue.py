"""What can be spawned besides sensors: vehicles, walkers and props, with their sizes and what makes them move.

Half sizes of vehicles follow the bounding boxes that users of CARLA 0.9.x report (rounded); masses and powers are
those of the real model or of its class. The bus is the exception: CARLA's box is 3.9 m wide and touches whoever comes the
other way. The looks are the renderer's business.
"""

from dataclasses import dataclass

from drive_agent.sim.render import labels


@dataclass(frozen=True)
class VehicleModel:
    """One kind of vehicle; `half_extents_m` is half of length, width, height."""

    type_id: str
    half_extents_m: tuple[float, float, float]
    mass_kg: float
    power_w: float
    base_type: str = "car"
    special_type: str = ""
    generation: int = 1
    has_lights: bool = False
    has_doors: bool = False
    wheels: int = 4
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
        """Distance of the axles, from the length: 0.6 of it fits cars, vans and trucks within 10 %."""
        return 1.2 * self.half_extents_m[0]


@dataclass(frozen=True)
class WalkerModel:
    """One kind of pedestrian."""

    type_id: str
    half_height_m: float
    half_width_m: float
    gender: str
    age: str
    generation: int


@dataclass(frozen=True)
class PropModel:
    """One kind of static prop; `movable` props are pushed away by a vehicle instead of stopping it."""

    type_id: str
    half_extents_m: tuple[float, float, float]
    size: str
    movable: bool = False


def _car(
    name: str, length: float, width: float, height: float, mass: float, kilowatt: float, **more: object
) -> VehicleModel:
    return VehicleModel(f"vehicle.{name}", (length, width, height), mass, kilowatt * 1000.0, **more)  # type: ignore[arg-type]


def _modern(name: str, *sizes: float, **more: object) -> VehicleModel:
    return _car(name, *sizes, generation=2, has_lights=True, has_doors=True, **more)


def _lit(name: str, *sizes: float, **more: object) -> VehicleModel:
    return _car(name, *sizes, has_lights=True, **more)


def _two_wheeler(name: str, base_type: str, *sizes: float, **more: object) -> VehicleModel:
    return _car(name, *sizes, base_type=base_type, wheels=2, **more)


# name, half length, half width, half height (m), mass (kg), power (kW)
VEHICLES: tuple[VehicleModel, ...] = (
    _car("audi.a2", 1.853, 0.894, 0.775, 1015, 80),
    _car("audi.etron", 2.428, 1.016, 0.825, 2520, 300, special_type="electric"),
    _lit("audi.tt", 2.091, 0.997, 0.693, 1430, 180),
    _car("bmw.grandtourer", 2.306, 1.121, 0.834, 1530, 110),
    _lit("chevrolet.impala", 2.679, 1.017, 0.705, 1650, 150),
    _car("citroen.c3", 1.994, 0.926, 0.812, 1150, 61),
    _modern("dodge.charger_2020", 2.504, 1.049, 0.768, 1950, 272),
    _lit("dodge.charger_police", 2.487, 1.019, 0.777, 1950, 272, special_type="emergency"),
    _modern("dodge.charger_police_2020", 2.609, 1.042, 0.819, 1950, 272, special_type="emergency"),
    _modern("ford.crown", 2.683, 0.900, 0.787, 1850, 178, special_type="taxi"),
    _lit("ford.mustang", 2.359, 0.947, 0.650, 1650, 310),
    _car("jeep.wrangler_rubicon", 1.933, 0.953, 0.940, 1900, 210),
    _lit("lincoln.mkz_2017", 2.451, 1.064, 0.755, 1700, 183),
    _modern("lincoln.mkz_2020", 2.446, 0.918, 0.745, 1700, 183),
    _car("mercedes.coupe", 2.513, 1.076, 0.826, 1700, 180),
    _modern("mercedes.coupe_2020", 2.337, 1.001, 0.721, 1700, 190),
    _car("micro.microlino", 1.104, 0.740, 0.689, 513, 12.5, special_type="electric"),
    _car("mini.cooper_s", 1.903, 0.985, 0.738, 1235, 141),
    _modern("mini.cooper_s_2021", 2.276, 1.049, 0.884, 1275, 141),
    _car("nissan.micra", 1.817, 0.923, 0.751, 1000, 66),
    _car("nissan.patrol", 2.302, 0.966, 0.927, 2700, 298),
    _modern("nissan.patrol_2021", 2.783, 1.075, 1.022, 2700, 298),
    _car("seat.leon", 2.096, 0.908, 0.737, 1300, 110),
    _lit("tesla.model3", 2.396, 1.082, 0.744, 1845, 258, special_type="electric"),
    _lit("tesla.cybertruck", 3.137, 1.195, 1.049, 3000, 450, special_type="electric", base_type="truck"),
    _car("toyota.prius", 2.257, 1.003, 0.762, 1400, 90),
    _lit("carlamotors.carlacola", 2.602, 1.307, 1.234, 5500, 130, base_type="truck"),
    _modern(
        "carlamotors.firetruck", 4.234, 1.445, 1.913, 12000, 230, base_type="truck", special_type="emergency"
    ),
    _modern("carlamotors.european_hgv", 3.968, 1.447, 1.761, 9000, 340, base_type="truck"),
    _modern("ford.ambulance", 3.180, 1.176, 1.218, 3500, 130, base_type="van", special_type="emergency"),
    _modern("mercedes.sprinter", 2.957, 0.994, 1.280, 2600, 120, base_type="van"),
    _lit("volkswagen.t2", 2.240, 1.034, 1.019, 1500, 51, base_type="van"),
    _modern("volkswagen.t2_2021", 2.221, 0.888, 0.994, 1500, 51, base_type="van"),
    _modern("mitsubishi.fusorosa", 5.136, 1.280, 1.700, 6500, 129, base_type="bus"),
    _two_wheeler("harley-davidson.low_rider", "motorcycle", 1.178, 0.382, 0.820, 380, 64),
    _two_wheeler("kawasaki.ninja", "motorcycle", 1.017, 0.401, 0.780, 280, 40, has_lights=True),
    _two_wheeler("vespa.zx125", "motorcycle", 0.905, 0.380, 0.800, 190, 7, has_lights=True),
    _two_wheeler("yamaha.yzf", "motorcycle", 1.105, 0.434, 0.800, 290, 60, has_lights=True),
    _two_wheeler("bh.crossbike", "bicycle", 0.744, 0.430, 0.860, 90, 0.5),
    _two_wheeler("diamondback.century", "bicycle", 0.821, 0.250, 0.880, 90, 0.5),
    _two_wheeler("gazelle.omafiets", "bicycle", 0.918, 0.250, 0.890, 95, 0.4),
)


def _walker(number: int) -> WalkerModel:
    """Every fifth is a child, every second female, from 0015 on of generation 2; the choice is arbitrary."""
    age = "child" if number % 5 == 4 else "elderly" if number % 7 == 6 else "adult"
    half_height, half_width = (0.65, 0.16) if age == "child" else (0.93, 0.19)
    gender = "female" if number % 2 == 0 else "male"
    return WalkerModel(
        f"walker.pedestrian.{number:04d}", half_height, half_width, gender, age, 1 + (number >= 15)
    )


WALKERS: tuple[WalkerModel, ...] = tuple(_walker(number) for number in range(1, 52))


def _prop(
    name: str, length: float, width: float, height: float, size: str = "medium", *, movable: bool = False
) -> PropModel:
    return PropModel(f"static.prop.{name}", (length / 2, width / 2, height / 2), size, movable)


# name, length, width, height (m), size class
PROPS: tuple[PropModel, ...] = (
    _prop("constructioncone", 0.34, 0.34, 0.58, "small", movable=True),
    _prop("trafficcone01", 0.43, 0.43, 0.76, "small", movable=True),
    _prop("trafficcone02", 0.33, 0.33, 0.64, "small", movable=True),
    _prop("warningconstruction", 1.00, 0.40, 1.10),
    _prop("warningaccident", 1.00, 0.40, 1.10),
    _prop("trafficwarning", 2.40, 2.00, 3.20, "big"),
    _prop("streetbarrier", 1.22, 0.37, 1.11),
    _prop("chainbarrier", 1.49, 0.14, 0.85),
    _prop("chainbarrierend", 0.20, 0.14, 0.85, "small"),
    _prop("barrel", 0.60, 0.60, 0.90, movable=True),
    _prop("dirtdebris01", 2.43, 2.32, 0.17),
    _prop("dirtdebris02", 2.73, 2.52, 0.19),
    _prop("dirtdebris03", 1.45, 1.40, 0.21),
    _prop("vendingmachine", 0.85, 1.10, 2.04, "big"),
    _prop("container", 2.26, 1.33, 1.48, "big"),
    _prop("clothcontainer", 1.34, 1.17, 1.88, "big"),
    _prop("glasscontainer", 2.27, 1.98, 1.72, "big"),
    _prop("trashcan01", 0.60, 0.60, 1.00),
    _prop("trashcan03", 0.65, 0.60, 1.00),
    _prop("bin", 0.70, 0.70, 1.10),
    _prop("bench01", 1.80, 0.60, 0.90),
    _prop("bench02", 1.60, 0.70, 0.90),
    _prop("busstop", 4.20, 1.80, 2.70, "big"),
    _prop("advertisement", 1.30, 0.30, 2.60, "big"),
    _prop("streetsign", 0.30, 0.80, 2.40),
    _prop("mailbox", 0.55, 0.55, 1.30),
    _prop("kiosk_01", 2.50, 2.50, 2.70, "big"),
    _prop("plasticbag", 0.45, 0.40, 0.35, "small", movable=True),
    _prop("box01", 0.60, 0.60, 0.60, "small", movable=True),
    _prop("box02", 0.70, 0.50, 0.50, "small", movable=True),
    _prop("creasedbox01", 0.80, 0.60, 0.35, "small", movable=True),
    _prop("plantpot01", 1.60, 0.70, 0.90),
    _prop("gardenlamp", 0.30, 0.30, 1.00, "small"),
    _prop("shoppingcart", 0.95, 0.60, 1.05, movable=True),
    _prop("swing", 3.00, 1.60, 2.20, "big"),
    _prop("table", 1.20, 1.20, 0.75),
    _prop("plasticchair", 0.60, 0.60, 0.85, "small", movable=True),
    _prop("travelcase", 0.60, 0.30, 0.75, "small", movable=True),
    _prop("ironplank", 1.20, 2.40, 0.06),
    _prop("foodcart", 3.00, 1.80, 2.60, "big"),
    _prop("mesh", 0.50, 0.50, 0.50, "small"),
)
