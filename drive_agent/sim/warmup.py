"""Compile everything that is compiled at run time, so that no first tick waits for it: part of setting up.

It drives a little in a shipped town: whatever a run needs is compiled with the very types that a run has.
"""

import time
from typing import cast

import msgpack

from drive_agent.sim import catalogue, catalogue_props
from drive_agent.sim.batch_controls import METHOD, read_batch
from drive_agent.sim.maps import load_town
from drive_agent.sim.render.warmup import warm_up as warm_up_renderer
from drive_agent.sim.sensors import Sensors
from drive_agent.sim.wire import Pose
from drive_agent.sim.world import World
from scenarios import towns

_TICKS = 3


def warm_up_world() -> None:
    """Spawn one of each kind, apply a batch, tick, collide, cast rays."""
    world = World(load_town(towns.names()[0]), seed=0)
    start = world.town.spawn_points[0]
    car = world.spawn(catalogue.VEHICLES[0].type_id, [0, "", []], start)
    world.spawn(catalogue.WALKERS[0].type_id, [0, "", []], start._replace(z=start.z + 4.0))
    world.spawn(catalogue_props.PROPS[0].type_id, [0, "", []], start)
    mount = Pose(0.0, 0.0, 2.0, 0.0, 0.0, 0.0)
    sensors = [
        world.spawn(kind, [0, "", []], mount, car)
        for kind in ("sensor.lidar.ray_cast", "sensor.other.obstacle")
    ]
    controls = [[[2, [car.id, [0.5, 0.0, 0.0, False, False, False, 0]]]]]
    request = msgpack.packb([0, 1, METHOD, [[False], controls, False]], use_single_float=True)
    batch = read_batch(cast(bytes, request))
    assert batch is not None
    batch.apply(world)
    for _ in range(_TICKS):
        world.step(0.05)
    Sensors(world).messages({sensor.stream_id for sensor in sensors})


def main() -> None:
    """Compile all, saying how long each part took."""
    for name, warm_up in (("simulator", warm_up_world), ("renderer", warm_up_renderer)):
        print(f"compiling the {name} ...", flush=True)
        start = time.monotonic()
        warm_up()
        print(f"compiled the {name} in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
