"""The patchifier gives what Hugging Face's image processor gives."""

import numpy as np
import torch
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from drive_agent.models.embedded.patches import merge_order, patchify, position_code
from drive_agent.rig import front_rig

MEAN, STD = np.array([123.0, 117.0, 104.0]), np.array([68.0, 67.0, 70.0])


def picture(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_still_pictures_give_the_processors_rows() -> None:
    processor = Qwen2VLImageProcessorPil(do_resize=False, image_mean=MEAN / 255, image_std=STD / 255)
    for height, width in ((112, 224), (112, 112), (56, 84)):
        rgb = picture(height + width, height, width)
        expected = processor(images=[rgb], return_tensors="np", input_data_format="channels_last")[
            "pixel_values"
        ]
        still = torch.from_numpy(rgb)[None]
        np.testing.assert_allclose(patchify(still, still)[0].numpy(), expected, atol=1e-5)


def test_the_previous_picture_fills_the_first_slot() -> None:
    before, now = (torch.from_numpy(picture(seed, 56, 56))[None] for seed in (1, 2))
    rows = patchify(before, now).view(1, 16, 3, 2, 14, 14)
    torch.testing.assert_close(
        rows[:, :, :, 0], patchify(before, before).view(1, 16, 3, 2, 14, 14)[:, :, :, 0]
    )
    torch.testing.assert_close(rows[:, :, :, 1], patchify(now, now).view(1, 16, 3, 2, 14, 14)[:, :, :, 1])


def test_four_rows_in_sequence_are_one_visual_token() -> None:
    row, column = merge_order(8, 16)
    for k in range(0, 128, 4):
        assert set(row[k : k + 4] // 2) == {row[k] // 2}
        assert set(column[k : k + 4] // 2) == {column[k] // 2}
    assert len(set(zip(row.tolist(), column.tolist(), strict=True))) == 128


def test_position_codes_tell_all_patches_and_cameras_apart() -> None:
    codes = torch.cat([position_code(camera, k) for k, camera in enumerate(front_rig().cameras)])
    assert codes.shape == (128 + 64, 2 * 14 * 14)
    distances = torch.cdist(codes, codes) + torch.eye(len(codes)) * 1e3
    assert distances.min() > 0.1
