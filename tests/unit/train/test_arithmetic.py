import pytest
import torch
from torch.nn import functional

from drive_agent.train.arithmetic import BFLOAT16, FLOAT32, products, resolve


@pytest.fixture
def case():
    torch.manual_seed(0)
    return torch.randn(8, 16, 32), torch.randn(24, 32, requires_grad=True), torch.randn(24)


def test_products_are_of_rounded_factors_and_all_else_is_float32(case):
    x, weight, bias = case
    with products(BFLOAT16):
        told = functional.linear(x, weight, bias)
        told.square().sum().backward()
    assert told.dtype == weight.grad.dtype == torch.float32
    exact = functional.linear(x.bfloat16().float(), weight.bfloat16().float(), bias)
    torch.testing.assert_close(told, exact, rtol=0.01, atol=0.05)
    assert not torch.equal(told, functional.linear(x, weight, bias))


def test_small_products_and_float32_are_left_alone(case):
    x, weight, bias = case
    with products(BFLOAT16):
        small = functional.linear(x[0], weight, bias)
    with products(FLOAT32):
        whole = functional.linear(x, weight, bias)
    assert torch.equal(small, functional.linear(x[0], weight, bias))
    assert torch.equal(whole, functional.linear(x, weight, bias))


def test_what_is_asked_for_is_done_and_auto_is_one_of_them():
    assert resolve(FLOAT32) == FLOAT32
    assert resolve(BFLOAT16) == BFLOAT16
    assert resolve("auto") in (FLOAT32, BFLOAT16)
