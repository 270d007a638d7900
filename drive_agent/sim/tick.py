"""All of a tick that is compiled, in three calls: entering compiled code with cold caches takes longer than most of what it does.

The order is that of `world`.
"""

from drive_agent.sim.bodies import (
    apply_to_props,
    apply_to_vehicles,
    apply_to_walkers,
    prop_bodies,
    vehicle_bodies,
    walker_bodies,
)
from drive_agent.sim.collision import collide_bodies, collide_static
from drive_agent.sim.compiled import compiled
from drive_agent.sim.ground import settle_vehicles
from drive_agent.sim.props import step_props, write_prop_records
from drive_agent.sim.signals import assign_lights, write_light_records
from drive_agent.sim.vehicle_dynamics import step_vehicles, update_world_motion, write_vehicle_records
from drive_agent.sim.walkers import step_walkers, write_walker_records


@compiled
def move(vehicles, walkers, props, ground, delta_s):
    """Motion of VEHICLE, WALKER and PROP arrays. Whether a vehicle has a door open."""
    step_vehicles(vehicles, delta_s)
    step_walkers(ground, walkers, delta_s)
    step_props(ground, props, delta_s)
    open_doors = 0
    for index in range(vehicles.shape[0]):
        open_doors |= vehicles[index].open_doors
    return open_doors != 0


@compiled
def find_bodies(vehicles, walkers, props, bodies):
    """VEHICLE, WALKER and PROP arrays -> the first of BODY (n,), in this order."""
    people = vehicles.shape[0] + walkers.shape[0]
    vehicle_bodies(vehicles, bodies)
    walker_bodies(walkers, bodies[vehicles.shape[0] :])
    prop_bodies(props, bodies[people:])


@compiled
def settle(vehicles, walkers, props, bodies, grid, contacts, ground, triggers, lights, delta_s):
    """Contacts, ground, world motion and lights ahead. Number of CONTACT noted.

    bodies: BODY (n,), room for all; open doors are at the end.
    """
    find_bodies(vehicles, walkers, props, bodies)
    count = collide_static(bodies, grid, contacts, collide_bodies(bodies, contacts, 0))
    if count > 0:
        people = vehicles.shape[0] + walkers.shape[0]
        apply_to_vehicles(bodies, vehicles)
        apply_to_walkers(bodies[vehicles.shape[0] :], walkers)
        apply_to_props(bodies[people:], props)
    settle_vehicles(ground, vehicles, delta_s)
    update_world_motion(vehicles, delta_s)
    assign_lights(vehicles, triggers, lights)
    return count


@compiled
def write_records(
    vehicles, vehicle_rows, as_vehicles, walkers, walker_rows, as_walkers, props, prop_rows, groups, turns, lights, as_signals
):  # fmt: skip
    """Everything that moves or shines -> its rows of the snapshot, whose records are seen as those of each kind."""
    write_vehicle_records(vehicles, vehicle_rows, as_vehicles)
    write_walker_records(walkers, walker_rows, as_walkers)
    write_prop_records(props, prop_rows, as_walkers)
    write_light_records(groups, turns, lights, as_signals)
