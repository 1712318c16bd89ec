import pytest
import torch
from clavilux.engine.diffusion.blending import between, blend, lerp, shares, slerp


def test_weights():
    assert shares([2, 1, 1]) == (0.5, 0.25, 0.25)
    assert shares([0, 0]) == (0.5, 0.5)
    assert shares([2, 1], normalize=False) == (2.0, 1.0)
    assert shares([0, 0, 0, 0], normalize=False) == (0.25,) * 4


def test_slerp_turns_at_even_speed_and_keeps_length():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    third = slerp(a, b, 1 / 3)
    torch.testing.assert_close(third, torch.tensor([[3**0.5 / 2, 0.5]]))
    assert float(third.norm()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("b", [[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 1e-6]])
def test_where_there_is_no_arc_it_is_the_line(b):
    a = torch.tensor([[1.0, 0.0]])
    torch.testing.assert_close(slerp(a, torch.tensor([b]), 0.25), lerp(a, torch.tensor([b]), 0.25))


@pytest.mark.parametrize("method", ["linear", "slerp"])
def test_ends_are_exact(method):
    a, b = torch.randn(2, 3, 5)
    assert torch.equal(between(a, b, 0.0, method), a)
    assert torch.equal(between(a, b, 1.0, method), b)


@pytest.mark.parametrize("method", ["linear", "slerp"])
def test_blends(method):
    a, b, c = torch.randn(3, 1, 4, 6)
    assert torch.equal(blend([a, b, c], [0.0, 1.0, 0.0], method), b)
    two = blend([a, b], [0.3, 0.7], method)
    torch.testing.assert_close(two, between(a, b, 0.7, method))
    three = blend([a, b, c], [0.2, 0.3, 0.5], method)
    torch.testing.assert_close(three, between(between(a, b, 0.6, method), c, 0.5, method))
    torch.testing.assert_close(blend([a, b], [0.6, 1.4], method), two * 2)
