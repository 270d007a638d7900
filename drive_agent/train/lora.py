"""Fine-tune a Qwen2.5-VL class checkpoint on this project's wording with LoRA (QLoRA in nf4), and merge the result.

    python -m drive_agent.train.lora --base FOLDER --data DIR... --out DIR --steps N [--precision nf4] [--merge]
    accelerate launch -m drive_agent.train.lora ...                                          (several GPUs)

Low-rank adapters (arXiv 2106.09685) on the language model's linear layers; everything else stays as it is. One example a
pass, gradients accumulated: pictures and answers differ in length, and nothing is padded. The loop is written out since
trl's trainer wants the checkpoint's video processor (torchvision) for a task that has no videos.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training

from drive_agent.data.shards import DriveDataset
from drive_agent.models.settings import VlmConfig
from drive_agent.models.vlm.chat import NO_THOUGHT, THOUGHT, Chat
from drive_agent.models.vlm.checkpoint import Checkpoint, examine, find
from drive_agent.models.vlm.loading import load_network
from drive_agent.models.vlm.memory import WORKING_BYTES, need, parts_of
from drive_agent.rig import RIGS
from drive_agent.train.words import example, thought

LAYERS = r".*language_model\.layers\.\d+\.(?:self_attn|mlp)\.\w+_proj"
BYTES_A_WEIGHT = 16  # of an adapter: itself, its gradient and AdamW's two moments, in float32
END = "<|im_end|>\n"


@dataclass(frozen=True)
class LoraSettings:
    """One run."""

    base: str
    data: tuple[str, ...]
    out: str
    steps: int
    precision: str = "nf4"
    rig: str = "front"
    scene: bool = False
    rationale: bool = False  # answers begin with a thought: what matters, what could be done, what is decided
    start: str | None = None  # an adapter to go on from
    rank: int = 16
    learning_rate: float = 2e-4
    batch: int = 8  # examples a step, over all processes
    picture_tokens: int = 300
    tokens: int = 4096  # the longest example, for the estimate
    checkpointing: bool = False  # recompute activations: slower, with less memory
    seed: int = 0


def train(settings: LoraSettings) -> list[float]:
    """Run it; the mean loss of every step. Writes `adapter/` and `losses.json` into `out`."""
    torch.manual_seed(settings.seed)
    share = Accelerator()
    checkpoint = examine(find(settings.base))
    chat = Chat(checkpoint.folder, settings.picture_tokens)
    network = _with_adapter(checkpoint, settings, str(share.device))
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    share.print(_estimate(checkpoint, settings, sum(weight.numel() for weight in weights)))
    optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=0.05)
    network, optimizer = share.prepare(network, optimizer)
    examples = _examples(settings, chat, share.process_index, share.num_processes)
    passes = math.ceil(settings.batch / share.num_processes)
    losses: list[float] = []
    start = time.perf_counter()
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step, settings.steps)
        total = torch.zeros((), device=share.device)
        for _ in range(passes):
            inputs = {name: value.to(share.device) for name, value in next(examples).items()}
            loss = network(**inputs).loss / passes
            share.backward(loss)
            total += loss.detach()
        share.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(share.reduce(total, "mean")))  # pyright: ignore[reportArgumentType]
        if step in (0, 9) or (step + 1) % 50 == 0:
            left = (time.perf_counter() - start) / (step + 1) * (settings.steps - step - 1)
            share.print(
                f"step {step + 1} of {settings.steps}: loss {losses[-1]:.3f}, {left / 60:.0f} min left"
            )
    if share.is_main_process:
        out = Path(settings.out)
        share.unwrap_model(network).save_pretrained(str(out / "adapter"))
        (out / "losses.json").write_text(json.dumps(losses))
    return losses


def merge(base: str, adapter: Path, out: Path) -> Path:
    """A whole checkpoint in bfloat16 with the adapter worked in; returns its folder."""
    checkpoint = examine(find(base))
    network = load_network(checkpoint, VlmConfig(precision="bfloat16", device="cpu"), 0)
    merged: Any = PeftModel.from_pretrained(network, str(adapter)).merge_and_unload()  # pyright: ignore[reportArgumentType, reportCallIssue]
    out.mkdir(parents=True, exist_ok=True)
    for path in checkpoint.folder.iterdir():  # tokenizer, template and picture settings, as they are
        if path.suffix in (".json", ".txt", ".jinja") and "safetensors" not in path.name:
            shutil.copy(path, out / path.name)
    (out / "chat_template.jinja").write_text(
        Chat(checkpoint.folder, 4).template
    )  # where every server looks for it
    merged.save_pretrained(str(out))
    return out


def _with_adapter(checkpoint: Checkpoint, settings: LoraSettings, device: str) -> Any:
    network: Any = load_network(
        checkpoint, VlmConfig(precision=settings.precision, device=device), settings.tokens
    )
    if settings.precision != "bfloat16":
        network = prepare_model_for_kbit_training(network, use_gradient_checkpointing=settings.checkpointing)
    elif settings.checkpointing:
        network.gradient_checkpointing_enable()
        network.enable_input_require_grads()
    if settings.start is not None:
        return PeftModel.from_pretrained(network, settings.start, is_trainable=True).train()
    lora = LoraConfig(r=settings.rank, lora_alpha=2 * settings.rank, target_modules=LAYERS)
    return get_peft_model(network, lora).train()


def _examples(
    settings: LoraSettings, chat: Chat, first: int, stride: int
) -> Iterator[dict[str, torch.Tensor]]:
    """This process's share of the data, again and again in new orders; labels on the answer only."""
    cameras = RIGS[settings.rig]().cameras
    data = DriveDataset(settings.data, cameras)
    rng = np.random.default_rng(settings.seed)
    while True:
        for index in rng.permutation(len(data))[first::stride]:
            row = {name: values[0] for name, values in data.rows(np.array([index])).items()}
            prompt, answer = example(row, cameras, scene=settings.scene)
            given, said = (
                (THOUGHT, f"{thought(row)}</think>\n\n{answer}")
                if settings.rationale
                else (NO_THOUGHT, answer)
            )
            inputs = chat.encode(prompt, given + said + END)
            asked = chat.encode(prompt, given)["input_ids"].shape[1]
            labels = inputs["input_ids"].clone()
            labels[:, :asked] = -100
            yield {**inputs, "labels": labels}


def _schedule(step: int, steps: int) -> float:
    """Warm-up over a twentieth, then a cosine to zero."""
    warm = max(1, steps // 20)
    return min((step + 1) / warm, 0.5 * (1 + math.cos(math.pi * step / max(steps, 1))))


def _estimate(checkpoint: Checkpoint, settings: LoraSettings, trained: int) -> str:
    base = need(parts_of(checkpoint.tensors), checkpoint.config, settings.precision, 0).weights
    total = base + BYTES_A_WEIGHT * trained + WORKING_BYTES
    return (
        f"{trained / 1e6:.1f} M weights are trained; {total / 1e9:.1f} GB at least: {base / 1e9:.1f} base in "
        f"{settings.precision}, {BYTES_A_WEIGHT * trained / 1e9:.1f} adapters with their optimizer, "
        f"{WORKING_BYTES / 1e9:.1f} allowance, and activations on top; time is told after the first step"
    )


def main() -> None:
    """Parse the command line, train, and merge if asked to."""
    parser = argparse.ArgumentParser(prog="python -m drive_agent.train.lora", description=__doc__)
    parser.add_argument("--base", required=True, help="a checkpoint's folder, or its name on the hub")
    parser.add_argument("--data", nargs="+", required=True, help="shards, or folders of shards")
    parser.add_argument("--out", required=True, help="adapter/, losses.json, merged/")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument(
        "--precision", default=LoraSettings.precision, help="of the base: nf4, int8 or bfloat16"
    )
    parser.add_argument("--rig", default=LoraSettings.rig, choices=sorted(RIGS))
    parser.add_argument("--scene", action="store_true", help="answers tell objects and lights too")
    parser.add_argument("--rationale", action="store_true", help="answers begin with a thought")
    parser.add_argument("--start", help="an adapter to go on from")
    parser.add_argument("--rank", type=int, default=LoraSettings.rank)
    parser.add_argument("--learning-rate", type=float, default=LoraSettings.learning_rate)
    parser.add_argument("--batch", type=int, default=LoraSettings.batch)
    parser.add_argument("--picture-tokens", type=int, default=LoraSettings.picture_tokens)
    parser.add_argument("--checkpointing", action="store_true", help="less memory, slower")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--merge", action="store_true", help="write a whole checkpoint to merged/ afterwards")
    arguments = vars(parser.parse_args())
    merging = arguments.pop("merge")
    arguments["data"] = tuple(arguments["data"])
    settings = LoraSettings(**arguments)
    train(settings)
    if merging:
        merge(settings.base, Path(settings.out) / "adapter", Path(settings.out) / "merged")


if __name__ == "__main__":
    main()
