"""All three precisions load on the CPU, keep what must be kept, answer alike, and weigh what was estimated."""

import pytest
import torch

from drive_agent.models.settings import PRECISIONS, VlmConfig
from drive_agent.models.vlm import loading
from drive_agent.models.vlm.checkpoint import CheckpointError, examine
from drive_agent.models.vlm.loading import QUANTIZED, load_network
from drive_agent.models.vlm.memory import linear_bytes, need, parts_of

pytestmark = pytest.mark.filterwarnings("ignore")


def load(folder, precision):
    return load_network(examine(folder), VlmConfig(precision=precision, device="cpu"), 1024)


def quantizable(network):
    """The language model's linear layers."""
    return [
        module
        for name, module in network.named_modules()
        if "language_model.layers" in name and isinstance(module, torch.nn.Linear)
    ]


def stored_bytes(module):
    """Bytes of a layer's weight with everything it takes to read it."""
    weight = module.weight
    total = weight.numel() * weight.element_size()
    state = getattr(weight, "quant_state", None)
    if state is not None:
        total += state.absmax.numel() * state.absmax.element_size()
        total += state.state2.absmax.numel() * state.state2.absmax.element_size()
    scales = getattr(weight, "SCB", None)
    return total + (0 if scales is None else scales.numel() * scales.element_size())


def logits(network):
    ids = torch.arange(60)[None] * 7 % 400
    with torch.inference_mode():
        return network(input_ids=ids).logits.float()


@pytest.fixture(scope="module")
def networks(tiny):
    return {precision: load(tiny, precision) for precision in PRECISIONS}


@pytest.fixture(scope="module")
def stored(networks):
    """Bytes of the quantizable layers as loaded: with its first pass on a CPU, bitsandbytes unpacks the scales."""
    return {
        precision: sum(stored_bytes(layer) for layer in quantizable(network))
        for precision, network in networks.items()
    }


def test_the_estimate_is_what_is_stored(networks, stored, tiny):
    parts = parts_of(examine(tiny).tensors)
    for precision, network in networks.items():
        assert stored[precision] == pytest.approx(linear_bytes(parts, precision), rel=0.02)
        inside = {id(layer.weight) for layer in quantizable(network)}
        others = sum(w.numel() * w.element_size() for w in network.parameters() if id(w) not in inside)
        expected = need(parts, examine(tiny).config, precision, 0).weights
        assert others + stored[precision] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_tower_embeddings_and_head_stay_in_bfloat16(networks, precision):
    network = networks[precision]
    kept = [network.model.visual, network.lm_head, network.model.language_model.embed_tokens]
    for part in kept:
        assert {weight.dtype for weight in part.parameters()} == {torch.bfloat16}
        assert not any(type(module).__name__ in QUANTIZED for module in part.modules())
    names = {type(layer).__name__ for layer in quantizable(network)}
    assert names == {{"nf4": "Linear4bit", "int8": "Linear8bitLt", "bfloat16": "Linear"}[precision]}


@pytest.mark.parametrize(("precision", "bound"), [("int8", 0.08), ("nf4", 0.5)])
def test_answers_differ_within_bounds(networks, precision, bound):
    """Random weights are the hardest to quantize: trained ones differ less."""
    exact = logits(networks["bfloat16"])
    error = (logits(networks[precision]) - exact).norm() / exact.norm()
    assert 0 < error < bound


@pytest.mark.slow
def test_the_middle_look_alike_in_all_precisions(middle):
    parts = parts_of(examine(middle).tensors)
    assert 5e7 < parts.total < 1.5e8
    exact = load(middle, "bfloat16")
    sizes = {"bfloat16": sum(map(stored_bytes, quantizable(exact)))}
    expected = logits(exact)
    for precision, bound in (("int8", 0.08), ("nf4", 0.5)):
        network = load(middle, precision)
        sizes[precision] = sum(map(stored_bytes, quantizable(network)))
        assert (logits(network) - expected).norm() / expected.norm() < bound
    assert sizes["nf4"] <= 0.30 * sizes["bfloat16"]
    assert sizes["int8"] <= 0.51 * sizes["bfloat16"]


def test_a_quantized_tower_is_noticed(tiny, monkeypatch):
    monkeypatch.setattr(
        loading, "KEPT", ["visual", "lm_head"]
    )  # what older versions of transformers understood
    with pytest.raises(
        CheckpointError, match="visual.* was quantized, expected the language model's layers only"
    ):
        load(tiny, "nf4")


def test_a_gpu_that_is_not_there_is_named(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CheckpointError, match="no GPU is there"):
        load_network(examine(tiny), VlmConfig(device="cuda"), 10)
