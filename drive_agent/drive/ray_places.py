"""Stations on the machines of a Ray cluster. Ray places them, notices lost nodes and carries values; the rest is ours.

Each station drives into a folder of its own node and sends back what it wrote, so that no file system has to be shared. The
nodes need this package installed. Source of the names: https://docs.ray.io.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray  # pyright: ignore[reportMissingImports]
from ray.exceptions import RayActorError  # pyright: ignore[reportMissingImports]

from drive_agent.config import DriveConfig
from drive_agent.drive.jobs import Job
from drive_agent.drive.station import Station
from drive_agent.drive.worker import Attempt

CPUS = 2  # a driver and its server


class RemoteStation:
    """A station as it lives on a node."""

    def __init__(self, config: DriveConfig, number: int) -> None:
        self._run = Path(tempfile.mkdtemp(prefix="drive_agent_"))
        self._station = Station(config, self._run, number, lambda *_: None)

    def drive(self, job: Job) -> tuple[Attempt, dict[str, bytes]]:
        """The attempt, and the files of the route's folder."""
        folder = job.folder(self._run)
        attempt = self._station.drive(job)
        files = {path.name: path.read_bytes() for path in folder.glob("*")}
        shutil.rmtree(folder, ignore_errors=True)
        return attempt, files

    def close(self) -> None:
        self._station.close()
        shutil.rmtree(self._run, ignore_errors=True)


class RayPlace:
    """This machine's handle of a remote station; a new one is made elsewhere when its node is lost."""

    def __init__(self, config: DriveConfig, run: Path, number: int) -> None:
        self.number = number
        self._config, self._run = config, run
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"ray {number}")
        self._actor: Any = None

    def submit(self, job: Job) -> Future[Attempt]:
        return self._thread.submit(self._drive, job)

    def _drive(self, job: Job) -> Attempt:
        if self._actor is None:
            kind = ray.remote(num_cpus=CPUS)(RemoteStation)
            self._actor = kind.remote(self._config, self.number)
        try:
            attempt, files = ray.get(self._actor.drive.remote(job))
        except RayActorError as error:
            self._actor = None
            return Attempt(None, f"the node was lost: {str(error).splitlines()[0]}")
        folder = job.folder(self._run)
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return attempt

    def close(self) -> None:
        if self._actor is not None:
            self._actor.close.remote()
            ray.kill(self._actor)
        self._thread.shutdown(wait=False, cancel_futures=True)


def ray_places(config: DriveConfig, run: Path, jobs: int) -> Sequence[RayPlace]:
    """As many stations as the cluster at `config.workers` has room for, at most one a job."""
    ray.init(config.workers, log_to_driver=False, ignore_reinit_error=True)
    room = int(ray.cluster_resources().get("CPU", 0)) // CPUS
    return [RayPlace(config, run, number) for number in range(max(min(room, jobs), 1))]
