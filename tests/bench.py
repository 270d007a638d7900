"""How fast it is on this machine: `make bench`. Prints one table; nothing here is asserted.

Times are medians; leave the machine idle. Ratios within one run mean more than the times.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable

import carla
import numpy as np
from rich.console import Console
from rich.table import Table

from drive_agent.config import DriveConfig, build, compose
from drive_agent.drive.batch import run_routes
from drive_agent.drive.carla_axes import camera_transform
from drive_agent.rig import CameraMount, front_rig, nuscenes_rig
from drive_agent.score.summary import summarise
from drive_agent.sim.process import ServerProcess

TOWN = "Brookfield"
CONSOLE = Console(highlight=False)


def timed(call: Callable[[], object], repeats: int) -> list[float]:
    """Milliseconds of each of `repeats` calls, after two that do not count."""
    for _ in range(2):
        call()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        spent.append((time.perf_counter() - start) * 1e3)
    return spent


def synchronous(server: ServerProcess) -> tuple[carla.Client, carla.World]:
    """A connected client whose world ticks at 20 Hz on demand."""
    client = carla.Client(server.host, server.port)
    client.set_timeout(60.0)
    world = client.get_world()
    settings = world.get_settings()
    settings.synchronous_mode, settings.fixed_delta_seconds = True, 0.05
    world.apply_settings(settings)
    return client, world


def spawn(client: carla.Client, world: carla.World, count: int, manager: carla.TrafficManager) -> int:
    """Put `count` TrafficManager cars on the map; returns how many found room."""
    library = world.get_blueprint_library()
    car = library.find("vehicle.tesla.model3")
    auto = carla.command.SetAutopilot(carla.command.FutureActor, True, manager.get_port())
    places = world.get_map().get_spawn_points()
    batch = [
        carla.command.SpawnActor(car, p).then(auto)
        for p in places[:: max(len(places) // max(count, 1), 1)][:count]
    ]
    return sum(not r.has_error() for r in client.apply_batch_sync(batch, False))


def bench_ticks(table: Table) -> None:
    """Ticks a second with 0, 20 and 50 TrafficManager vehicles."""
    for port, count in enumerate((0, 20, 50)):
        with ServerProcess(TOWN) as server:
            client, world = synchronous(server)
            manager = client.get_trafficmanager(21_000 + port)
            manager.set_synchronous_mode(True)
            got = spawn(client, world, count, manager)
            spent = timed(world.tick, 400)
            table.add_row(
                f"tick, {got} vehicles",
                f"{statistics.median(spent):.2f} ms",
                f"{1e3 / statistics.mean(spent):.0f} ticks/s",
            )
            manager.set_synchronous_mode(False)
            manager.shut_down()


def bench_cameras(table: Table) -> None:
    """Sets of cameras on one car, every picture awaited."""
    for name, mounts in (("six 320x180", nuscenes_rig().cameras), ("front rig", front_rig().cameras)):
        with ServerProcess(TOWN) as server:
            _, world = synchronous(server)
            spent = timed(camera_tick(world, mounts), 60)
            table.add_row(f"tick with {name}", f"{statistics.median(spent):.1f} ms", "")


def camera_tick(world: carla.World, mounts: tuple[CameraMount, ...]) -> Callable[[], object]:
    """A call that ticks once and waits for every camera."""
    import queue

    library = world.get_blueprint_library()
    ego = world.spawn_actor(library.find("vehicle.lincoln.mkz_2020"), world.get_map().get_spawn_points()[0])
    boxes, cameras = [], []
    for mount in mounts:
        camera = library.find("sensor.camera.rgb")
        for key, value in (
            ("image_size_x", mount.width),
            ("image_size_y", mount.height),
            ("fov", np.degrees(mount.fov_rad)),
        ):
            camera.set_attribute(key, str(value))
        box: queue.Queue = queue.Queue()
        sensor = world.spawn_actor(camera, camera_transform(mount), attach_to=ego)
        sensor.listen(box.put)
        boxes.append(box)
        cameras.append(sensor)  # the client stops a stream whose sensor nobody holds

    def tick() -> None:
        world.tick()
        assert len(cameras) == len(boxes)
        for box in boxes:
            box.get(timeout=30)

    return tick


def bench_model(table: Table) -> None:
    """Latency of one plan of the embedded model."""
    from drive_agent.agent.prompt import build_prompt
    from drive_agent.models.base import load_model
    from tests.worlds import plain_frame

    model = load_model("embedded")
    prompt = build_prompt(plain_frame(model.cameras), tuple(c.name for c in model.cameras))
    spent = timed(lambda: model.answer(prompt), 100)
    p95 = statistics.quantiles(spent, n=20)[-1]
    table.add_row("plan of the embedded model", f"{statistics.median(spent):.1f} ms", f"p95 {p95:.1f} ms")


def bench_drive(table: Table) -> None:
    """A whole drive of the default routes: real-time factor and where its time goes."""
    with tempfile.TemporaryDirectory() as folder:
        config = build(DriveConfig, compose("drive", [f"out={folder}/run", "video=false"]))
        run = run_routes(config, Console(quiet=True), lambda _: None)
        summary = summarise(run)
    wall_s = sum(route["wall_s"] for route in summary["routes"])
    table.add_row("drive, default routes", f"{wall_s:.0f} s", f"{summary['real_time_factor']:.1f}x real time")
    for stage, figures in summary["latency_ms"].items():
        share = figures["p50"] * figures["count"] / 1e3 / wall_s
        table.add_row(f"  {stage}", f"{figures['p50']:.1f} ms", f"about {share:.0%} of the drive")


def main() -> None:
    """Run every part and print the table."""
    table = Table("what", "median", "", title="make bench")
    for part in (bench_ticks, bench_cameras, bench_model, bench_drive):
        CONSOLE.print(f"measuring: {(part.__doc__ or '').strip()}")
        part(table)
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
