"""The blueprint library: actor definitions as the client gets them, and the model behind each type id."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from drive_agent.sim.catalogue import VEHICLES, WALKERS, VehicleModel, WalkerModel
from drive_agent.sim.catalogue_props import PROPS, PropModel
from drive_agent.sim.grip import AREA_TYPE
from drive_agent.sim.wire import AttributeType, Encoded, RequestError

_BOOL, _INT, _FLOAT, _TEXT, _RGB = (
    AttributeType.BOOL, AttributeType.INT, AttributeType.FLOAT, AttributeType.STRING, AttributeType.RGB,
)  # fmt: skip


@dataclass(frozen=True)
class Attribute:
    """One attribute of a blueprint; a constant has `modifiable` false, `restricted` allows recommended values only."""

    name: str
    kind: AttributeType
    value: str
    recommended: tuple[str, ...] = ()
    modifiable: bool = True
    restricted: bool = False

    def encode(self) -> Encoded:
        """`ActorAttribute`."""
        return [
            self.name, int(self.kind), self.value, list(self.recommended), self.modifiable, self.restricted,
        ]  # fmt: skip


@dataclass(frozen=True)
class Blueprint:
    """A type id with its attributes; `model` is what the world needs to know of a vehicle, walker or prop."""

    uid: int
    type_id: str
    attributes: tuple[Attribute, ...]
    model: VehicleModel | WalkerModel | PropModel | None = None

    def encode(self) -> Encoded:
        """`ActorDefinition`."""
        return [self.uid, self.type_id, self.type_id.replace(".", ","), [a.encode() for a in self.attributes]]


def _constant(name: str, kind: AttributeType, value: object) -> Attribute:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Attribute(name, kind, text, modifiable=False)


def _floats(**values: float) -> list[Attribute]:
    return [Attribute(name, _FLOAT, str(float(value))) for name, value in values.items()]


def _choice(name: str, kind: AttributeType, *values: object) -> Attribute:
    """One of a few values; the first is the default, as in CARLA."""
    return Attribute(name, kind, str(values[0]), tuple(str(value) for value in values))


def _vehicle_attributes(model: VehicleModel) -> list[Attribute]:
    drivers = [replace(_choice("driver_id", _INT, *model.drivers), restricted=True)] if model.drivers else []
    return [
        _choice("color", _RGB, *model.colors),
        *drivers,
        _constant("object_type", _TEXT, ""),
        _constant("base_type", _TEXT, model.base_type),
        _constant("special_type", _TEXT, model.special_type),
        _constant("generation", _INT, model.generation),
        _constant("number_of_wheels", _INT, model.wheels),
        _constant("has_lights", _BOOL, model.has_lights),
        _constant("has_dynamic_doors", _BOOL, model.has_doors),
        Attribute("sticky_control", _BOOL, "true"),
        Attribute("terramechanics", _BOOL, "false"),
        _choice("role_name", _TEXT, "autopilot", "scenario", "ego_vehicle"),
        Attribute("ros_name", _TEXT, model.type_id),
    ]


def _walker_attributes(model: WalkerModel) -> list[Attribute]:
    chairs = ("false", "true") if model.can_use_wheelchair else ("false",)
    return [
        _constant("gender", _TEXT, model.gender),
        _constant("age", _TEXT, model.age),
        _constant("generation", _INT, model.generation),
        _constant("can_use_wheelchair", _BOOL, model.can_use_wheelchair),
        replace(_choice("use_wheelchair", _BOOL, *chairs), restricted=True),
        Attribute("is_invincible", _BOOL, "true"),
        _choice("speed", _FLOAT, 0.0, model.walking_mps, model.running_mps),
        _choice("role_name", _TEXT, "pedestrian"),
        Attribute("ros_name", _TEXT, model.type_id),
    ]


def _prop_attributes(model: PropModel) -> list[Attribute]:
    mesh = [Attribute("mesh_path", _TEXT, ""), *_floats(mass=model.mass_kg, scale=1.0)]
    return [
        _constant("size", _TEXT, model.size),
        *(mesh if model.type_id == "static.prop.mesh" else []),
        _choice("role_name", _TEXT, "prop"),
        Attribute("ros_name", _TEXT, "prop"),
    ]


def _sensor_attributes(*own: Attribute) -> list[Attribute]:
    common = [
        Attribute("role_name", _TEXT, "front"),
        Attribute("sensor_tick", _FLOAT, "0.0"),
        Attribute("ros_name", _TEXT, "sensor"),
    ]
    return common + list(own)


_IMAGE = (
    Attribute("image_size_x", _INT, "800"),
    Attribute("image_size_y", _INT, "600"),
    *_floats(
        fov=90.0, lens_circle_falloff=5.0, lens_circle_multiplier=0.0, lens_k=-1.0, lens_kcube=0.0, lens_x_size=0.08,
        lens_y_size=0.08, chromatic_aberration_intensity=0.0, chromatic_aberration_offset=0.0,
    ),
)  # fmt: skip
_PHOTO = (
    Attribute("enable_postprocess_effects", _BOOL, "true"),
    Attribute("exposure_mode", _TEXT, "histogram", ("manual", "histogram")),
    *_floats(
        gamma=2.2, fstop=1.4, iso=100.0, shutter_speed=200.0, focal_distance=1000.0, min_fstop=1.2, motion_blur_intensity=0.0,
        motion_blur_max_distortion=0.0, exposure_compensation=0.0, temp=6500.0, tint=0.0, bloom_intensity=0.0,
        lens_flare_intensity=0.0,
    ),
)  # fmt: skip
_SCAN = (
    Attribute("channels", _INT, "32"),
    Attribute("points_per_second", _INT, "56000"),
    *_floats(range=10.0, rotation_frequency=10.0, upper_fov=10.0, lower_fov=-30.0, horizontal_fov=360.0),
)
_LIDAR_NOISE = (
    Attribute("noise_seed", _INT, "0"),
    *_floats(
        atmosphere_attenuation_rate=0.004, dropoff_general_rate=0.45, dropoff_intensity_limit=0.8, dropoff_zero_intensity=0.4,
        noise_stddev=0.0,
    ),
)  # fmt: skip

# Sensors this server can really serve; the client's other kinds are left out so that asking for one fails at once.
SENSORS: dict[str, list[Attribute]] = {
    "sensor.camera.rgb": _sensor_attributes(*_IMAGE, *_PHOTO),
    "sensor.camera.depth": _sensor_attributes(*_IMAGE),
    "sensor.camera.semantic_segmentation": _sensor_attributes(*_IMAGE),
    "sensor.camera.instance_segmentation": _sensor_attributes(*_IMAGE),
    "sensor.camera.normals": _sensor_attributes(*_IMAGE),
    "sensor.camera.optical_flow": _sensor_attributes(*_IMAGE),
    "sensor.camera.dvs": _sensor_attributes(
        *_IMAGE,
        *_PHOTO,
        *_floats(
            positive_threshold=0.3,
            negative_threshold=0.3,
            sigma_positive_threshold=0.0,
            sigma_negative_threshold=0.0,
            log_eps=0.001,
        ),
        Attribute("refractory_period_ns", _INT, "0"),
        Attribute("use_log", _BOOL, "true"),
    ),
    "sensor.other.gnss": _sensor_attributes(
        Attribute("noise_seed", _INT, "0"),
        *_floats(
            **{f"noise_{axis}_{what}": 0.0 for axis in ("alt", "lat", "lon") for what in ("bias", "stddev")}
        ),
    ),
    "sensor.other.imu": _sensor_attributes(
        Attribute("noise_seed", _INT, "0"),
        *_floats(
            **{f"noise_{what}_stddev_{axis}": 0.0 for what in ("accel", "gyro") for axis in "xyz"},
            **{f"noise_gyro_bias_{axis}": 0.0 for axis in "xyz"},
        ),
    ),
    "sensor.other.collision": _sensor_attributes(),
    "sensor.other.lane_invasion": _sensor_attributes(),
    "sensor.other.obstacle": _sensor_attributes(
        Attribute("only_dynamics", _BOOL, "false"),
        Attribute("debug_linetrace", _BOOL, "false"),
        *_floats(distance=5.0, hit_radius=0.5),
    ),
    "sensor.other.radar": _sensor_attributes(
        Attribute("points_per_second", _INT, "1500"),
        *_floats(horizontal_fov=30.0, vertical_fov=30.0, range=100.0),
    ),
    "sensor.lidar.ray_cast": _sensor_attributes(*_SCAN, *_LIDAR_NOISE),
    "sensor.lidar.ray_cast_semantic": _sensor_attributes(*_SCAN),
}


def _all_entries() -> Iterable[tuple[str, list[Attribute], VehicleModel | WalkerModel | PropModel | None]]:
    for vehicle in VEHICLES:
        yield vehicle.type_id, _vehicle_attributes(vehicle), vehicle
    for walker in WALKERS:
        yield walker.type_id, _walker_attributes(walker), walker
    for prop in PROPS:
        yield prop.type_id, _prop_attributes(prop), prop
    for type_id, attributes in SENSORS.items():
        yield type_id, attributes, None
    # extents in centimetres; CARLA's defaults are not published: a box of two metres with a dry road's grip
    area = _floats(friction=3.5, extent_x=100.0, extent_y=100.0, extent_z=100.0)
    yield AREA_TYPE, [*area, Attribute("role_name", _TEXT, "trigger")], None
    for type_id in ("controller.ai.walker", "util.actor.empty"):
        yield type_id, [Attribute("role_name", _TEXT, "default")], None


LIBRARY: dict[str, Blueprint] = {
    type_id: Blueprint(uid, type_id, tuple(attributes), model)
    for uid, (type_id, attributes, model) in enumerate(_all_entries(), start=1)
}


def find(type_id: str) -> Blueprint:
    """The blueprint, or RequestError."""
    blueprint = LIBRARY.get(type_id)
    if blueprint is None:
        raise RequestError(
            f"unknown blueprint {type_id!r}: expected one of the {len(LIBRARY)} in the blueprint library"
        )
    return blueprint


def vehicle_model(type_id: str) -> VehicleModel:
    """The model of a vehicle's type id."""
    model = find(type_id).model
    if not isinstance(model, VehicleModel):
        raise RequestError(f"{type_id} is no vehicle")
    return model
