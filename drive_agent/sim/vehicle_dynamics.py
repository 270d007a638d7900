"""Motion of the vehicles: a single-track model with saturating tyres, gears, brakes, steering curve and a body
on springs.

Knows nothing of the ground's shape (`ground.py`), of collisions or of the wire. Axes are CARLA's: x forward,
y right, yaw turns from x to y; so are the signs: positive steering is to the right, pitch lifts the nose,
roll lowers the right side.

Model: single track with the tyre curve F = mu Fz sin(C atan(B slip)) (Pacejka's magic formula without its
curvature term) above 4 m/s; below, the kinematic model, towards which lateral motion is drawn no faster than
friction allows. The body pitches and rolls like a damped spring under acceleration; two-wheelers lean into a
turn instead. Integrated with semi-implicit Euler steps of at most 10 ms. What a car is made of comes from
`vehicle_parameters.py`.

Constants marked "fitted" were fitted to two recordings of CARLA 0.9.x (Lincoln MKZ 2017 in Town01, controls
and motion at 60 Hz, up to 18 m/s and 1.5 g across; published with ScenarioRunner): 0.35 s ahead the yaw rate
is then off by 0.06 rad/s (0.18 for a textbook saloon). CARLA's cars steer more, grip more and slow down more
when coasting than real ones; drivers that work there must work here.
"""

import math

import numpy as np

from drive_agent.sim.catalogue import VehicleModel
from drive_agent.sim.compiled import compiled
from drive_agent.sim.physics_control import MOST_GEARS
from drive_agent.sim.vehicle_parameters import (
    STEERING_CURVE_POINTS,
    STEERING_CURVE_STEP_KMH,
    factory_control,
    set_parameters,
)

GRAVITY_MPS2 = 9.81
STEER_GAIN = 0.9  # of the angle that the control asks for, what the wheels really do; fitted

_SUBSTEP_S = 0.01
_KINEMATIC_BELOW_MPS = 4.0
_TYRE_SHAPE = 1.4  # fitted
_CLUTCH_MPS = 3.0  # below, the clutch opens and the engine holds the car back less and less
_ROLLING = 0.012  # rolling resistance as a fraction of the weight
_REAR_GRIP_OF_HAND_BRAKE = 0.45  # of the whole grip
_LOCKED_GRIP = 0.35  # what rear wheels keep across when the hand brake locks them
_REVERSE_SPEED_MPS = 10.0
_PEDAL_RATE = 4.8  # 1/s, first-order response of the drivetrain to the throttle; fitted
_STEER_RATE_RADPS = 10.0
_PITCH_PER_MPS2 = math.radians(0.0185)  # of a saloon, nose up when it gains speed; fitted
_ROLL_PER_MPS2 = math.radians(0.063)  # of a saloon, outwards in a turn; fitted
_SALOON_HALF_HEIGHT_M = 0.75  # taller bodies move more
_SPRING_RADPS, _SPRING_DAMPING = 12.0, 0.7  # answers after 0.1 s; fitted
_STEEPEST_LEAN_RAD = 0.7

VEHICLE = np.dtype(
    [
        # pose and motion; origin: middle of the vehicle at ground level
        ("x", "f8"), ("y", "f8"), ("z", "f8"), ("pitch", "f8"), ("yaw", "f8"), ("roll", "f8"),  # m, rad
        ("forward_mps", "f8"), ("lateral_mps", "f8"), ("vertical_mps", "f8"), ("yaw_rate", "f8"),  # body axes; rad/s
        ("grade", "f8"), ("bank", "f8"),  # pitch and roll of the ground under it, rad
        ("squat", "f8"), ("squat_rate", "f8"), ("sway", "f8"), ("sway_rate", "f8"),  # body on its springs
        ("last_pitch", "f8"), ("last_roll", "f8"),
        ("steer_rad", "f8"), ("pedal", "f8"),
        ("world_velocity", "f8", (3,)), ("world_acceleration", "f8", (3,)), ("world_turn", "f8", (3,)),  # rad/s
        ("grounded", "i8"),
        # control as last applied
        ("throttle", "f8"), ("brake", "f8"), ("steer", "f8"),
        ("hand_brake", "i8"), ("reverse", "i8"), ("manual_gear_shift", "i8"), ("gear", "i8"),
        ("simulate_physics", "i8"), ("gravity", "i8"), ("collisions", "i8"),
        ("constant_velocity", "i8"), ("constant_forward_mps", "f8"), ("constant_lateral_mps", "f8"),
        ("force", "f8", (3,)), ("torque", "f8"),  # for the next tick only, world axes
        # parameters, see `vehicle_parameters.set_parameters`
        ("mass", "f8"), ("front_m", "f8"), ("rear_m", "f8"), ("yaw_inertia", "f8"), ("drag", "f8"), ("coast", "f8"),
        ("friction", "f8"), ("front_friction", "f8"), ("rear_friction", "f8"),
        ("front_stiffness", "f8"), ("rear_stiffness", "f8"),
        ("power", "f8"), ("max_rpm", "f8"), ("wheel_radius_m", "f8"), ("gear_count", "i8"),
        ("gear_force", "f8", (MOST_GEARS,)), ("gear_top_mps", "f8", (MOST_GEARS,)),
        ("gear_up_mps", "f8", (MOST_GEARS,)),
        ("brake_force", "f8"), ("hand_brake_force", "f8"), ("max_steer_rad", "f8"), ("half_track", "f8"),
        ("steering_curve", "f8", (STEERING_CURVE_POINTS,)),
        ("leans", "i8"), ("box_center", "f8", (3,)), ("half_extents", "f8", (3,)),
        # what the road says to it
        ("speed_limit_kmh", "f8"), ("light_id", "i8"), ("light_state", "i8"),
        ("light_flags", "i8"),
        ("open_doors", "i8"),  # one bit for each of `drive_agent.doors.DOORS`
    ],
    align=True,
)  # fmt: skip


def new_vehicle(model: VehicleModel) -> np.ndarray:
    """VEHICLE () at rest at the origin with the parameters of its model."""
    vehicle = np.zeros((), VEHICLE)
    set_parameters(vehicle, factory_control(model), model)
    vehicle["leans"] = model.wheels == 2
    vehicle["box_center"], vehicle["half_extents"] = model.center_m, model.half_extents_m
    for flag in ("simulate_physics", "gravity", "collisions", "gear"):
        vehicle[flag] = 1
    vehicle["light_id"], vehicle["light_state"] = 0, 2
    vehicle["speed_limit_kmh"] = 30.0
    return vehicle


@compiled
def _towards(value, target, largest_change):
    return value + max(-largest_change, min(largest_change, target - value))


@compiled
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


@compiled
def _drive_force(v):
    """What the engine puts on the road: as much as the gear, the power and the limit of its revolutions allow, N."""
    if v.reverse == 1:
        return -v.pedal * v.gear_force[0] if v.forward_mps > -_REVERSE_SPEED_MPS else 0.0
    if v.manual_gear_shift == 0:
        force, top_mps = v.gear_force[0], v.gear_top_mps[v.gear_count - 1]
    elif v.gear > 0:
        gear = min(v.gear, v.gear_count) - 1
        force, top_mps = v.gear_force[gear], v.gear_top_mps[gear]
    else:
        return 0.0
    return v.pedal * min(force, v.power / max(abs(v.forward_mps), 3.0)) if v.forward_mps < top_mps else 0.0


@compiled
def _engine_drag(v):
    """How strongly the engine slows the car off the throttle, N.

    None in neutral and at a standstill, twice where it turns too fast.
    """
    if v.manual_gear_shift == 1 and v.gear == 0:
        return 0.0
    drag = v.coast * v.mass * (1.0 - v.pedal) * min(1.0, abs(v.forward_mps) / _CLUTCH_MPS)
    if (
        v.manual_gear_shift == 1
        and v.gear > 0
        and v.forward_mps > v.gear_top_mps[min(v.gear, v.gear_count) - 1]
    ):
        drag += v.coast * v.mass
    return drag


@compiled
def _forward_acceleration(v, step, cos, sin, climb):
    """Drivetrain, slope and outside force against brakes, rolling resistance and air; stops without rolling back.

    cos, sin: of the heading; climb: sine of the grade.
    """
    weight = v.mass * GRAVITY_MPS2
    v.pedal += (v.throttle - v.pedal) * min(1.0, step * _PEDAL_RATE)
    drive = _drive_force(v)
    drive += -weight * climb + v.force[0] * cos + v.force[1] * sin
    drive -= v.drag * v.forward_mps * abs(v.forward_mps)
    hand_brake = v.hand_brake * min(v.hand_brake_force, _REAR_GRIP_OF_HAND_BRAKE * v.friction * weight)
    brake = min(v.brake * v.brake_force + hand_brake, v.friction * weight)
    after = v.forward_mps + drive / v.mass * step
    slowing = (brake + _ROLLING * weight + _engine_drag(v)) / v.mass * step
    if abs(after) <= slowing:
        return -v.forward_mps / step
    return (after - math.copysign(slowing, after) - v.forward_mps) / step


@compiled
def _tyre_force(friction, load, stiffness, slip):
    return friction * load * math.sin(_TYRE_SHAPE * math.atan(stiffness * slip))


@compiled
def _step_kinematic(v, acceleration, step):
    wheelbase = v.front_m + v.rear_m
    v.forward_mps += acceleration * step
    yaw_rate = v.forward_mps * math.tan(v.steer_rad) / wheelbase
    grip = v.friction * GRAVITY_MPS2 * step
    v.yaw_rate = _towards(v.yaw_rate, yaw_rate, grip * v.mass * wheelbase / v.yaw_inertia)
    v.lateral_mps = _towards(v.lateral_mps, yaw_rate * v.rear_m, grip)


@compiled
def _step_dynamic(v, acceleration, step):
    wheelbase = v.front_m + v.rear_m
    front_load = v.mass * GRAVITY_MPS2 * v.rear_m / wheelbase
    rear_load = v.mass * GRAVITY_MPS2 * v.front_m / wheelbase
    front_slip = v.steer_rad - math.atan2(v.lateral_mps + v.front_m * v.yaw_rate, v.forward_mps)
    rear_slip = -math.atan2(v.lateral_mps - v.rear_m * v.yaw_rate, v.forward_mps)
    rear_friction = v.rear_friction * (_LOCKED_GRIP if v.hand_brake == 1 else 1.0)
    front = _tyre_force(v.front_friction, front_load, v.front_stiffness, front_slip)
    rear = _tyre_force(rear_friction, rear_load, v.rear_stiffness, rear_slip)
    turn, cos = v.yaw_rate, math.cos(v.steer_rad)
    forward = acceleration - front * math.sin(v.steer_rad) / v.mass + v.lateral_mps * turn
    lateral = (front * cos + rear) / v.mass - v.forward_mps * turn
    spin = (v.front_m * front * cos - v.rear_m * rear) / v.yaw_inertia
    v.forward_mps += forward * step
    v.lateral_mps += lateral * step
    v.yaw_rate += spin * step


@compiled
def _move_body(v, gained_mps2, step):
    """Springs under the body, or a rider's balance: pitch and roll relative to the ground."""
    taller = v.half_extents[2] / _SALOON_HALF_HEIGHT_M
    across_mps2 = v.forward_mps * v.yaw_rate
    if v.leans == 1:
        sway = max(-_STEEPEST_LEAN_RAD, min(_STEEPEST_LEAN_RAD, math.atan(across_mps2 / GRAVITY_MPS2)))
    else:
        sway = -_ROLL_PER_MPS2 * taller * across_mps2
    squat = _PITCH_PER_MPS2 * taller * gained_mps2
    stiffness, damping = _SPRING_RADPS * _SPRING_RADPS, 2.0 * _SPRING_DAMPING * _SPRING_RADPS
    v.squat_rate += ((squat - v.squat) * stiffness - v.squat_rate * damping) * step
    v.sway_rate += ((sway - v.sway) * stiffness - v.sway_rate * damping) * step
    v.squat += v.squat_rate * step
    v.sway += v.sway_rate * step


@compiled
def _substep(v, step, climb, level):
    """climb, level: sine and cosine of the grade."""
    _steer(v, step)
    cos, sin = math.cos(v.yaw), math.sin(v.yaw)
    before_mps = v.forward_mps
    if v.constant_velocity == 1:
        v.forward_mps, v.lateral_mps = v.constant_forward_mps, v.constant_lateral_mps
        v.yaw_rate = v.forward_mps * math.tan(v.steer_rad) / (v.front_m + v.rear_m)
    else:
        acceleration = _forward_acceleration(v, step, cos, sin, climb)
        if v.forward_mps < _KINEMATIC_BELOW_MPS:
            _step_kinematic(v, acceleration, step)
        else:
            _step_dynamic(v, acceleration, step)
        sideways = -v.force[0] * sin + v.force[1] * cos
        v.lateral_mps += sideways / v.mass * step
        v.yaw_rate += v.torque / v.yaw_inertia * step
    _move_body(v, (v.forward_mps - before_mps) / step, step)
    v.x += (v.forward_mps * level * cos - v.lateral_mps * sin) * step
    v.y += (v.forward_mps * level * sin + v.lateral_mps * cos) * step
    v.yaw += v.yaw_rate * step


@compiled
def step_vehicles(vehicles, delta_s):
    """Advance every VEHICLE (n,) under physics by delta_s in the plane; forces act for this step only."""
    substeps = max(1, int(math.ceil(delta_s / _SUBSTEP_S - 1e-9)))
    step = delta_s / substeps
    for index in range(vehicles.shape[0]):
        v = vehicles[index]
        if v.simulate_physics == 1:
            climb, level = math.sin(v.grade), math.cos(v.grade)
            for _ in range(substeps):
                _substep(v, step, climb, level)
            v.yaw = (v.yaw + math.pi) % (2.0 * math.pi) - math.pi
            if v.grounded == 0 or v.force[2] > v.mass * GRAVITY_MPS2:
                v.vertical_mps += v.force[2] / v.mass * delta_s
                v.grounded = 0
        v.force[0], v.force[1], v.force[2], v.torque = 0.0, 0.0, 0.0, 0.0


@compiled
def _shift(v):
    """The gear that the automatic gearbox is in; by hand the driver's choice stays."""
    if v.manual_gear_shift == 0:
        v.gear = 1
        while v.gear < v.gear_count and abs(v.forward_mps) > v.gear_up_mps[v.gear - 1]:
            v.gear += 1
        if v.reverse == 1:
            v.gear = -1


@compiled
def update_world_motion(vehicles, delta_s):
    """World velocity, acceleration and rate of turn of every VEHICLE (n,) after all that moved it in this tick."""
    for index in range(vehicles.shape[0]):
        v = vehicles[index]
        cos, sin, level = math.cos(v.yaw), math.sin(v.yaw), math.cos(v.grade)
        velocity_x = v.forward_mps * level * cos - v.lateral_mps * sin
        velocity_y = v.forward_mps * level * sin + v.lateral_mps * cos
        velocity_z = v.vertical_mps + v.forward_mps * math.sin(v.grade)
        v.world_acceleration[0] = (velocity_x - v.world_velocity[0]) / delta_s
        v.world_acceleration[1] = (velocity_y - v.world_velocity[1]) / delta_s
        v.world_acceleration[2] = (velocity_z - v.world_velocity[2]) / delta_s
        v.world_velocity[0], v.world_velocity[1], v.world_velocity[2] = velocity_x, velocity_y, velocity_z
        # about the vehicle's own axes: to raise the nose is to turn backwards about y, to lower the right side about x
        about_x, about_y = (v.last_roll - v.roll) / delta_s, (v.last_pitch - v.pitch) / delta_s
        v.world_turn[0], v.world_turn[1] = about_x * cos - about_y * sin, about_x * sin + about_y * cos
        v.world_turn[2] = v.yaw_rate
        v.last_pitch, v.last_roll = v.pitch, v.roll
        _shift(v)


@compiled
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
            record.angular_velocity[axis] = math.degrees(v.world_turn[axis])
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
