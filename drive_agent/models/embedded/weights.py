"""The weights folder: config.json, tokenizer.json, model.safetensors and a manifest of their SHA-256 sums.

The folder is also one that `Qwen2_5_VLForConditionalGeneration.from_pretrained` reads: configuration and tensor names
are the class's own; what is ours stands beside them (`driving` in the configuration, `driving.*` among the tensors).
Nothing here is a pickle. A folder is checked against its manifest before anything in it is used.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from drive_agent.models.embedded.config import EmbeddedConfig
from drive_agent.models.embedded.network import DrivingNetwork
from drive_agent.models.embedded.tokenizer import DriveTokenizer

FOLDER = Path(__file__).parent / "weights"
FILES = ("config.json", "tokenizer.json", "model.safetensors")
MANIFEST = "manifest.json"
MAX_BYTES = 16_000_000

_REMEDY = "restore the folder from the repository (git checkout) or train it anew"
_TIED = "vlm.lm_head.weight"  # shares its memory with the embedding


class WeightsError(RuntimeError):
    """A weights folder that cannot be used; the message names the file, the expectation and the remedy."""


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(folder: Path) -> None:
    """Raises WeightsError unless every file of the folder is what the manifest says."""
    manifest_path = folder / MANIFEST
    if not manifest_path.is_file():
        raise WeightsError(f"{manifest_path} is missing, expected the weights' manifest; {_REMEDY}")
    try:
        manifest = json.loads(manifest_path.read_text())
    except json.JSONDecodeError as error:
        raise WeightsError(
            f"{manifest_path} is not JSON ({error}), expected the manifest; {_REMEDY}"
        ) from error
    for name in FILES:
        path, entry = folder / name, manifest.get(name)
        if entry is None:
            raise WeightsError(f"{manifest_path} has no entry {name!r}, expected {list(FILES)}; {_REMEDY}")
        if not path.is_file():
            raise WeightsError(f"{path} is missing, expected {entry['bytes']} bytes; {_REMEDY}")
        if path.stat().st_size != entry["bytes"]:
            raise WeightsError(
                f"{path} has {path.stat().st_size} bytes, expected {entry['bytes']}; {_REMEDY}"
            )
        if (found := _sha256(path)) != entry["sha256"]:
            raise WeightsError(
                f"{path} has SHA-256 {found[:12]}..., expected {entry['sha256'][:12]}...; {_REMEDY}"
            )


def save(folder: Path, network: DrivingNetwork, tokenizer: DriveTokenizer, notes: dict) -> None:
    """Write the folder; `notes` (JSON values: how it was trained, what it scored) go into the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        _file_name(name): tensor.detach().contiguous().clone()
        for name, tensor in network.state_dict().items()
        if name != _TIED
    }
    save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})
    size = (folder / "model.safetensors").stat().st_size
    if size > MAX_BYTES:
        raise WeightsError(
            f"{folder / 'model.safetensors'} has {size} bytes, expected at most {MAX_BYTES}; use a smaller EmbeddedConfig"
        )
    config = {**network.vlm.config.to_dict(), "driving": network.config.to_dict(), "training": notes}
    config["architectures"] = ["Qwen2_5_VLForConditionalGeneration"]
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    tokenizer.save(folder / "tokenizer.json")
    manifest = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)} for name in FILES
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


def load(folder: Path) -> tuple[DrivingNetwork, DriveTokenizer]:
    """The network (float32, evaluation mode) and tokenizer of a checked folder. Raises WeightsError."""
    check(folder)
    tokenizer = DriveTokenizer.load(folder / "tokenizer.json")
    config = json.loads((folder / "config.json").read_text())
    network = DrivingNetwork(EmbeddedConfig.from_dict(config["driving"]), tokenizer)
    tensors = {_network_name(name): value for name, value in load_file(folder / "model.safetensors").items()}
    missing, unexpected = network.load_state_dict(tensors, strict=False)
    missing = sorted(set(missing) - {_TIED})
    if missing or unexpected:
        raise WeightsError(
            f"{folder / 'model.safetensors'} lacks {missing} and has unknown {sorted(unexpected)}, expected the "
            f"tensors of this version's network; {_REMEDY}"
        )
    return network.float().eval(), tokenizer


def _file_name(name: str) -> str:
    """`vlm.model.visual...` is stored under the class's own name, all else under `driving.`."""
    return name.removeprefix("vlm.") if name.startswith("vlm.") else f"driving.{name}"


def _network_name(name: str) -> str:
    return name.removeprefix("driving.") if name.startswith("driving.") else f"vlm.{name}"


def count_parameters(network: torch.nn.Module) -> int:
    """Number of weights, tied ones once."""
    return sum(parameter.numel() for parameter in network.parameters())
