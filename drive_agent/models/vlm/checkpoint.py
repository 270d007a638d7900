"""A folder with a Qwen2.5-VL class checkpoint: what it holds, read without loading it, and what is wrong with it.

Known faults are named with their remedy before anything is loaded. Knows nothing of precisions or devices.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

MODEL_TYPE = "qwen2_5_vl"
INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
PICTURES = "preprocessor_config.json"
BYTES = {"F32": 4, "BF16": 2, "F16": 2}


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be used: the file, what was expected and the remedy, in one line."""


@dataclass(frozen=True)
class Stored:
    """One tensor in a file."""

    name: str
    kind: str  # as safetensors names it: F32, BF16, ...
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        total = 1
        for side in self.shape:
            total *= side
        return total

    @property
    def in_tower(self) -> bool:
        """Whether it belongs to the vision tower or its projector, under the class's older and newer names."""
        return self.name.removeprefix("model.").startswith("visual.")


@dataclass(frozen=True)
class Checkpoint:
    """A checked folder."""

    folder: Path
    config: dict
    tensors: tuple[Stored, ...]
    notes: tuple[str, ...]  # what is unusual but handled


def find(weights: str) -> Path:
    """The folder of `weights`: a local one, or a repository of the hub, downloaded once and kept by its client."""
    folder = Path(weights).expanduser()
    if folder.is_dir():
        return folder
    if weights.startswith((".", "/", "~")) or weights.count("/") != 1:
        raise CheckpointError(
            f"model.weights={weights}: expected a folder, or a name on the hub such as XiaomiMiMo/MiMo-Embodied-7B"
        )
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.safetensors", "*.txt", "*.jinja"]
    try:
        return Path(snapshot_download(weights, allow_patterns=patterns))
    except Exception as error:  # whatever the hub's client raises for a name, a network or a disk
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"model.weights={weights} cannot be downloaded ({type(error).__name__}: {reason}); check name and network, "
            "or give model.weights=FOLDER"
        ) from error


def examine(folder: Path) -> Checkpoint:
    """Look at every file's head. Raises CheckpointError for what cannot be loaded."""
    config = _json(folder / "config.json", "the model's configuration")
    if config.get("model_type") != MODEL_TYPE:
        raise CheckpointError(
            f"{folder / 'config.json'} has model_type {config.get('model_type')!r}, expected {MODEL_TYPE!r}: only "
            "Qwen2.5-VL class models (MiMo-VL, MiMo-Embodied, Qwen2.5-VL) are read"
        )
    tensors = tuple(tensor for path in _shards(folder) for tensor in _head(path))
    if not (folder / "tokenizer.json").is_file():
        raise CheckpointError(f"{folder / 'tokenizer.json'} is missing; download the repository whole")
    notes = []
    if not (folder / PICTURES).is_file():
        notes.append(
            f"{folder / PICTURES} is missing (as in early MiMo-Embodied): Qwen2.5-VL's values are used"
        )
    if any(tensor.in_tower and tensor.kind == "F32" for tensor in tensors):
        spared = sum(2 * t.count for t in tensors if t.in_tower and t.kind == "F32")
        notes.append(
            f"the vision tower is stored in float32: cast to bfloat16, which spares {spared / 1e9:.2f} GB"
        )
    half = sorted({tensor.name for tensor in tensors if tensor.kind == "F16"})
    if half:
        raise CheckpointError(
            f"{folder} stores {half[0]} and {len(half) - 1} more in float16, expected bfloat16: the vision tower's "
            "activations do not fit into float16; use the published bfloat16 files"
        )
    return Checkpoint(folder, config, tensors, tuple(notes))


def _shards(folder: Path) -> list[Path]:
    """The weight files, all there."""
    if (folder / INDEX).is_file():
        names = sorted(set(_json(folder / INDEX, "the list of weight files")["weight_map"].values()))
    else:
        names = [SINGLE]
    for name in names:
        if not (folder / name).is_file():
            raise CheckpointError(
                f"{folder / name} is missing, expected {len(names)} weight files; download it again"
            )
    return [folder / name for name in names]


def _head(path: Path) -> list[Stored]:
    """The tensors of a safetensors file by its header; the file must be as long as the header says."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if 8 + length > size:
            raise CheckpointError(f"{path} has {size} bytes and no whole header; download it again")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if end != size:
        raise CheckpointError(f"{path} has {size} bytes, expected {end}; download it again")
    return [Stored(name, entry["dtype"], tuple(entry["shape"])) for name, entry in header.items()]


def _json(path: Path, what: str) -> dict:
    if not path.is_file():
        raise CheckpointError(f"{path} is missing, expected {what}; download the repository whole")
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is not JSON ({error}); download it again") from error
