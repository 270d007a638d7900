"""The network computes what the class computes, and its maps lie where the pictures lie."""

import numpy as np
import pytest
import torch

from drive_agent.models.embedded.config import EmbeddedConfig, patch_grid
from drive_agent.models.embedded.network import OBJECT_OUTPUTS, OUTPUTS, QUERIES, DrivingNetwork, patch_map
from drive_agent.models.embedded.patches import merge_order
from drive_agent.models.embedded.tokenizer import NUMBERS, DriveTokenizer, build_tokenizer

TOKENIZER = DriveTokenizer(build_tokenizer())
SMALL = EmbeddedConfig(
    text_width=64, text_layers=2, text_mlp=96, vision_width=64, vision_layers=2, vision_heads=2, vision_mlp=96
)


@pytest.fixture(scope="module")
def network() -> DrivingNetwork:
    torch.manual_seed(0)
    return DrivingNetwork(SMALL, TOKENIZER).eval()


def rows(n: int) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    return [torch.randn(n, r * c, 3 * 2 * 14 * 14, generator=rng) for r, c in map(patch_grid, SMALL.cameras)]


def four_channels(network: DrivingNetwork, part: torch.Tensor, first: int) -> torch.Tensor:
    """The rows as the class itself wants them: colour channels, then the position code."""
    code = network.position_codes[first : first + part.shape[1]].expand(len(part), -1, -1)
    return torch.cat([part, code], 2).flatten(0, 1)


@torch.inference_mode()
def test_the_tower_is_the_classs_own(network: DrivingNetwork) -> None:
    given = rows(2)
    seen = network.see(given)
    first_patch = first_token = 0
    for part, camera in zip(given, SMALL.cameras, strict=True):
        grid = torch.tensor([[1, *patch_grid(camera)]]).repeat(2, 1)
        own = network.vlm.model.visual(four_channels(network, part, first_patch), grid_thw=grid).pooler_output
        tokens = own.shape[0] // 2
        ours = seen.tokens[:, first_token : first_token + tokens]
        torch.testing.assert_close(ours, own.view(2, tokens, -1), atol=2e-5, rtol=1e-4)
        first_patch, first_token = first_patch + part.shape[1], first_token + tokens


@torch.inference_mode()
def test_the_language_pass_is_the_classs_own(network: DrivingNetwork) -> None:
    """Through the class's forward, with the queries as embeddings of extra tokens, the states come out alike."""
    given = rows(1)
    numbers = torch.full((1, NUMBERS), TOKENIZER.id("<speed_3>"))
    states = network.think(network.see(given).tokens, numbers)
    ids = network.prompt_ids.clone()
    ids[network.number_at] = numbers[0]
    ids = torch.cat([ids, ids.new_full((len(QUERIES),), TOKENIZER.id("<|im_end|>"))])[None]
    tokens = network.see(given).tokens
    embedded = network.vlm.get_input_embeddings()(ids).clone()
    embedded[:, network.image_at] = tokens
    embedded[:, -len(QUERIES) :] = network.queries
    grids = torch.tensor([[1, *patch_grid(camera)] for camera in SMALL.cameras])
    image = (ids == TOKENIZER.id("<|image_pad|>")).int()
    places, _ = network.vlm.model.get_rope_index(ids, image, image_grid_thw=grids)
    own = network.vlm.model(inputs_embeds=embedded, position_ids=places).last_hidden_state
    torch.testing.assert_close(states, own[:, -len(QUERIES) :], atol=2e-5, rtol=1e-4)


@torch.inference_mode()
def test_frames_of_a_batch_do_not_mix(network: DrivingNetwork) -> None:
    given = rows(2)
    alone = network.see([part[:1] for part in given]).tokens
    torch.testing.assert_close(network.see(given).tokens[:1], alone, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_shapes(network: DrivingNetwork) -> None:
    seen = network.see(rows(2))
    raw = network.decide(network.think(seen.tokens, torch.zeros(2, NUMBERS, dtype=torch.int64)))
    assert {name: tuple(value.shape) for name, value in raw.items()} == {
        n: (2, k) for n, k in OUTPUTS.items()
    }
    maps = network.locate(seen.patches, torch.zeros(2))
    assert [tuple(part.shape) for part in maps] == [(2, 16, 32, OBJECT_OUTPUTS), (2, 16, 16, OBJECT_OUTPUTS)]


def test_patch_map_puts_every_cell_in_its_place() -> None:
    row, column = merge_order(4, 6)
    cells = np.stack(
        [np.stack([row * 2 + i, column * 2 + j], -1) for i in range(2) for j in range(2)], 1
    )  # (patches, cells, 2)
    placed = patch_map(torch.from_numpy(cells.reshape(1, 24, 8)), (4, 6), 2)[0].numpy()
    expected = np.stack(np.meshgrid(np.arange(8), np.arange(12), indexing="ij"), -1)
    assert (placed == expected).all()


def test_neighbouring_numbers_begin_alike(network: DrivingNetwork) -> None:
    table = network.vlm.get_input_embeddings().weight.detach()
    for first, count in TOKENIZER.number_ranges():
        rows_of_family = table[first : first + count]
        steps = (rows_of_family[1:] - rows_of_family[:-1]).norm(dim=1)
        assert steps.min() > 1e-4  # yet no two are the same
        assert steps.mean() < 0.6 * torch.pdist(rows_of_family).mean()
