"""Everything a training needs to go on exactly where it stopped, on disk without pickles.

Tensors (weights, both moments of the optimiser) lie in one safetensors file, all else in JSON. A checkpoint appears
whole or not at all. Random numbers need no saving: batches are functions of (seed, worker, step).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

_TIED = "network.vlm.lm_head.weight"


def save(folder: Path, learner: nn.Module, optimizer: torch.optim.AdamW, progress: dict) -> None:
    """Replace the checkpoint `folder`; `progress` holds JSON values."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    weights = {f"weights/{name}": value for name, value in learner.state_dict().items() if name != _TIED}
    moments = {
        f"{moment}/{name}": optimizer.state[parameter][moment]
        for name, parameter in learner.named_parameters()
        if parameter in optimizer.state
        for moment in ("exp_avg", "exp_avg_sq", "step")
    }
    tensors = {name: value.detach().contiguous().clone() for name, value in (weights | moments).items()}
    save_file(tensors, str(partial / "state.safetensors"))
    (partial / "progress.json").write_text(json.dumps(progress, indent=1) + "\n")
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, learner: nn.Module, optimizer: torch.optim.AdamW) -> dict:
    """Restore weights and optimiser in place and return the progress. Raises FileNotFoundError without a checkpoint."""
    tensors = _restore(folder, learner)
    for name, parameter in learner.named_parameters():
        if f"step/{name}" in tensors:
            optimizer.state[parameter] = {
                moment: tensors[f"{moment}/{name}"] for moment in ("step", "exp_avg", "exp_avg_sq")
            }
    return progress(folder)


def load_weights(folder: Path, learner: nn.Module) -> None:
    """Restore weights alone, to go on from them in another stage. Raises FileNotFoundError without a checkpoint."""
    _restore(folder, learner)


def progress(folder: Path) -> dict:
    """How far the run had come. Raises FileNotFoundError without a checkpoint."""
    path = folder / "progress.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"no checkpoint in {folder}, expected progress.json; train the stage before it"
        )
    return json.loads(path.read_text())


def _restore(folder: Path, learner: nn.Module) -> dict[str, torch.Tensor]:
    """Weights in place; all tensors of the checkpoint."""
    progress(folder)
    tensors = load_file(folder / "state.safetensors")
    weights = {
        name.removeprefix("weights/"): value for name, value in tensors.items() if name.startswith("weights/")
    }
    missing, unexpected = learner.load_state_dict(weights, strict=False)
    if set(missing) - {_TIED} or unexpected:
        raise ValueError(
            f"{folder} lacks {sorted(set(missing) - {_TIED})} and has unknown {sorted(unexpected)}; "
            "resume with the configuration the checkpoint was made with"
        )
    return tensors
