"""Sizes and output scales of the embedded model, and its Qwen2.5-VL configuration. Knows nothing of weights or files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np
from transformers import Qwen2_5_VLConfig

from drive_agent.rig import CameraMount, front_rig

PATCH_PX = 14  # Qwen2.5-VL's patch
MERGE = 2  # patches a visual token takes together along each side
FRAMES = 2  # pictures in one temporal patch: previous and current
POSITION_CHANNEL = 1  # input channels after red, green, blue

SPEEDS_MPS = np.arange(0.0, 20.25, 0.5, dtype=np.float32)  # values of the speed bins
GAPS_M = np.arange(
    0.0, 50.0, 1.0, dtype=np.float32
)  # values of the gap bins; one more bin says "nothing ahead"
STOPS_M = np.arange(0.0, 50.0, 2.0, dtype=np.float32)  # values of the stop-line bins; one more says "none"
LIGHTS = 4  # none, red, yellow, green
HORIZONS_S = (1.0, 2.0, 3.0)  # when the displacement of objects is told


@dataclass(frozen=True)
class EmbeddedConfig:
    """What must be known to build the network; everything else follows from the weights."""

    cameras: tuple[CameraMount, ...] = field(default_factory=lambda: front_rig().cameras)
    sees: bool = True  # False: pictures are not looked at, what is left is the ego's own status and its route
    motion: bool = True  # the previous picture fills the first slot of the temporal patch
    vocabulary: int = 1024
    text_width: int = 128
    text_layers: int = 6
    text_heads: int = 4
    text_key_heads: int = 2
    text_mlp: int = 384
    vision_width: int = 128
    vision_layers: int = 4
    vision_heads: int = 4
    vision_mlp: int = 384

    def to_dict(self) -> dict:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> EmbeddedConfig:
        """Inverse of `to_dict`. Raises TypeError on an unknown or missing key."""
        cameras = tuple(CameraMount(**camera) for camera in values["cameras"])
        return cls(**{**values, "cameras": cameras})


def visual_tokens(camera: CameraMount) -> int:
    """Visual tokens that one picture of the camera becomes."""
    side = PATCH_PX * MERGE
    return (camera.height // side) * (camera.width // side)


def patch_grid(camera: CameraMount) -> tuple[int, int]:
    """Rows and columns of patches. Raises ValueError for a picture that whole visual tokens do not cover."""
    side = PATCH_PX * MERGE
    if camera.height % side or camera.width % side:
        raise ValueError(
            f"camera {camera.name!r} is {camera.width}x{camera.height} pixels, expected multiples of {side}"
        )
    return camera.height // PATCH_PX, camera.width // PATCH_PX


def qwen_config(config: EmbeddedConfig, special_ids: dict[str, int]) -> Qwen2_5_VLConfig:
    """The class's own configuration. `special_ids` names the tokens it must know (see `tokenizer.SPECIAL_TOKENS`).

    All vision blocks attend over the whole picture, since pictures are small. `initializer_range` is 0.6/sqrt(width):
    the class's 0.02 is made for wide models and leaves a narrow one near zero.
    """
    half = config.text_width // config.text_heads // 2
    side = (half - half // 4) // 2
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": config.vocabulary,
            "hidden_size": config.text_width,
            "intermediate_size": config.text_mlp,
            "num_hidden_layers": config.text_layers,
            "num_attention_heads": config.text_heads,
            "num_key_value_heads": config.text_key_heads,
            "max_position_embeddings": 1024,
            "rope_parameters": {
                "rope_type": "default",
                "mrope_section": [half - 2 * side, side, side],
                "rope_theta": 1e4,
            },
            "initializer_range": 0.6 * config.text_width**-0.5,
            "tie_word_embeddings": True,
            "bos_token_id": special_ids["<|im_start|>"],
            "eos_token_id": special_ids["<|im_end|>"],
            "pad_token_id": special_ids["<|endoftext|>"],
        },
        vision_config={
            "depth": config.vision_layers,
            "hidden_size": config.vision_width,
            "intermediate_size": config.vision_mlp,
            "num_heads": config.vision_heads,
            "in_channels": 3 + POSITION_CHANNEL,
            "patch_size": PATCH_PX,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": FRAMES,
            "out_hidden_size": config.text_width,
            "initializer_range": 0.6 * config.vision_width**-0.5,
            "fullatt_block_indexes": list(range(config.vision_layers)),
        },
        image_token_id=special_ids["<|image_pad|>"],
        video_token_id=special_ids["<|video_pad|>"],
        vision_start_token_id=special_ids["<|vision_start|>"],
        vision_end_token_id=special_ids["<|vision_end|>"],
        # an attribute of every configuration that its signature does not name
        initializer_range=0.6 * config.text_width**-0.5,  # pyright: ignore[reportCallIssue]
        tie_word_embeddings=True,
    )
