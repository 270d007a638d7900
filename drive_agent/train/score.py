"""Score weights on held-out frames: `python -m drive_agent.train.score --weights DIR... --data DIR...`.

Prints a Markdown table: every weights folder with its pictures and with black ones.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from drive_agent.data.shards import DriveDataset
from drive_agent.models.embedded import weights
from drive_agent.train.evaluate import Evaluation, evaluate, table


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(prog="python -m drive_agent.train.score", description=__doc__)
    parser.add_argument("--weights", nargs="+", default=[str(weights.FOLDER)], help="weights folders")
    parser.add_argument("--data", nargs="+", required=True, help="held-out shards")
    parser.add_argument("--frames", type=int, default=2000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = {}
    for folder in arguments.weights:
        network, tokenizer = weights.load(Path(folder))
        dataset = DriveDataset(arguments.data, network.config.cameras)
        index = np.linspace(0, len(dataset) - 1, min(arguments.frames, len(dataset))).astype(int)
        for name, blind in ((folder, False), (f"{folder} (black pictures)", True)):
            settings = Evaluation(network.config.motion, blind)
            rows[name] = evaluate(network, tokenizer, dataset, index, settings)
    sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    main()
