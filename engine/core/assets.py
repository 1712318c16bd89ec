"""Names of files that come from the network: inside the assets folder, or refused."""

import sys
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from .parameters import Refused

_LONGEST = 1024
_OUTSIDE = "only files in the assets folder may be named; put it there (--assets says which it is)"
# In place of a folder: every file of this machine may be named, on whichever drive. It is for who plays by a Python
# program and can be neither typed nor written in a show.
ANYWHERE = "\0anywhere"


def asset(folder: Path, name: str) -> Path:
    """The file that `name` (relative to `folder`, or absolute and inside it) stands for, links followed.

    Raises Refused, in words, for a name that leads out of the folder and for a file that is not there; the words are
    the same for everything outside, so that nobody learns what exists there.
    """
    return _inside(folder, name, Path.is_file)


def asset_or_folder(folder: Path, name: str) -> Path:
    """The same, of a file or a folder of pictures: what a source may play."""
    return _inside(folder, name, Path.exists)


def place(folder: Path, name: str) -> Path:
    """Where `name` leads in the assets folder, whether anything is there or not. Raises Refused for a name outside."""
    return _inside(folder, name, lambda path: True)


def _inside(folder: Path, name: str, is_there: Callable[[Path], bool]) -> Path:
    if not name or len(name) > _LONGEST or "\0" in name:
        raise Refused("this is no name of a file")
    root = None if str(folder) == ANYWHERE else folder.expanduser().resolve()
    if root is not None and on_another_machine(root, name):
        raise Refused(f"{name}: {_OUTSIDE}")
    try:
        path = (Path(name) if root is None else root / name).resolve()
    except (OSError, RuntimeError, ValueError):
        raise Refused(f"{name}: this is no name of a file") from None
    if root is not None and not path.is_relative_to(root):
        raise Refused(f"{name}: {_OUTSIDE}")
    try:
        there = is_there(path)
    except OSError:  # longer than any file's name can be
        there = False
    if not there:
        raise Refused(f"{name}: there is no such file{'' if root is None else ' in the assets folder'}")
    return path


def on_another_machine(root: Path, name: str) -> bool:
    """Does a name lead from a folder of this machine to a share on the network, as Windows writes one? To look for it
    would already tell that machine who is logged in here, and prove it."""
    shares = [_slashes(text).startswith("\\\\") for text in (name, str(root))]
    return sys.platform == "win32" and shares == [True, False]


def _slashes(text: str) -> str:
    return text.replace("/", "\\")


def shipped_loras() -> Mapping[str, Path]:
    """The LoRAs that ship with the embedded model, by their bare names."""
    return _loras_in(_shipped() / "loras")


@lru_cache(1)
def _loras_in(folder: Path) -> Mapping[str, Path]:
    return MappingProxyType({path.stem: path for path in sorted(folder.glob("*.safetensors"))})


def shipped_controlnets() -> dict[str, Path]:
    """The ControlNet that ships with the embedded model, under the name `embedded`."""
    folder = _shipped() / "controlnet"
    return {"embedded": folder} if (folder / "config.json").is_file() else {}


def _shipped() -> Path:
    return Path(str(files("clavilux.engine") / "embedded"))


def lora_asset(folder: Path, name: str, loaded: Collection[str] = ()) -> Path:
    """The file of a LoRA that a message names: one that is `loaded` by that very path, a shipped one by its bare name
    or by the path that answers give it, or one in the assets folder. Raises Refused."""
    shipped = shipped_loras()
    if name in loaded or Path(name) in shipped.values():
        return Path(name)
    return shipped.get(name) or asset(folder, name)
