"""Takes: what an earlier show left where a new one is about to be written is kept beside it, under a number."""

import logging
import os
import re
from pathlib import Path

from ..engine.core.kinds import SINKS
from ..engine.core.moving import move
from ..engine.core.notices import Notices
from .faults import reason

# Pictures as FolderSink numbers them; whatever else lies in a folder is not ours.
_NUMBERED = re.compile(r"\d{6}\.png|[1-9]\d{6,}\.png")


def keep_take(spec: str, notices: Notices) -> None:
    """Make room for a new take of the sink `spec`, where that is a file or a folder of pictures. What cannot be moved
    is said, and the show goes on."""
    if "://" in spec or spec.partition(":")[0] in SINKS:
        return
    path = Path(spec).expanduser()
    if spec.endswith(("/", "\\")) or path.is_dir():
        keep_pictures(path, notices)
    else:
        keep_file(path, notices)


def keep_file(path: Path, notices: Notices) -> None:
    """`show.mp4` that is not empty becomes the first of `show-1.mp4`, `show-2.mp4` ... that is free."""
    try:
        # A link stays one: the film lies where it points to, and so does the next.
        path = path.resolve()
        if not path.is_file() or path.stat().st_size == 0:
            return
        kept = _first_free(path.parent, f"{path.stem}-", path.suffix)
        move(path, kept)
    except OSError as e:
        notices.say(_key(path), f"{path.name} of an earlier show cannot be kept: {reason(e)}; it is written over")
        return
    notices.say(_key(path), f"{path.name} of an earlier show is kept: {kept}", logging.INFO)


def keep_pictures(folder: Path, notices: Notices) -> None:
    """The numbered pictures in `folder` move into the first of `take-1/`, `take-2/` ... in it that is free."""
    try:
        pictures = numbered(folder)
        if not pictures:
            return
        kept = _first_free(folder, "take-", "")
        kept.mkdir()
        for picture in pictures:
            move(picture, kept / picture.name)
    except OSError as e:
        text = f"the pictures in {folder}/ cannot all be kept: {reason(e)}; they are written over one by one"
        notices.say(_key(folder), text)
        return
    notices.say(_key(folder), f"the pictures in {folder}/ are kept: {kept}/", logging.INFO)


def drop_beyond(folder: Path, count: int) -> None:
    """Take away the numbered pictures of an earlier, longer film from number `count` on. Raises OSError."""
    for picture in numbered(folder):
        if int(picture.stem) >= count:
            picture.unlink(missing_ok=True)


def numbered(folder: Path) -> list[Path]:
    """The pictures in `folder` that bear numbers as ours do; none where there is no folder. Raises OSError."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if _NUMBERED.fullmatch(p.name) and p.is_file())


def _first_free(folder: Path, before: str, after: str) -> Path:
    n = 1
    while os.path.lexists(place := folder / f"{before}{n}{after}"):
        n += 1
    return place


def _key(path: Path) -> str:
    return f"sink:kept:{path}"
