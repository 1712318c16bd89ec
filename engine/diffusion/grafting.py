"""Low-rank branches grafted onto a network as OpenVINO has read it, with a strength for each that stays an input.

A layer is found by the name that the network's own modules gave it, so that one way serves every export of a UNet.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

# The input that holds the strengths.
SCALES = "adapter_scales"
# What wraps the UNet differs from build to build; behind its name stands the module's path.
_PATH, _KINDS = re.compile(r"__module\.(?:\w+\.)*?unet\.([^/]+)/"), ("MatMul", "Convolution")
Factors = Mapping[str, tuple[Tensor, Tensor]]


def layers_of(model: Any) -> dict[str, Any]:
    """The multiplications and convolutions of a network that have weights, by the path of their module."""
    found: dict[str, Any] = {}
    for node in model.get_ops():
        named = _PATH.match(node.get_friendly_name())
        if named and node.get_type_name() in _KINDS and _weight_of(node.input_value(1)) is not None:
            found[named[1]] = node
    return found


def add_branches(model: Any, loras: Sequence[Factors]) -> None:
    """Each layer's output becomes y + sum over k of scales[k] B_k A_k x, with `scales` (K,) as a last input.

    Raises RuntimeError for a layer that the network does not have.
    """
    import openvino.opset13 as ops

    known = layers_of(model)
    scales = ops.parameter([len(loras)], np.float32, name=SCALES)
    scales.output(0).set_names({SCALES})
    gains: dict[tuple[int, ...], Any] = {}
    for path in sorted({path for lora in loras for path in lora}):
        node = known.get(path)
        if node is None:
            raise RuntimeError(f"this build of the model has no layer {path} of its own")
        here = [(k, *lora[path]) for k, lora in enumerate(loras) if path in lora]
        owner = tuple(k for k, a, _ in here for _ in range(a.shape[0]))
        if owner not in gains:
            gains[owner] = ops.gather(scales, ops.constant(np.array(owner, np.int64)), ops.constant(np.int64(0)))
        down = np.concatenate([a.numpy() for _, a, _ in here])
        up = np.concatenate([b.numpy() for _, _, b in here], 1)
        readers = list(node.output(0).get_target_inputs())
        total = ops.add(node.output(0), _branch(ops, node, down, up, gains[owner]).output(0))
        total.set_friendly_name(f"{node.get_friendly_name()}/adapted")
        for reader in readers:
            reader.replace_source_output(total.output(0))
    model.add_parameters([scales])
    model.validate_nodes_and_infer_types()


def _branch(ops: Any, node: Any, down: np.ndarray, up: np.ndarray, gain: Any) -> Any:
    # Eight-bit layers round their input; the branch takes it as it was.
    x = node.input_value(0)
    if x.get_node().get_type_name() == "FakeQuantize":
        x = x.get_node().input_value(0)
    if node.get_type_name() == "MatMul":
        narrow = ops.matmul(x, ops.constant(down), False, True)
        return ops.matmul(ops.multiply(narrow, gain), ops.constant(up), False, True)
    shape = node.get_attributes()
    window = [shape[key] for key in ("strides", "pads_begin", "pads_end", "dilations")]
    narrow = ops.convolution(x, ops.constant(down), *window)
    by_channel = ops.reshape(gain, ops.constant(np.array([1, -1, 1, 1], np.int64)), False)
    ones, none = [1, 1], [0, 0]
    return ops.convolution(ops.multiply(narrow, by_channel), ops.constant(up), ones, none, none, ones)


def merge(model: Any, changes: Mapping[str, Tensor]) -> None:
    """Add `changes` (by path, in the shape of the layer's weight) to the network's own weights."""
    import openvino.opset13 as ops

    known = layers_of(model)
    for path, change in changes.items():
        node = known.get(path)
        if node is None:
            raise RuntimeError(f"this build of the model has no layer {path} of its own")
        weight = _weight_of(node.input_value(1)) + change.numpy()
        if node.input_value(1).get_node().get_type_name() == "Multiply":
            # Eight-bit weights have one scale per output channel, which follows the new extremes.
            scale = np.abs(weight).reshape(len(weight), -1).max(1).clip(1e-8) / 127
            scale = scale.reshape(-1, *[1] * (weight.ndim - 1)).astype(np.float32)
            levels = ops.constant(np.round(weight / scale).astype(np.int8))
            fresh = ops.multiply(ops.convert(levels, np.float32), ops.constant(scale))
        else:
            fresh = ops.constant(weight)
        node.input(1).replace_source_output(fresh.output(0))
    model.validate_nodes_and_infer_types()


def _weight_of(output: Any) -> Any:
    """The weight behind an input in float32, widened from fp16 or eight bits; None: it is none."""
    node = output.get_node()
    kind = node.get_type_name()
    if kind == "Constant":
        return np.asarray(node.data, np.float32)
    if kind not in ("Convert", "Multiply"):
        return None
    parts = [_weight_of(port) for port in node.input_values()]
    return None if any(part is None for part in parts) else np.prod(np.broadcast_arrays(*parts), 0, np.float32)
