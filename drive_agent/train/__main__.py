"""Train the embedded model: `python -m drive_agent.train --data DIR... --out DIR --minutes M`."""

from __future__ import annotations

import argparse
import dataclasses

from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.train.loop import TrainConfig, train


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m drive_agent.train", description=__doc__)
    parser.add_argument("--data", nargs="+", required=True, help="shards, or folders of shards")
    parser.add_argument(
        "--held-out", nargs="*", default=[], help="shards of other towns to score on along the way"
    )
    parser.add_argument("--out", required=True, help="run folder: log.jsonl, checkpoint/, weights/")
    parser.add_argument("--minutes", type=float, help="budget by the clock")
    parser.add_argument("--steps", type=int, help="budget in steps: reproducible")
    parser.add_argument("--workers", type=int, default=1, help="single-threaded processes, one a core")
    parser.add_argument("--batch", type=int, default=8, help="frames a worker a step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vision-layers", type=int, default=EmbeddedConfig().vision_layers)
    parser.add_argument("--save-minutes", type=float, default=TrainConfig.save_minutes)
    parser.add_argument("--evaluate-minutes", type=float, default=TrainConfig.evaluate_minutes)
    parser.add_argument("--compiled", action="store_true", help="a quarter faster; needs a C++ compiler")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    arguments = vars(parser.parse_args())
    resume = arguments.pop("resume")
    model = dataclasses.replace(EmbeddedConfig(), vision_layers=arguments.pop("vision_layers"))
    arguments["data"], arguments["held_out"] = tuple(arguments["data"]), tuple(arguments["held_out"])
    train(TrainConfig(**arguments, model=model), resume=resume)


if __name__ == "__main__":
    main()
