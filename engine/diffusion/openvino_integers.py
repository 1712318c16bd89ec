"""What this CPU counts in under OpenVINO: bf16, eight bits or floats; and how far its integers can be trusted."""

from functools import lru_cache
from typing import Any

import numpy as np

from .quantize import HALF_REACH, REACH

# One layer for the trial: wide enough for every kernel of that kind.
_CHANNELS, _SIDE = 64, 8
# The trial's sum comes out right to a thousandth, or short by a quarter and more.
_SHORT = 0.02


def precision(core: Any) -> str:
    """bf16 where the CPU computes in it, else f32: emulated half precision is slower and worse."""
    return "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def counts_in_integers(core: Any) -> bool:
    """Whether the UNet is played in eight bits: the kernels are there and nothing better is, since bf16 rounds less."""
    return precision(core) == "f32" and has_integers(core)


def has_integers(core: Any) -> bool:
    """Whether eight-bit kernels are there: the autoencoder, most of a frame's work, takes half of bf16's time."""
    return "INT8" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def plays_in_integers(compiled: Any) -> bool:
    """Whether any layer of a compiled network runs in eight bits."""
    kinds = (op.get_rt_info()["runtimePrecision"] for op in compiled.get_runtime_model().get_ops())
    return any(str(getattr(kind, "value", kind)) == "i8" for kind in kinds)


@lru_cache(1)
def weight_reach() -> int:
    """How far a weight may reach from nought here: 127, or 63 where the kernels' sums do not hold more.

    CPUs without VNNI add two products in sixteen bits (vpmaddubsw), where 255 times 127 twice is cut off. It is tried
    on one layer, whatever the CPU calls itself.
    """
    import openvino as ov

    steps, kernel = ov.opset13, (_CHANNELS, _CHANNELS, 3, 3)
    ones = np.ones((1, _CHANNELS, _SIDE, _SIDE), np.float32)
    x = steps.parameter(ones.shape, np.float32)
    rounded = steps.fake_quantize(x, *_bounds(0.0, 1.0), 256)
    weight = steps.fake_quantize(np.ones(kernel, np.float32), *_bounds(-1.0, 1.0), 2 * REACH + 1)
    made = steps.convolution(rounded, weight, [1, 1], [0, 0], [0, 0], [1, 1])
    model = ov.Model([made], [x])  # pyright: ignore[reportGeneralTypeIssues]
    found = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(ones)[0]
    right = float(np.prod(kernel[1:]))
    return REACH if float(np.abs(found - right).max()) < _SHORT * right else HALF_REACH


def _bounds(low: float, high: float) -> tuple[np.ndarray, ...]:
    """What fake quantization rounds between, coming in and going out."""
    return tuple(np.array(bound, np.float32) for bound in (low, high, low, high))
