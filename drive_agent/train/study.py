"""Small trainings side by side: which cameras, which size, with or without motion and sight.

    python -m drive_agent.train.study --data DIR... --held-out DIR... --out DIR --steps 2500 [--only NAME...]

Every configuration draws the same number of samples (`--steps`) or gets the same minutes (`--minutes`) on the same
frames; the table of held-out scores, with the time each training took, is printed and written to `table.md` in the
output folder after every row.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np

from drive_agent.data.shards import DriveDataset
from drive_agent.models.embedded import weights
from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.train.evaluate import Evaluation, constant_scores, evaluate, table
from drive_agent.train.loop import TrainConfig, train
from drive_agent.train.stages import STAGES, Stage

_BASE = EmbeddedConfig()
_TOGETHER = (Stage("drive", 1.0, 1.0e-3, language=True),)

CONFIGURATIONS: dict[str, dict] = {  # name -> what differs from TrainConfig
    "base": {},
    "blind": {"blind": True},
    "wide_only": {"model": dataclasses.replace(_BASE, cameras=_BASE.cameras[:1])},
    "still": {"model": dataclasses.replace(_BASE, motion=False)},
    "deep_tower": {"model": dataclasses.replace(_BASE, vision_layers=6)},
    "shallow_language": {"model": dataclasses.replace(_BASE, text_layers=4)},
    "wide_tower": {
        "model": dataclasses.replace(_BASE, vision_width=192, vision_heads=6, vision_mlp=512, text_layers=4)
    },
    "no_first_stage": {"stages": _TOGETHER},
    "long_first_stage": {"stages": tuple(dataclasses.replace(stage, share=0.5) for stage in STAGES)},
}


def run_study(base: TrainConfig, names: list[str], frames: int) -> dict[str, dict[str, float]]:
    """Train and score the named configurations one after the other; name -> scores."""
    rows: dict[str, dict[str, float]] = {}
    held_out = DriveDataset(base.held_out, _BASE.cameras)
    index = np.linspace(0, len(held_out) - 1, min(frames, len(held_out))).astype(int)
    rows["constant"] = constant_scores(DriveDataset(base.data, _BASE.cameras), held_out, index)
    for name in names:
        config = dataclasses.replace(
            base, out=str(Path(base.out) / name), held_out=(), **CONFIGURATIONS[name]
        )
        train(config)
        rows[name] = _score(config, base.held_out, index)
        (Path(base.out) / "table.md").write_text(table(rows) + "\n")
    return rows


def _score(config: TrainConfig, held_out: tuple[str, ...], index: np.ndarray) -> dict[str, float]:
    """Held-out scores of a finished run, with its size and how many frames it has seen."""
    network, tokenizer = weights.load(Path(config.out) / "weights")
    dataset = DriveDataset(held_out, network.config.cameras)
    scores = evaluate(network, tokenizer, dataset, index, Evaluation(config.model.motion, config.blind))
    progress = json.loads((Path(config.out) / "checkpoint" / "progress.json").read_text())
    samples = progress["step"] * config.batch * config.workers
    return {
        "parameters_m": weights.count_parameters(network) / 1e6,
        "samples_k": samples / 1e3,
        "minutes": progress["seconds"] / 60,
        **scores,
    }


def main() -> None:
    """Parse the command line, run the study, print the table."""
    parser = argparse.ArgumentParser(prog="python -m drive_agent.train.study", description=__doc__)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--held-out", nargs="+", required=True)
    parser.add_argument("--out", required=True)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="for each configuration")
    budget.add_argument("--steps", type=int, help="for each configuration")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8, help="frames a worker a step")
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--frames", type=int, default=2000, help="held-out frames to score on")
    parser.add_argument("--only", nargs="*", choices=sorted(CONFIGURATIONS), default=list(CONFIGURATIONS))
    arguments = vars(parser.parse_args())
    only, frames = arguments.pop("only"), arguments.pop("frames")
    arguments["data"], arguments["held_out"] = tuple(arguments["data"]), tuple(arguments["held_out"])
    rows = run_study(TrainConfig(**arguments), only, frames)
    sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    main()
