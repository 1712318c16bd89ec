"""Models from the hub: what of a repository is needed, whether it is here already, and how it gets here."""

import logging
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..core.notices import Notices
from .weights import Allowed, ModelMistake

ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
PARTS = (
    "unet", "vae", "scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2",
)  # fmt: skip
SMALL = (".json", ".txt")
PATIENCE = 10.0


def is_id(name: str) -> bool:
    """Whether `name` is written as the hub writes its models: owner/name."""
    return ID.fullmatch(name) is not None and not name.startswith(".")


def here(repository: str) -> Path | None:
    """The folder of a repository that was fetched before; None where there is none. Asks nobody."""
    from huggingface_hub import constants

    home = Path(constants.HF_HUB_CACHE) / ("models--" + repository.replace("/", "--"))
    try:
        revision = (home / "refs" / "main").read_text("utf-8").strip()
    except OSError:
        return None
    folder = home / "snapshots" / revision
    return folder if folder.is_dir() else None


def wanted(names: Iterable[str], half: bool) -> list[str]:
    """Of a repository's file names those that are needed: configs, tokenizers, and each part's weights once, in fp16
    where there are such and `half` is asked for. Raises ModelMistake where weights come only in a form that can
    carry code."""
    names = sorted(names)
    whole = any(name.startswith("unet/") for name in names)
    chosen = ["model_index.json"] if "model_index.json" in names else []
    for part in PARTS if whole else ("",):
        inside = [n for n in names if n.rpartition("/")[0] == part]
        chosen += [n for n in inside if n.endswith(SMALL) and ".index." not in n and n not in chosen]
        chosen += _weights(inside, half)
    if not any(n.endswith((".safetensors", ".bin")) for n in chosen):
        pickled = any(n.endswith((".bin", ".ckpt")) for n in names)
        why = "its weights can carry code (.bin, .ckpt)" if pickled else "it holds no diffusers model"
        raise ModelMistake(f"it cannot be fetched: {why}")
    return chosen


def _weights(inside: list[str], half: bool) -> list[str]:
    endings = (".safetensors", ".bin") if Allowed.pickles else (".safetensors",)
    for ending in endings:
        files = [n for n in inside if n.endswith(ending) and not _foreign(n)]
        fp16 = [n for n in files if ".fp16" in n]
        plain = [n for n in files if ".fp16" not in n and ".non_ema" not in n]
        found = (fp16 or plain) if half else (plain or fp16)
        if found:
            middle = ".fp16" if found is fp16 else ""
            indexes = [n for n in inside if ".index." in n and ending in n and (".fp16" in n) == bool(middle)]
            return [*found, *indexes]
    return []


def _foreign(name: str) -> bool:
    """Other libraries' weights: openvino, onnx and flax versions lie in the same folders."""
    return "openvino" in name or "flax" in name or "onnx" in name


def fetched(repository: str, half: bool, notices: Notices | None = None) -> Path:
    """Fetch what is needed of a repository; returns its folder. Takes minutes. Raises ModelMistake, in words."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "on", "yes"):
        raise ModelMistake(f"{repository} is not here, and HF_HUB_OFFLINE forbids to fetch it. {advice(repository)}")
    try:
        sizes = listing(repository)
        chosen = wanted(sizes, half)
    except ModelMistake as e:
        raise ModelMistake(f"{repository}: {e}") from None
    except Exception as e:  # the hub's client, and what carries it, have dozens of errors
        raise ModelMistake(_unreachable(repository, e)) from None
    total = sum(sizes[name] for name in chosen)
    room = shutil.disk_usage(_existing(_cache())).free
    if total * 1.05 > room:
        raise ModelMistake(
            f"{repository} takes {total / 1e9:.1f} GB of disk and {room / 1e9:.1f} GB are free in {_cache()}; make "
            "room, or name another place in HF_HOME"
        )
    if notices is not None:
        notices.say("hub", f"fetching {repository}, {total / 1e9:.1f} GB, to {_cache()}", logging.INFO)
    try:
        return download(repository, chosen)
    except Exception as e:  # the same
        raise ModelMistake(_unreachable(repository, e)) from None


def listing(repository: str) -> dict[str, int]:
    """Every file of a repository and its size in bytes. Raises what the hub's client raises."""
    from huggingface_hub import HfApi

    found = HfApi().model_info(repository, files_metadata=True, timeout=PATIENCE).siblings or []
    return {file.rfilename: file.size or 0 for file in found}


def download(repository: str, names: list[str]) -> Path:
    """Fetch these files; what is half here already goes on. Raises what the hub's client raises."""
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(repository, allow_patterns=names, etag_timeout=PATIENCE))


def advice(repository: str, part: bool = False) -> str:
    """How to bring a repository to a machine that cannot reach the hub; a `part` of a model is no model to play."""
    plain = repository.rpartition("/")[2]
    use = f"name models/{plain} in the show" if part else f"play it with --model models/{plain}"
    return (
        f"On a machine that can reach huggingface.co: `hf download {repository} --local-dir models/{plain}`; "
        f"copy the folder models/{plain} here and {use}."
    )


def _unreachable(repository: str, fault: Exception) -> str:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    page = f"https://huggingface.co/{repository}"
    if isinstance(fault, GatedRepoError):
        return f"{repository}: its owner wants a licence accepted first, at {page}; then `hf auth login`"
    if isinstance(fault, RepositoryNotFoundError):
        return f"there is no model {repository} on the hub, or it is private ({page}); look at its spelling"
    first = (str(fault).strip() or type(fault).__name__).splitlines()[0][:160]
    return f"{repository} is not here, and the hub cannot be reached ({first}). {advice(repository)}"


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
