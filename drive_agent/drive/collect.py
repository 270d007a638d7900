"""Collects demonstrations: several expert-driven cars at once in one world, their frames as shards of training data.

    python -m drive_agent.drive.collect --towns random:1 random:2 --rows 4000 --out DIR --seed 0

One shard a town and seed, written whole or not at all; shards that exist are skipped, so a run can be resumed. Two
processes on different towns use two cores.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from drive_agent.data.shards import ShardWriter
from drive_agent.drive.collect_world import CollectConfig, CollectWorld
from drive_agent.drive.demonstrator import PERIOD_S
from drive_agent.sim.process import ServerProcess


def collect_town(town: str, rows: int, folder: Path, seed: int, config: CollectConfig) -> dict[str, float]:
    """One shard. Returns what happened on the way."""
    writer = ShardWriter(folder)
    started = time.perf_counter()
    with ServerProcess(town, port=0, seed=seed, threads=config.threads) as server:
        world = CollectWorld(server.host, server.port, config, writer, seed)
        begun, cpu = time.perf_counter(), time.process_time()
        show = Progress(town, rows)
        world.run(rows, show)
        wall_s = time.perf_counter() - begun
        facts = world.counts | {
            "wall_s": round(wall_s, 1),
            "set_up_s": round(begun - started, 1),
            "client_cpu_s": round(time.process_time() - cpu, 1),
            "rows_per_s": round(len(writer) / wall_s, 1),
        }
        world.close()
    writer.close(town=town, seed=seed, period_s=PERIOD_S, **facts)
    return facts


class Progress:
    """A line every ten seconds."""

    def __init__(self, town: str, rows: int) -> None:
        self._town, self._rows = town, rows
        self._started = self._shown = time.perf_counter()

    def __call__(self, done: int) -> None:
        now = time.perf_counter()
        if now - self._shown > 10.0:
            self._shown = now
            rate = done / (now - self._started)
            left_s = (self._rows - done) / max(rate, 1e-6)
            say(f"{self._town}: {done}/{self._rows} rows, {rate:.1f} rows/s, {left_s:.0f} s to go")


def say(line: str) -> None:
    """Print a line at once, so that it can be followed in a file."""
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and collect town after town."""
    """Parse the command line and collect."""
    parser = argparse.ArgumentParser(
        description="Collect demonstrations of the expert as shards of training data."
    )
    parser.add_argument("--towns", nargs="+", required=True, help="e.g. Brookfield random:1 random:2")
    parser.add_argument("--rows", type=int, required=True, help="rows of each town")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cars", type=int, default=CollectConfig.cars)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for town in options.towns:
        folder = options.out / f"{town.replace(':', '')}_seed{options.seed}"
        if folder.exists():
            say(f"{folder} exists, skipped")
            continue
        facts = collect_town(town, options.rows, folder, options.seed, CollectConfig(cars=options.cars))
        say(f"{folder}: {facts}")


if __name__ == "__main__":
    main()
