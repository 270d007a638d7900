"""A checked checkpoint becomes a network on a device, in the precision asked for. Knows nothing of prompts.

The language model's layers are quantized (bitsandbytes); vision tower, projector, embeddings and head stay in bfloat16.
"""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import BitsAndBytesConfig, Qwen2_5_VLForConditionalGeneration

from drive_agent.models.settings import VlmConfig
from drive_agent.models.vlm.checkpoint import Checkpoint, CheckpointError
from drive_agent.models.vlm.memory import check_fits, free_bytes, parts_of

KEPT = ["model.visual", "lm_head", "model.language_model.embed_tokens"]  # never quantized
QUANTIZED = ("Linear4bit", "Linear8bitLt")

log = logging.getLogger(__name__)


def load_network(checkpoint: Checkpoint, config: VlmConfig, tokens: int) -> torch.nn.Module:
    """The network, in evaluation mode, for sequences of up to `tokens`.

    Raises CheckpointError, before anything is loaded, when memory or a package is missing.
    """
    device = choose_device(config.device)
    _check_packages(config.precision)
    if config.precision == "int8":  # it says at every layer of every token that inputs pass through float16
        logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    parts = parts_of(checkpoint.tensors)
    wanted = check_fits(
        parts, checkpoint.config, config.precision, tokens, free_bytes(device), f"device {device}"
    )
    for note in checkpoint.notes:
        log.warning("%s", note)
    log.info("%.2f G weights, %.1f GB expected on %s", parts.total / 1e9, wanted.total / 1e9, device)
    network = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        checkpoint.folder,
        dtype=torch.bfloat16,
        quantization_config=quantization(config.precision),
        device_map={"": device},
        attn_implementation=attention(device),
    )
    _check_kept(network)
    if config.adapter is not None:
        network = _adapted(network, Path(config.adapter))
    return network.eval()


def choose_device(name: str) -> str:
    """The device of a name; "auto" is the first GPU, or the CPU."""
    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise CheckpointError(f"model.vlm.device={name}: no GPU is there; give model.vlm.device=cpu or auto")
    return "cuda:0" if name == "cuda" else name


def quantization(precision: str) -> Any:
    """How bitsandbytes is to hold the language model's layers; None in bfloat16."""
    if precision == "bfloat16":
        return None
    if precision == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=KEPT)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=KEPT,
    )


def attention(device: str) -> str:
    """The fastest attention that is installed."""
    has_flash = importlib.util.find_spec("flash_attn") is not None
    return "flash_attention_2" if has_flash and device.startswith("cuda") else "sdpa"


def _check_packages(precision: str) -> None:
    if int(transformers.__version__.split(".")[0]) < 5:
        raise CheckpointError(
            f"transformers {transformers.__version__}: expected 5 or later (early ones load Qwen2.5-VL wrongly); "
            "pip install 'drive-agent[quant]'"
        )
    if precision != "bfloat16" and importlib.util.find_spec("bitsandbytes") is None:
        raise CheckpointError(
            f"model.vlm.precision={precision} needs bitsandbytes; pip install 'drive-agent[quant]', or give "
            "model.vlm.precision=bfloat16"
        )


def _check_kept(network: torch.nn.Module) -> None:
    """A version of transformers that matches `KEPT` in another way would quantize the tower without a word."""
    for name, module in network.named_modules():
        if type(module).__name__ in QUANTIZED and "language_model.layers" not in name:
            raise CheckpointError(
                f"{name} was quantized, expected the language model's layers only; transformers "
                f"{transformers.__version__} reads llm_int8_skip_modules differently, use 5.23"
            )


def _adapted(network: torch.nn.Module, adapter: Path) -> torch.nn.Module:
    if not (adapter / "adapter_config.json").is_file():
        raise CheckpointError(f"model.vlm.adapter={adapter}: expected a folder with adapter_config.json")
    if importlib.util.find_spec("peft") is None:
        raise CheckpointError(f"model.vlm.adapter={adapter} needs peft; pip install 'drive-agent[quant]'")
    from peft import PeftModel

    return PeftModel.from_pretrained(network, str(adapter)).get_base_model()  # pyright: ignore[reportArgumentType]
