"""Checkpoints that look like MiMo-Embodied-7B and are small: same class, same files, same names, own random weights.

    python -m tests.lookalike FOLDER [tiny|middle]

As published: a flat config.json, sharded safetensors with the class's older tensor names (`visual.*`, `model.layers.*`),
the vision tower in float32 and the rest in bfloat16, a byte-level tokenizer that splits digits, ChatML with vision
tokens. Seeds are fixed: the same call writes the same bytes.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
    "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
PLAIN = ("<tool_call>", "</tool_call>", "<think>", "</think>")  # added tokens that decoding does not skip
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CORPUS = (
    "Here is the planning trajectory [PT, (+0.00, +0.00, +0.00), (+12.34, -5.67, +0.89)].",
    "light red light none light yellow light green way free way 12.5 m path speed",
    "vehicle at (+1.0, -1.0) heading +0.00 speed 5.0 then (+2.0, -1.0) walker at cyclist at",
    'Objects: [{"bbox_2d": [412, 180, 470, 228], "label": "car", "camera": "front", "moves": "away", "speed_mps": 6.0}]',
    "Own speed 0.0 m/s, 50 m since the last stop. Task: follow the lane. Next route points m ahead and left.",
    "What is there, what will it do, where do you drive and how fast? turn left right straight on at the junction",
    "system user assistant You are a helpful assistant. camera: wide narrow CAM_FRONT",
)


@dataclass(frozen=True)
class Size:
    """What differs between look-alikes."""

    words: int  # of the tokenizer, besides the special ones
    vocabulary: int  # rows of the embedding: larger than the tokenizer, as published
    text: tuple[int, int, int, int, int]  # width, layers, heads, key heads, mlp
    vision: tuple[int, int, int, int]  # width, layers, heads, mlp
    shards: int


SIZES = {
    "tiny": Size(480, 640, (128, 4, 4, 2, 384), (64, 4, 4, 192), 2),  # 1.5 M parameters
    "middle": Size(480, 4096, (640, 10, 10, 2, 2048), (256, 8, 8, 768), 4),  # 61 M parameters
}


def make(folder: Path, size: str = "tiny", seed: int = 0) -> Path:
    """Write a look-alike; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(SIZES[size].words)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = _config(SIZES[size], tokenizer)
    _write(folder / "config.json", config)
    _write_words(folder, tokenizer)
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    network = Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(**config))
    torch.random.set_rng_state(torch_state)
    _write_weights(folder, network, SIZES[size].shards)
    return folder


def _config(size: Size, tokenizer: Tokenizer) -> dict:
    """As on the hub: the language model's sizes at the top level, the tower's in a group."""
    width, layers, heads, key_heads, mlp = size.text
    tower, depth, tower_heads, tower_mlp = size.vision
    half = width // heads // 2
    side = 3 * half // 8
    return {
        "architectures": ["Qwen2_5_VLForConditionalGeneration"],
        "model_type": "qwen2_5_vl",
        "vocab_size": size.vocabulary,
        "hidden_size": width,
        "intermediate_size": mlp,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_theta": 640000.0,
        "rope_scaling": {"type": "mrope", "mrope_section": [half - 2 * side, side, side]},
        "initializer_range": 0.6 * width**-0.5,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "bos_token_id": tokenizer.token_to_id("<|endoftext|>"),
        "eos_token_id": tokenizer.token_to_id("<|im_end|>"),
        "image_token_id": tokenizer.token_to_id("<|image_pad|>"),
        "video_token_id": tokenizer.token_to_id("<|video_pad|>"),
        "vision_start_token_id": tokenizer.token_to_id("<|vision_start|>"),
        "vision_end_token_id": tokenizer.token_to_id("<|vision_end|>"),
        "vision_config": {
            "model_type": "qwen2_5_vl",
            "depth": depth,
            "hidden_size": tower,
            "intermediate_size": tower_mlp,
            "num_heads": tower_heads,
            "out_hidden_size": width,
            "window_size": 112,
            "fullatt_block_indexes": [depth - 1],
        },
    }


def _tokenizer(words: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=words, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.add_tokens(list(PLAIN))
    return tokenizer


def _write_words(folder: Path, tokenizer: Tokenizer) -> None:
    whole = json.loads(tokenizer.to_str())
    _write(folder / "vocab.json", whole["model"]["vocab"])
    (folder / "merges.txt").write_text("\n".join(" ".join(pair) for pair in whole["model"]["merges"]))
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "Qwen2Tokenizer",
            "chat_template": TEMPLATE,
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "model_max_length": 8192,
        },
    )
    _write(
        folder / "generation_config.json",
        {
            "bos_token_id": tokenizer.token_to_id("<|endoftext|>"),
            "eos_token_id": [tokenizer.token_to_id("<|im_end|>"), tokenizer.token_to_id("<|endoftext|>")],
            "pad_token_id": tokenizer.token_to_id("<|endoftext|>"),
            "do_sample": True,
            "temperature": 0.3,
        },
    )
    _write(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "Qwen2VLImageProcessor",
            "processor_class": "Qwen2_5_VLProcessor",
            "min_pixels": 3136,
            "max_pixels": 12845056,
            "patch_size": 14,
            "temporal_patch_size": 2,
            "merge_size": 2,
            "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711],
        },
    )


def _write_weights(folder: Path, network: torch.nn.Module, shards: int) -> None:
    tensors = {_published(name): tensor for name, tensor in network.state_dict().items()}
    stored = {
        name: tensor.to(torch.float32 if name.startswith("visual.") else torch.bfloat16).contiguous()
        for name, tensor in tensors.items()
    }
    names, total = sorted(stored), sum(t.numel() * t.element_size() for t in stored.values())
    where: dict[str, str] = {}
    filled = 0
    for name in names:
        number = min(filled * shards // total, shards - 1) + 1
        where[name] = f"model-{number:05d}-of-{shards:05d}.safetensors"
        filled += stored[name].numel() * stored[name].element_size()
    for file in sorted(set(where.values())):
        part = {name: stored[name] for name in names if where[name] == file}
        save_file(part, str(folder / file), metadata={"format": "pt"})
    _write(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": where})


def _published(name: str) -> str:
    """Today's tensor name as the published files have it."""
    return name.replace("model.visual.", "visual.").replace("model.language_model.", "model.")


def _write(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), *sys.argv[2:3]))  # noqa: T201
