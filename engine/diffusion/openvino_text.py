"""Text encoders under OpenVINO: on one thread, so that a prompt that is read leaves the rest to the picture."""

import logging
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.notices import Notices
from . import cache
from .reading import Reader, TextPart, said_of, text_parts
from .text import NONE, quiet
from .weights import ModelMistake

FORMAT = 1


def readers(core: Any, folder: Path, notices: Notices | None = None) -> Mapping[str, Reader]:
    """What runs each text encoder of a model folder, by the names of its parts; none where it has none or where it
    cannot be had, which is said: plain torch reads then."""
    if not (said_of(folder).get("text_encoder") or (folder / "text_encoder").is_dir()):
        return NONE
    try:
        return {part.name: _reader(core, part, notices) for part in text_parts(folder, said_of(folder))}
    except ModelMistake:
        raise
    except (RuntimeError, OSError) as fault:
        if notices is not None:
            first = (str(fault).strip() or type(fault).__name__).splitlines()[0]
            notices.say("openvino-text", f"prompts are read by plain torch ({first})", logging.INFO)
        return NONE


def _reader(core: Any, part: TextPart, notices: Notices | None) -> Reader:
    import openvino as ov

    from .openvino_backend import compiled_from_cache, save

    files = [f for f in part.folder.iterdir() if f.is_file()]
    key = cache.fingerprint(
        files,
        FORMAT,
        ov.__version__,
        torch.__version__,
        version("transformers"),
        part.tokens,
        part.early,
        platform.processor(),
    )

    def build(into: Path) -> None:
        if notices is not None:
            notices.say("openvino-text", "OpenVINO builds the text encoder for the first time", logging.INFO)
        with quiet():
            save(part.load(torch.float32), sample_of(part), into / "part.xml", False)

    folder, _ = cache.kept(f"openvino/{key}-{part.name}", build)
    # One thread of its own: LATENCY would take every core from the frame that is being painted.
    config = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return _Reader(compiled_from_cache(core, folder, ("part",), notices, **config)["part"])


def sample_of(part: TextPart) -> tuple[Tensor, Tensor]:
    """Ids and mask of one prompt, as the tracer wants them."""
    ids = torch.ones(1, part.tokens, dtype=torch.int64)
    return ids, torch.ones_like(ids)


class _Reader:
    def __init__(self, compiled: Any) -> None:
        from .openvino_backend import Request

        self._run = Request(compiled)

    def __call__(self, ids: Tensor, mask: Tensor) -> Sequence[Tensor]:
        """Without the mask where the network does not look at it: it lost that input on its way."""
        return self._run.results(ids, mask)
