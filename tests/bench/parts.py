"""The rows of `make bench`. Times are medians; ratios within one run mean more than the times."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from drive_agent.config import DriveConfig, build, compose
from drive_agent.drive.batch import run_routes
from drive_agent.rig import front_rig, nuscenes_rig
from drive_agent.score.summary import summarise
from drive_agent.sim.process import ServerProcess
from tests.bench.loads import TOWN, WARM_TICKS, pace_of_cameras, pace_of_parked, pace_of_traffic, timed
from tests.bench.log_cost import cost_of_log, judging_s
from tests.bench.maps import bench_maps
from tests.bench.open_loop import SAMPLES, score_made_up, score_plans_cpu_s
from tests.bench.server_parts import bench_server
from tests.bench.words import spent_on_words
from tests.null_server import NullProcess, Recorder

_TICKS = 1000
_ROUNDS = 3  # of real and null server in turn: the machine's pace drifts
_BUSY = 50


def bench_ticks(table: Table) -> None:
    """Ticks a second with one car and no traffic manager, and with 0, 20 and 50 cars on one."""
    with ServerProcess(TOWN) as server:
        pace = pace_of_parked(server, 1, 2 * _TICKS)
        table.add_row("tick, 1 car, no sensor", f"{pace.median_ms:.2f} ms", f"{pace.per_second:.0f} ticks/s")
    for cars in (0, 20, _BUSY):
        with ServerProcess(TOWN) as server:
            pace = pace_of_traffic(server, cars, _TICKS)
            share = f"{pace.per_second:.0f} ticks/s, slowest {max(pace.spent_ms):.0f} ms"
            table.add_row(f"tick, {pace.cars} TrafficManager cars", f"{pace.median_ms:.2f} ms", share)


def bench_null(table: Table) -> None:
    """50 TrafficManager cars against a server that only replays what this one sent."""
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "snapshots"
        with ServerProcess(TOWN) as server:
            recorder = Recorder(server.host, server.port, recording)
            pace_of_traffic(server, _BUSY, _TICKS)
        recorder.stop()
        ratios, nulls = [], []
        for _ in range(_ROUNDS):
            with ServerProcess(TOWN) as server:
                real = pace_of_traffic(server, _BUSY, _TICKS)
            with NullProcess(TOWN, recording) as server:
                null = pace_of_traffic(server, _BUSY, _TICKS)
            ratios.append(null.median_ms / real.median_ms)
            nulls.append(null.median_ms)
    rate = f"{statistics.median(ratios):.2f} of its pace reached"
    table.add_row(f"  null server, {_BUSY} cars", f"{statistics.median(nulls):.2f} ms", rate)


def bench_cameras(table: Table) -> None:
    """Sets of cameras on one car, every picture awaited."""
    six, front = nuscenes_rig().cameras, front_rig().cameras
    for name, mounts, rain in (
        ("six 320x180", six, False),
        ("six 320x180, hard rain", six, True),
        ("front rig", front, False),
    ):
        with ServerProcess(TOWN) as server:
            pace = pace_of_cameras(server, mounts, WARM_TICKS, rain=rain)
        cpu = f"{pace.server_cpu_ms:.0f} ms CPU of the server"
        table.add_row(f"tick with {name}", f"{pace.median_ms:.1f} ms", cpu)


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


def bench_words(table: Table) -> None:
    """Words of the embedded model beside its class's own `generate`, in turn in one run; and one plan beside both."""
    spent = {name: statistics.median(values) for name, values in spent_on_words(_ROUNDS * 5).items()}
    for name, median_ms in spent.items():
        table.add_row(
            name, f"{median_ms:.1f} ms", f"{spent['generate'] / median_ms:.1f} times as fast as generate"
        )


def bench_drive(table: Table) -> None:
    """A whole drive of the default routes: real-time factor and where its time goes."""
    with tempfile.TemporaryDirectory() as folder:
        config = build(DriveConfig, compose("drive", [f"out={folder}/run", "video=false"]))
        run = run_routes(config, Console(quiet=True), lambda _: None)
        summary = summarise(run)
        log = min(run.glob("routes/*/log.mcap"), key=lambda path: path.stat().st_size)
        judged_s = judging_s(log, Path(folder) / "long.mcap")
    wall_s = sum(route["wall_s"] for route in summary["routes"])
    table.add_row("drive, default routes", f"{wall_s:.0f} s", f"{summary['real_time_factor']:.1f}x real time")
    for stage, figures in summary["latency_ms"].items():
        share = figures["p50"] * figures["count"] / 1e3 / wall_s
        table.add_row(f"  {stage}", f"{figures['p50']:.1f} ms", f"about {share:.0%} of the drive")
    table.add_row("judging a drive of 10 minutes", f"{judged_s:.2f} s", "processor time, from its log")


def bench_workers(table: Table) -> None:
    """Routes one and two at a time, everything that a run costs counted: the expert without cameras, and the model."""
    for name, words in (
        ("expert, no cameras, 12 routes", ["model=expert", "routes=test"]),
        ("embedded model, 6 drives", ["routes=default", "repetitions=2"]),
    ):
        alone = _seconds_a_second([*words, "workers=1"])
        both = _seconds_a_second([*words, "workers=2"])
        table.add_row(f"{name}, workers=1", f"{alone:.1f}x", "real time, servers' start and judging counted")
        table.add_row("  workers=2", f"{both:.1f}x", f"{both / alone:.2f} times as fast")


def _seconds_a_second(words: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        config = build(DriveConfig, compose("drive", [f"out={folder}/run", "video=false", *words]))
        start_s = time.perf_counter()
        run = run_routes(config, Console(quiet=True), lambda _: None)
        wall_s = time.perf_counter() - start_s
        return sum(route["simulated_s"] for route in summarise(run)["routes"]) / wall_s


def bench_log(table: Table) -> None:
    """What logging costs a drive with six cameras of 320x180 in its log, and how large the log is."""
    with tempfile.TemporaryDirectory() as folder:
        words = [f"out={folder}/run", "video=false", "routes=default", "model.rig=surround"]
        run = run_routes(build(DriveConfig, compose("drive", words)), Console(quiet=True), lambda _: None)
        log = min(run.glob("routes/*/log.mcap"), key=lambda path: path.stat().st_size)
        cost = cost_of_log(log, Path(folder) / "again.mcap")
    share = cost.write_s / cost.drive_wall_s
    table.add_row(
        "log of six cameras", f"{cost.ms_per_tick:.2f} ms a tick", f"{share:.1%} of the drive's wall time"
    )
    table.add_row(
        "  size", f"{cost.mb_per_minute:.1f} MB a minute", "without the two pictures that the model sees"
    )


def bench_openloop(table: Table) -> None:
    """6,019 samples by all protocols, with all baselines and sub-scores, on two workers; a quarter of them beside it."""
    for share in (1.0, 0.25):
        with tempfile.TemporaryDirectory() as folder:
            spent = score_made_up(Path(folder), share)
        note = f"{spent.cpu_s:.0f} s processor time, {spent.peak_mb:.0f} MB"
        table.add_row(f"open loop, {round(SAMPLES * share)} samples", f"{spent.wall_s:.0f} s", note)
    table.add_row(
        "score_plans, 600 samples", f"{score_plans_cpu_s(600):.1f} s", "processor time, one planner"
    )


PARTS = (
    bench_ticks, bench_null, bench_server, bench_cameras, bench_maps, bench_model, bench_words, bench_drive,
    bench_workers, bench_log, bench_openloop,
)  # fmt: skip
