import numpy as np
import pytest
from clavilux.engine.diffusion.guidance import CFG_TYPES, Kind, coefficients, rows
from clavilux.engine.diffusion.schedule import Schedule


def schedule(prediction="epsilon") -> Schedule:
    return Schedule.from_config({"prediction_type": prediction})


def consistency(levels, x_t, e, i):
    """What LCM makes of a prediction at step i."""
    return levels.c_out[i] * (levels.skip[i] * x_t + levels.gain[i] * e) + levels.c_skip[i] * x_t


def stock_noise(x_t, x_ref, alpha, sigma):
    """The noise that, taken out of x_t, leaves x_ref: the virtual residual noise of the paper."""
    return (x_t - alpha * x_ref) / sigma


@pytest.mark.parametrize(("kind", "cost"), [("none", 4), ("full", 8), ("self", 4), ("initialize", 5)])
def test_cost_in_rows(kind, cost):
    assert rows(kind, 1.5, 4) == cost
    assert rows(kind, 1.0, 4) == 4


@pytest.mark.parametrize("kind", CFG_TYPES)
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_crossing_one_has_no_seam(kind, prediction):
    levels = schedule(prediction).levels([999, 599, 199])
    below, above = (coefficients(levels, kind, g, 0.7) for g in (1.0, 1.0 + 1e-9))
    for name in ("x", "cond", "uncond", "anchor"):
        np.testing.assert_allclose(getattr(below, name), getattr(above, name), atol=1e-6)


@pytest.mark.parametrize("delta", [0.0, 0.5, 1.0, 1.4])
@pytest.mark.parametrize("kind", ["full", "self", "initialize"])
def test_formulas_of_the_paper(kind, delta):
    """e = e_u + g (e_c - e_u); e_u is the model's own or stock noise times delta (arXiv:2312.12491, section 3.2)."""
    levels = schedule().levels([900, 500, 100])
    rng = np.random.default_rng(0)
    x_t, e_c, e_u, x_ref = rng.normal(size=(4, 16))
    g = 1.8
    k = coefficients(levels, kind, g, delta)
    for i in range(3):
        if kind == "full" or (kind == "initialize" and i == 0):
            unconditional = e_u
        else:
            unconditional = delta * stock_noise(x_t, x_ref, levels.alpha[i], levels.sigma[i])
        expected = consistency(levels, x_t, unconditional + g * (e_c - unconditional), i)
        ours = k.x[i] * x_t + k.cond[i] * e_c + k.uncond[i] * e_u + k.anchor[i] * x_ref
        np.testing.assert_allclose(ours, expected, atol=1e-4 * max(1.0, np.abs(expected).max()))


def test_stock_noise_follows_from_step_to_step():
    """Renewing it from the residual, as the original code does, is the same as taking it from x_t and x_ref."""
    levels = schedule().levels([900, 500])
    rng = np.random.default_rng(1)
    x_0, n_0, n_1, e = rng.normal(size=(4, 16))
    (a0, a1), (b0, b1) = levels.alpha, levels.sigma
    x_t = a0 * x_0 + b0 * n_0
    stock = n_0
    estimate = (x_t - b0 * e) / a0
    renewed = n_1 + a1 * ((b0 * stock - b0 * e) / a0) / b1
    np.testing.assert_allclose(stock_noise(a1 * estimate + b1 * n_1, x_0, a1, b1), renewed, atol=1e-9)


@pytest.mark.parametrize("kind", ["full", "self", "initialize"])
def test_a_step_that_has_not_joined_is_not_guided(kind):
    levels = schedule().levels([900, 5])
    joining, plain = coefficients(levels, kind, 3.0, 0.8, (1.0, 0.0)), coefficients(levels, "none", 1.0, 1.0)
    for name in ("x", "cond", "uncond", "anchor"):
        assert getattr(joining, name)[1] == pytest.approx(getattr(plain, name)[1])
    assert joining.cond[0] == coefficients(levels, kind, 3.0, 0.8).cond[0]


def test_kinds_give_way_to_each_other_through_no_guidance_at_all():
    kind = Kind(speed=4.0)
    assert kind.at("self", 2.0, 0.0) == ("self", 2.0)
    seen = [kind.at("full", 2.0, 1 / 16) for _ in range(9)]
    assert [k for k, _ in seen] == ["self"] * 3 + ["full"] * 6
    assert [g for _, g in seen] == [1.75, 1.5, 1.25, 1.0, 1.25, 1.5, 1.75, 2.0, 2.0]


def test_a_kind_that_does_nothing_gives_way_at_once():
    for before, guidance in (("none", 2.0), ("self", 0.9)):
        kind = Kind()
        kind.at(before, guidance, 0.0)
        assert kind.at("full", guidance, 0.01)[0] == "full"


def test_below_one_guidance_is_what_was_asked():
    assert Kind().at("self", 0.4, 0.0) == ("self", 0.4)
