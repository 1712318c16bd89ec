"""One TensorRT engine: built from ONNX, opened, and run on torch's stream. For `tensorrt` and `tensorrt_rtx` alike."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

NAMES = ("tensorrt", "tensorrt_rtx")
# Cards that an engine built ahead of time runs on, where there is none to build on: Turing to Blackwell.
CAPABILITIES = ("SM75", "SM80", "SM86", "SM89", "SM120")
# Those of them that TensorRT-RTX multiplies matrices on in fp16 alone.
HALF_ONLY = ("SM75",)
Shape = tuple[int, ...]
# Of each input: the smallest, the usual and the largest shape.
Profile = Mapping[str, tuple[Shape, Shape, Shape]]


class EngineFault(RuntimeError):
    """An engine that cannot be built, opened or run; the message says what to do."""


def library(names: tuple[str, ...] = NAMES) -> ModuleType | None:
    """The TensorRT package that is installed and can be loaded, None without one."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            continue
        try:
            module = importlib.import_module(name)
        except (ImportError, OSError, RuntimeError):
            continue
        if hasattr(module, "Builder"):  # the placeholder on PyPI has none where its libraries did not come along
            return module
    return None


def build(
    trt: ModuleType, onnx: Path, profile: Profile, capabilities: tuple[str, ...] = (), progress: Any = None
) -> bytes:
    """An engine's bytes. `capabilities`: cards to build for ahead of time (TensorRT-RTX only); empty: the card that is
    here. `progress`: a trt.IProgressMonitor. Raises EngineFault."""
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    flags = 0
    kinds = trt.NetworkDefinitionCreationFlag
    if hasattr(kinds, "STRONGLY_TYPED"):  # types as exported: fp16 weights give an fp16 engine
        flags |= 1 << int(kinds.STRONGLY_TYPED)
    network = builder.create_network(flags)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(onnx)):
        faults = "; ".join(str(parser.get_error(k)) for k in range(min(parser.num_errors, 3)))
        raise EngineFault(f"TensorRT cannot read {onnx.name}: {faults}")
    config = builder.create_builder_config()
    if capabilities:
        known = [name for name in capabilities if hasattr(trt.ComputeCapability, name)]
        config.num_compute_capabilities = len(known)
        for k, name in enumerate(known):
            config.set_compute_capability(getattr(trt.ComputeCapability, name), k)
    if progress is not None and hasattr(config, "progress_monitor"):
        config.progress_monitor = progress
    shapes = builder.create_optimization_profile()
    for name, (low, usual, high) in profile.items():
        shapes.set_shape(name, low, usual, high)
    config.add_optimization_profile(shapes)
    made = builder.build_serialized_network(network, config)
    if made is None:
        raise EngineFault(f"TensorRT could not build an engine from {onnx.name}")
    return bytes(made)


def monitor(trt: ModuleType, told: Callable[[float], None]) -> Any:
    """A trt.IProgressMonitor that says which share of an engine is built, 0..1; None where this TensorRT has none."""
    if not hasattr(trt, "IProgressMonitor"):
        return None

    class Monitor(trt.IProgressMonitor):
        """Phases lie within phases: a step of one is shared out among those that it consists of."""

        def __init__(self) -> None:
            super().__init__()
            self._open: dict[str, list[int]] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._open[phase_name] = [0, max(num_steps, 1)]

        def step_complete(self, phase_name: str, step: int) -> bool:
            self._open[phase_name][0] = step + 1
            share, whole = 0.0, 1.0
            for done, steps in self._open.values():
                share += whole * min(done, steps) / steps
                whole /= steps
            told(min(share, 1.0))
            return True

        def phase_finish(self, phase_name: str) -> None:
            del self._open[phase_name]

    return Monitor()


class Engine:
    """An open engine: named tensors in, named tensors out, on the current stream of their device.

    Shapes may change from call to call within the profile. Results are valid until the next call.
    """

    def __init__(self, trt: ModuleType, engine: bytes, name: str = "engine") -> None:
        """Raises EngineFault for bytes that do not open here: another version's, another card's, damaged ones."""
        self.name = name
        self._trt = trt
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        opened = self._runtime.deserialize_cuda_engine(engine)
        if opened is None:  # it does not raise
            raise EngineFault(f"the engine {name} does not open on this card with {trt.__name__} {trt.__version__}")
        self._engine = opened
        self._context = opened.create_execution_context()
        if self._context is None:
            raise EngineFault(f"not enough memory on the card to run the engine {name}")
        names = [opened.get_tensor_name(k) for k in range(opened.num_io_tensors)]
        self.inputs = [n for n in names if opened.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self.outputs = [n for n in names if n not in self.inputs]
        self._dtypes = {n: _torch_dtype(trt, opened.get_tensor_dtype(n)) for n in names}
        self._results: dict[str, Tensor] = {}

    def shape_of(self, name: str) -> tuple[int, ...]:
        """A tensor's shape as it was built, -1 where it is free."""
        return tuple(self._engine.get_tensor_shape(name))

    def __call__(self, **given: Tensor) -> dict[str, Tensor]:
        """Every output by name. Raises EngineFault for a shape outside the profile, or where the card refuses."""
        context = self._context
        device = next(iter(given.values())).device
        held = []  # until the call has been queued, whatever had to be converted must stay
        for name in self.inputs:
            tensor = given[name].to(self._dtypes[name]).contiguous()
            held.append(tensor)
            if not context.set_input_shape(name, tuple(tensor.shape)):
                raise EngineFault(f"the engine {self.name} was not built for {name} of {tuple(tensor.shape)}")
            context.set_tensor_address(name, tensor.data_ptr())
        for name in self.outputs:
            shape = tuple(context.get_tensor_shape(name))
            out = self._results.get(name)
            if out is None or tuple(out.shape) != shape:
                out = self._results[name] = torch.empty(shape, dtype=self._dtypes[name], device=device)
            context.set_tensor_address(name, out.data_ptr())
        if not context.execute_async_v3(_stream(device)):
            raise EngineFault(f"the engine {self.name} failed on the card")
        for tensor in held:
            _keep(tensor, device)
        return dict(self._results)


class Player:
    """Runs one engine, or another of the same inputs that has LoRAs on it."""

    def __init__(self, engine: Engine) -> None:
        self.own = engine
        self._engine, self._scales = engine, None

    def play(self, engine: Engine | None, scales: Tensor | None = None) -> None:
        """From the next call on, run `engine` with `scales` for its LoRAs; None: one's own."""
        self._engine, self._scales = engine or self.own, scales if engine is not None else None

    def run(self, **given: Tensor) -> dict[str, Tensor]:
        if self._scales is not None and "adapters" in self._engine.inputs:
            given["adapters"] = self._scales
        return self._engine(**given)


def _stream(device: torch.device) -> int:
    return torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0


def _keep(tensor: Tensor, device: torch.device) -> None:
    """The allocator must not hand this memory out before the stream has read it."""
    if device.type == "cuda":
        tensor.record_stream(torch.cuda.current_stream(device))


def _torch_dtype(trt: ModuleType, kind: Any) -> torch.dtype:
    known = {"FLOAT": torch.float32, "HALF": torch.float16, "BF16": torch.bfloat16, "INT64": torch.int64,
             "INT32": torch.int32}  # fmt: skip
    for name, dtype in known.items():
        if getattr(trt.DataType, name, None) == kind:
            return dtype
    raise EngineFault(f"an engine with tensors of {kind} cannot be run here")
