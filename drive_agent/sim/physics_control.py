"""CARLA's `VehiclePhysicsControl` as a value: its members, and the way to and from the wire.

What the numbers mean to the motion of a car, and which ones every blueprint has, is in
`vehicle_parameters.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drive_agent.sim.wire import Encoded, RequestError, decode_bool, decode_number, decode_vector

MOST_GEARS = 8


@dataclass(frozen=True)
class Gear:
    """One forward gear; up and down ratios are fractions of `max_rpm`."""

    ratio: float
    down_ratio: float
    up_ratio: float


@dataclass(frozen=True)
class Wheel:
    """One wheel, in the order front left, front right, rear left, rear right."""

    tire_friction: float
    damping_rate: float
    max_steer_angle_deg: float
    radius_cm: float
    max_brake_torque_nm: float
    max_handbrake_torque_nm: float
    lat_stiff_max_load: float
    lat_stiff_value: float
    long_stiff_value: float


@dataclass(frozen=True)
class PhysicsControl:
    """The members of `VehiclePhysicsControl` in their order; torque in N m over rpm, steering fraction over km/h."""

    torque_curve: tuple[tuple[float, float], ...]
    max_rpm: float
    moi: float
    damping_full_throttle: float
    damping_clutch_engaged: float
    damping_clutch_disengaged: float
    use_gear_autobox: bool
    gear_switch_time_s: float
    clutch_strength: float
    final_ratio: float
    gears: tuple[Gear, ...]
    mass_kg: float
    drag_coefficient: float
    center_of_mass_m: tuple[float, float, float]
    steering_curve: tuple[tuple[float, float], ...]
    wheels: tuple[Wheel, ...]
    use_sweep_wheel_collision: bool

    def encode(self, wheel_positions_m: list[tuple[float, float, float]]) -> Encoded:
        """`VehiclePhysicsControl`; positions in the world."""
        wheels = [
            [*vars(wheel).values(), [100.0 * value for value in place]]
            for wheel, place in zip(self.wheels, wheel_positions_m, strict=True)
        ]
        gears = [[gear.ratio, gear.down_ratio, gear.up_ratio] for gear in self.gears]
        return [
            [list(point) for point in self.torque_curve], self.max_rpm, self.moi, self.damping_full_throttle,
            self.damping_clutch_engaged, self.damping_clutch_disengaged, self.use_gear_autobox, self.gear_switch_time_s,
            self.clutch_strength, self.final_ratio, gears, self.mass_kg, self.drag_coefficient,
            list(self.center_of_mass_m), [list(point) for point in self.steering_curve], wheels,
            self.use_sweep_wheel_collision,
        ]  # fmt: skip


def decode_physics_control(value: Any) -> PhysicsControl:
    """`VehiclePhysicsControl` as a client sends it, or RequestError."""
    if not isinstance(value, list) or len(value) != 17:
        raise RequestError(
            f"physics control has {len(value) if isinstance(value, list) else 'no'} members: expected 17"
        )

    def number(index: int, name: str) -> float:
        return decode_number(value[index], name)

    control = PhysicsControl(
        torque_curve=_points(value[0], "torque_curve"),
        max_rpm=number(1, "max_rpm"),
        moi=number(2, "moi"),
        damping_full_throttle=number(3, "damping_rate_full_throttle"),
        damping_clutch_engaged=number(4, "damping_rate_zero_throttle_clutch_engaged"),
        damping_clutch_disengaged=number(5, "damping_rate_zero_throttle_clutch_disengaged"),
        use_gear_autobox=decode_bool(value[6], "use_gear_autobox"),
        gear_switch_time_s=number(7, "gear_switch_time"),
        clutch_strength=number(8, "clutch_strength"),
        final_ratio=number(9, "final_ratio"),
        gears=tuple(Gear(*gear) for gear in _rows(value[10], "forward_gears", 3)),
        mass_kg=number(11, "mass"),
        drag_coefficient=number(12, "drag_coefficient"),
        center_of_mass_m=decode_vector(value[13], "center_of_mass"),
        steering_curve=_points(value[14], "steering_curve"),
        wheels=tuple(Wheel(*wheel) for wheel in _rows(value[15], "wheels", 9)),
        use_sweep_wheel_collision=decode_bool(value[16], "use_sweep_wheel_collision"),
    )
    _check(control)
    return control


def _points(value: Any, name: str) -> tuple[tuple[float, float], ...]:
    return tuple((x, y) for x, y in _rows(value, name, 2))


def _rows(value: Any, name: str, count: int) -> list[list[float]]:
    """The first `count` numbers of every row (wheels end with a position, which is ours to say)."""
    if not isinstance(value, list) or not all(isinstance(row, list) and len(row) >= count for row in value):
        raise RequestError(f"{name} is {str(value)[:60]!r}: expected rows of {count} numbers")
    return [[decode_number(item, name) for item in row[:count]] for row in value]


def _positive(value: float) -> bool:
    return value > 0.0


def _check(control: PhysicsControl) -> None:
    """RequestError for what no car can have; CARLA's engine takes such values and breaks later."""
    ratios = [gear.ratio for gear in control.gears]
    radii = [wheel.radius_cm for wheel in control.wheels]
    frictions = [wheel.tire_friction for wheel in control.wheels]
    rules: tuple[tuple[str, float, Callable[[float], bool], str], ...] = (
        ("mass", control.mass_kg, _positive, "more than zero kg"),
        ("number of wheels", len(radii), lambda v: v == 4, "4"),
        ("number of forward gears", len(ratios), lambda v: 1 <= v <= MOST_GEARS, f"1 to {MOST_GEARS}"),
        ("max_rpm", control.max_rpm, _positive, "more than zero"),
        ("final_ratio", control.final_ratio, _positive, "more than zero"),
        ("smallest gear ratio", min(ratios, default=1.0), _positive, "more than zero"),
        ("smallest wheel radius", min(radii, default=1.0), _positive, "more than zero cm"),
        ("smallest tire_friction", min(frictions, default=1.0), lambda v: v >= 0.0, "zero or more"),
    )
    for name, value, allowed, expected in rules:
        if not allowed(value):
            raise RequestError(f"{name} is {value:g}: expected {expected}")
    if not control.torque_curve or not control.steering_curve:
        raise RequestError("torque_curve or steering_curve is empty: expected at least one point in each")
