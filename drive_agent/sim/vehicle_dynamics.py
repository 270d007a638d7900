"""Motion of the vehicles in the plane: a single-track model with saturating tyres, drivetrain, brakes and steering curve.

Knows nothing of the ground's shape (`ground.py`), of collisions or of the wire. Axes are CARLA's: x forward, y right,
yaw turns from x to y; so are the signs: positive steering is to the right.

Model: single track with the tyre curve F = mu Fz sin(C atan(B slip)) (Pacejka's magic formula without its curvature term)
above 4 m/s; below, the kinematic model, towards which lateral motion is drawn no faster than friction allows. Integrated
with semi-implicit Euler steps of at most 10 ms.

Constants marked "fitted" were fitted to two recordings of CARLA 0.9.x (Lincoln MKZ 2017 in Town01, controls and motion at
60 Hz, up to 18 m/s and 1.5 g across; published with ScenarioRunner): 0.35 s ahead the yaw rate is then off by 0.06 rad/s
(0.18 for a textbook saloon). CARLA's cars steer more, grip more and slow down more when coasting than real ones; drivers
that work there must work here.
"""

import math

import numpy as np
from numba import njit

from drive_agent.sim.catalogue import VehicleModel

GRAVITY_MPS2 = 9.81
STEERING_CURVE_STEP_KMH = 20.0
STEERING_CURVE_POINTS = 8
MAX_STEER_DEG = 70.0  # of the inner front wheel, as CARLA's physics control says
STEER_GAIN = 0.9  # of that angle, what the wheels really do; fitted

_SUBSTEP_S = 0.01
_KINEMATIC_BELOW_MPS = 4.0
CARLA_TYRE_FRICTION = 3.5  # what the physics control of CARLA's vehicles says
GRIP_PER_TYRE_FRICTION = 1.8 / CARLA_TYRE_FRICTION  # fitted
_FRONT_STIFFNESS, _REAR_STIFFNESS, _TYRE_SHAPE = 8.6, 7.1, 1.4  # fitted
_YAW_INERTIA = 0.76  # of a homogeneous box; fitted
_MASS_FORWARD = 0.08  # centre of mass before the middle, as a fraction of the wheelbase; fitted
_ROLLING = 0.012  # rolling resistance as a fraction of the weight
_COAST_DECELERATION_MPS2 = 3.9  # engine braking off the throttle; fitted
_COAST_OF_A_CYCLIST_MPS2 = 0.5
SERVICE_BRAKE_MPS2 = 11.5  # fitted
_HAND_BRAKE_FRACTION = 0.45  # of the grip
_LOCKED_GRIP = 0.35  # what rear wheels keep across when the hand brake locks them
_REVERSE_SPEED_MPS = 10.0
_PEDAL_RATE = 4.8  # 1/s, first-order response of the drivetrain to the throttle; fitted
_STEER_RATE_RADPS = 10.0
_WHEEL_POWER = 0.7  # of the engine's; fitted
_LAUNCH_PER_POWER = 65.0  # m/s^2 per kW/kg; fitted
_SLOWEST_LAUNCH_MPS2, _FASTEST_LAUNCH_MPS2 = 2.5, 8.0
_DEFAULT_STEERING_CURVE = (
    (0.0, 1.0),
    (20.0, 0.9),
    (60.0, 0.8),
    (120.0, 0.7),
)  # km/h, fraction of the lock; recorded

VEHICLE = np.dtype(
    [
        # pose and motion; origin: middle of the vehicle at ground level
        ("x", "f8"), ("y", "f8"), ("z", "f8"), ("pitch", "f8"), ("yaw", "f8"), ("roll", "f8"),  # m, rad
        ("forward_mps", "f8"), ("lateral_mps", "f8"), ("vertical_mps", "f8"), ("yaw_rate", "f8"),  # body axes; rad/s
        ("steer_rad", "f8"), ("pedal", "f8"),
        ("world_velocity", "f8", (3,)), ("world_acceleration", "f8", (3,)),
        ("grounded", "i8"),
        # control as last applied
        ("throttle", "f8"), ("brake", "f8"), ("steer", "f8"),
        ("hand_brake", "i8"), ("reverse", "i8"), ("manual_gear_shift", "i8"), ("gear", "i8"),
        ("simulate_physics", "i8"), ("gravity", "i8"), ("collisions", "i8"),
        ("constant_velocity", "i8"), ("constant_forward_mps", "f8"), ("constant_lateral_mps", "f8"),
        ("force", "f8", (3,)), ("torque", "f8"),  # for the next tick only, world axes
        # parameters
        ("mass", "f8"), ("front_m", "f8"), ("rear_m", "f8"), ("yaw_inertia", "f8"), ("friction", "f8"),
        ("max_force", "f8"), ("power", "f8"), ("drag", "f8"), ("max_steer_rad", "f8"), ("half_track", "f8"), ("coast", "f8"),
        ("steering_curve", "f8", (STEERING_CURVE_POINTS,)),
        ("box_center", "f8", (3,)), ("half_extents", "f8", (3,)),
        # what the road says to it
        ("speed_limit_kmh", "f8"), ("light_id", "i8"), ("light_state", "i8"),
        ("light_flags", "i8"),
    ],
    align=True,
)  # fmt: skip


def new_vehicle(model: VehicleModel) -> np.ndarray:
    """VEHICLE () at rest at the origin with the parameters of its model."""
    vehicle = np.zeros((), VEHICLE)
    length, width, height = model.half_extents_m
    launch = _LAUNCH_PER_POWER * model.power_w / 1000.0 / model.mass_kg
    vehicle["mass"], vehicle["power"] = model.mass_kg, _WHEEL_POWER * model.power_w
    vehicle["front_m"] = (0.5 - _MASS_FORWARD) * model.wheelbase_m
    vehicle["rear_m"] = (0.5 + _MASS_FORWARD) * model.wheelbase_m
    vehicle["yaw_inertia"] = _YAW_INERTIA * model.mass_kg * ((2 * length) ** 2 + (2 * width) ** 2) / 12
    vehicle["friction"] = CARLA_TYRE_FRICTION * GRIP_PER_TYRE_FRICTION
    vehicle["max_force"] = min(_FASTEST_LAUNCH_MPS2, max(_SLOWEST_LAUNCH_MPS2, launch)) * model.mass_kg
    vehicle["drag"] = 0.5 * 1.2 * 0.35 * 4 * width * height * 0.85  # 1/2 rho cd A
    vehicle["max_steer_rad"] = math.radians(MAX_STEER_DEG)
    vehicle["half_track"] = 0.8 * width if model.wheels > 2 else 0.0
    vehicle["coast"] = _COAST_OF_A_CYCLIST_MPS2 if model.base_type == "bicycle" else _COAST_DECELERATION_MPS2
    vehicle["steering_curve"] = resample_steering_curve(_DEFAULT_STEERING_CURVE)
    vehicle["box_center"], vehicle["half_extents"] = model.center_m, model.half_extents_m
    for flag in ("simulate_physics", "gravity", "collisions", "gear"):
        vehicle[flag] = 1
    vehicle["light_id"], vehicle["light_state"] = 0, 2
    vehicle["speed_limit_kmh"] = 30.0
    return vehicle


def resample_steering_curve(points: tuple[tuple[float, float], ...]) -> np.ndarray:
    """(speed in km/h, fraction of the lock) at any speeds -> fractions at the fixed speeds the model uses."""
    speeds = np.arange(STEERING_CURVE_POINTS) * STEERING_CURVE_STEP_KMH
    ordered = sorted(points)
    return np.interp(speeds, [speed for speed, _ in ordered], [fraction for _, fraction in ordered])


@njit(cache=True, nogil=True, error_model="numpy")
def _towards(value, target, largest_change):
    return value + max(-largest_change, min(largest_change, target - value))


@njit(cache=True, nogil=True, error_model="numpy")
def _steer(v, step):
    """Front wheels follow the command at a limited rate, with less lock at speed."""
    position = min(abs(v.forward_mps) * 3.6 / STEERING_CURVE_STEP_KMH, STEERING_CURVE_POINTS - 1.000001)
    index = int(position)
    part = position - index
    lock = v.max_steer_rad * (v.steering_curve[index] * (1.0 - part) + v.steering_curve[index + 1] * part)
    wheel = abs(v.steer) * lock * STEER_GAIN
    wanted = 0.0
    if wheel > 1e-6:
        # the inner wheel turns that far; the single wheel of the model lies between it and the outer one (Ackermann)
        wanted = math.atan(1.0 / (1.0 / math.tan(wheel) + v.half_track / (v.front_m + v.rear_m)))
    v.steer_rad = _towards(v.steer_rad, math.copysign(wanted, v.steer), _STEER_RATE_RADPS * step)


@njit(cache=True, nogil=True, error_model="numpy")
def _forward_acceleration(v, step):
    """Drivetrain, slope and outside force against brakes, rolling resistance and air; stops without rolling back."""
    weight = v.mass * GRAVITY_MPS2
    v.pedal += (v.throttle - v.pedal) * min(1.0, step * _PEDAL_RATE)
    drive = v.pedal * min(v.max_force, v.power / max(abs(v.forward_mps), 3.0))
    if v.reverse == 1:
        drive = -drive if v.forward_mps > -_REVERSE_SPEED_MPS else 0.0
    elif v.gear == 0 and v.manual_gear_shift == 1:
        drive = 0.0
    drive += -weight * math.sin(v.pitch) + v.force[0] * math.cos(v.yaw) + v.force[1] * math.sin(v.yaw)
    drive -= v.drag * v.forward_mps * abs(v.forward_mps)
    brake = v.brake * SERVICE_BRAKE_MPS2 * v.mass + v.hand_brake * _HAND_BRAKE_FRACTION * v.friction * weight
    resist = min(brake, v.friction * weight) + _ROLLING * weight + v.coast * v.mass * (1.0 - v.pedal)
    after = v.forward_mps + drive / v.mass * step
    slowing = resist / v.mass * step
    if abs(after) <= slowing:
        return -v.forward_mps / step
    return (after - math.copysign(slowing, after) - v.forward_mps) / step


@njit(cache=True, nogil=True, error_model="numpy")
def _tyre_force(friction, load, stiffness, slip):
    return friction * load * math.sin(_TYRE_SHAPE * math.atan(stiffness * slip))


@njit(cache=True, nogil=True, error_model="numpy")
def _step_kinematic(v, acceleration, step):
    wheelbase = v.front_m + v.rear_m
    v.forward_mps += acceleration * step
    yaw_rate = v.forward_mps * math.tan(v.steer_rad) / wheelbase
    grip = v.friction * GRAVITY_MPS2 * step
    v.yaw_rate = _towards(v.yaw_rate, yaw_rate, grip * v.mass * wheelbase / v.yaw_inertia)
    v.lateral_mps = _towards(v.lateral_mps, yaw_rate * v.rear_m, grip)


@njit(cache=True, nogil=True, error_model="numpy")
def _step_dynamic(v, acceleration, step):
    wheelbase = v.front_m + v.rear_m
    front_load = v.mass * GRAVITY_MPS2 * v.rear_m / wheelbase
    rear_load = v.mass * GRAVITY_MPS2 * v.front_m / wheelbase
    front_slip = v.steer_rad - math.atan2(v.lateral_mps + v.front_m * v.yaw_rate, v.forward_mps)
    rear_slip = -math.atan2(v.lateral_mps - v.rear_m * v.yaw_rate, v.forward_mps)
    rear_friction = v.friction * (_LOCKED_GRIP if v.hand_brake == 1 else 1.0)
    front = _tyre_force(v.friction, front_load, _FRONT_STIFFNESS, front_slip)
    rear = _tyre_force(rear_friction, rear_load, _REAR_STIFFNESS, rear_slip)
    turn = v.yaw_rate
    forward = acceleration - front * math.sin(v.steer_rad) / v.mass + v.lateral_mps * turn
    lateral = (front * math.cos(v.steer_rad) + rear) / v.mass - v.forward_mps * turn
    spin = (v.front_m * front * math.cos(v.steer_rad) - v.rear_m * rear) / v.yaw_inertia
    v.forward_mps += forward * step
    v.lateral_mps += lateral * step
    v.yaw_rate += spin * step


@njit(cache=True, nogil=True, error_model="numpy")
def _substep(v, step):
    _steer(v, step)
    if v.constant_velocity == 1:
        v.forward_mps, v.lateral_mps = v.constant_forward_mps, v.constant_lateral_mps
        v.yaw_rate = v.forward_mps * math.tan(v.steer_rad) / (v.front_m + v.rear_m)
    else:
        acceleration = _forward_acceleration(v, step)
        if v.forward_mps < _KINEMATIC_BELOW_MPS:
            _step_kinematic(v, acceleration, step)
        else:
            _step_dynamic(v, acceleration, step)
        sideways = -v.force[0] * math.sin(v.yaw) + v.force[1] * math.cos(v.yaw)
        v.lateral_mps += sideways / v.mass * step
        v.yaw_rate += v.torque / v.yaw_inertia * step
    cos, sin = math.cos(v.yaw), math.sin(v.yaw)
    level = math.cos(v.pitch)
    v.x += (v.forward_mps * level * cos - v.lateral_mps * sin) * step
    v.y += (v.forward_mps * level * sin + v.lateral_mps * cos) * step
    v.yaw += v.yaw_rate * step


@njit(cache=True, nogil=True, error_model="numpy")
def step_vehicles(vehicles, delta_s):
    """Advance every VEHICLE (n,) under physics by delta_s in the plane; forces act for this step only."""
    substeps = max(1, int(math.ceil(delta_s / _SUBSTEP_S - 1e-9)))
    step = delta_s / substeps
    for index in range(vehicles.shape[0]):
        v = vehicles[index]
        if v.simulate_physics == 1:
            for _ in range(substeps):
                _substep(v, step)
            v.yaw = (v.yaw + math.pi) % (2.0 * math.pi) - math.pi
        v.force[0], v.force[1], v.force[2], v.torque = 0.0, 0.0, 0.0, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def update_world_motion(vehicles, delta_s):
    """World velocity and acceleration of every VEHICLE (n,) after all that moved it in this tick."""
    for index in range(vehicles.shape[0]):
        v = vehicles[index]
        cos, sin, level = math.cos(v.yaw), math.sin(v.yaw), math.cos(v.pitch)
        velocity_x = v.forward_mps * level * cos - v.lateral_mps * sin
        velocity_y = v.forward_mps * level * sin + v.lateral_mps * cos
        velocity_z = v.vertical_mps + v.forward_mps * math.sin(v.pitch)
        v.world_acceleration[0] = (velocity_x - v.world_velocity[0]) / delta_s
        v.world_acceleration[1] = (velocity_y - v.world_velocity[1]) / delta_s
        v.world_acceleration[2] = (velocity_z - v.world_velocity[2]) / delta_s
        v.world_velocity[0], v.world_velocity[1], v.world_velocity[2] = velocity_x, velocity_y, velocity_z
        if v.manual_gear_shift == 0:
            v.gear = -1 if v.reverse == 1 else 1 + min(5, int(abs(v.forward_mps) / 7.0))


@njit(cache=True, nogil=True, error_model="numpy")
def write_vehicle_records(vehicles, rows, records):
    """VEHICLE (n,) -> rows (n,) of VEHICLE_RECORD (m,), the snapshot."""
    for index in range(vehicles.shape[0]):
        v = vehicles[index]
        record = records[rows[index]]
        record.pose[0], record.pose[1], record.pose[2] = v.x, v.y, v.z
        record.pose[3], record.pose[4], record.pose[5] = (
            math.degrees(v.pitch),
            math.degrees(v.yaw),
            math.degrees(v.roll),
        )
        for axis in range(3):
            record.velocity[axis] = v.world_velocity[axis]
            record.acceleration[axis] = v.world_acceleration[axis]
        record.angular_velocity[2] = math.degrees(v.yaw_rate)
        record.throttle, record.steer, record.brake = v.throttle, v.steer, v.brake
        record.hand_brake, record.reverse, record.manual_gear_shift = (
            v.hand_brake,
            v.reverse,
            v.manual_gear_shift,
        )
        record.gear = v.gear
        record.speed_limit_kmh = v.speed_limit_kmh
        record.light_state = v.light_state
        record.has_light = 1 if v.light_id != 0 else 0
        record.light_id = v.light_id
