"""Data-parallel training in single-threaded processes: every worker sees other frames, gradients are averaged.

Two threads in one process gain little on a network this small; two processes gain nearly the second core.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn


@dataclass(frozen=True)
class Team:
    """One worker's place among `size` workers."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this worker writes files and decides on time."""
        return self.rank == 0

    def average_gradients(self, module: nn.Module) -> None:
        """Replace every gradient by its mean over the team, in one message."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def agree(self, value: float) -> float:
        """The leader's value, for all."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return float(shared[0])


def run(work: Callable[..., None], workers: int, rendezvous: Path, *arguments: object) -> None:
    """Call `work(team, *arguments)` in `workers` processes (in this one when there is one) and wait for all.

    `work` must be importable and the arguments picklable, since processes are spawned. `rendezvous` names a file the
    workers meet through. An exception in a worker ends all and is raised here.
    """
    if workers == 1:
        torch.set_num_threads(1)
        work(Team(), *arguments)
        return
    rendezvous.unlink(missing_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    spawn(_start, (work, workers, str(rendezvous.absolute()), arguments), nprocs=workers)
    rendezvous.unlink(missing_ok=True)


def _start(rank: int, work: Callable[..., None], size: int, rendezvous: str, arguments: tuple) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=size)
    try:
        work(Team(rank, size), *arguments)
    finally:
        distributed.destroy_process_group()
