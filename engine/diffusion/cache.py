"""What takes long to build is kept between runs, under a seal: a folder that changed since is built again."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ..core.moving import move

SEAL = "seal.json"
# Files up to this size are read whole for a key; of larger ones, samples and the time of the last change.
WHOLE = 512 * 2**20
CHUNK = 2**20
# A build that has written nothing for so long, in seconds, was killed.
DRAFT_LIVES = 86400.0
# A build that no show has used for so long, in seconds, was for another version, size or model.
BUILD_LIVES = 90 * 86400.0


def cache_folder() -> Path:
    """Where this user's caches go: CLAVILUX_CACHE, or the platform's own place."""
    named = os.environ.get("CLAVILUX_CACHE")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(base) / "clavilux" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "clavilux"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clavilux"


def fingerprint(files: Iterable[Path], *more: object) -> str:
    """A key of the contents of `files` and of anything else that the result depends on; 32 hex digits."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(files):
        digest.update(f"{file.name}\0{_contents(file)}\0".encode())
    digest.update(repr(more).encode())
    return digest.hexdigest()


def kept(name: str, build: Callable[[Path], None]) -> tuple[Path, bool]:
    """The sealed folder `name` of the cache, and whether `build` had to make it (again). Raises OSError.

    `build` writes into an empty folder, which takes its place in one rename: two shows that start at once, or one
    that is stopped half way, leave no half a folder behind.
    """
    folder = cache_folder() / name
    if intact(folder):
        _used(folder)
        return folder, False
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        build(fresh)
        seal(fresh)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            move(fresh, folder)
        except OSError:
            # Another show was faster; its folder is as good as ours.
            if not intact(folder):
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder, True


def _sweep(place: Path) -> None:
    """Builds that nobody uses any more go, and drafts of builds that were killed; what is being written is younger."""
    for sealed in place.glob(f"*/{SEAL}"):
        try:
            unused = time.time() - sealed.stat().st_mtime
        except OSError:  # somebody else takes it away
            continue
        if unused > BUILD_LIVES:
            shutil.rmtree(sealed.parent, ignore_errors=True)
    for draft in place.glob(".*-*"):
        try:
            newest = max(f.stat().st_mtime for f in (draft, *draft.rglob("*")))
        except OSError:  # somebody else takes it away
            continue
        if draft.is_dir() and time.time() - newest > DRAFT_LIVES:
            shutil.rmtree(draft, ignore_errors=True)


def _used(folder: Path) -> None:
    """The seal's time is that of the last use; where it cannot be set, the build is made again one day."""
    with suppress(OSError):
        os.utime(folder / SEAL)


def size() -> int:
    """Bytes that the cache takes on the disk."""
    total = 0
    for file in cache_folder().rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:  # a build that ends takes its draft away
            continue
    return total


def seal(folder: Path) -> None:
    """Write down what every file of `folder` holds. Raises OSError."""
    rows = {str(f.relative_to(folder)): _hashed(f) for f in _files(folder)}
    draft = folder / (SEAL + ".draft")
    draft.write_text(json.dumps(rows, indent=1))
    move(draft, folder / SEAL)


def intact(folder: Path) -> bool:
    """Whether `folder` holds exactly what was sealed."""
    try:
        rows = json.loads((folder / SEAL).read_text())
        return {str(f.relative_to(folder)): _hashed(f) for f in _files(folder)} == rows
    except (OSError, ValueError):
        return False


def _files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.is_file() and not f.name.startswith(SEAL))


def _hashed(file: Path) -> str:
    with file.open("rb") as f:
        return hashlib.file_digest(f, "blake2b").hexdigest()[:32]


def _contents(file: Path) -> str:
    size = file.stat().st_size
    if size <= WHOLE:
        return _hashed(file)
    digest = hashlib.blake2b(f"{size} {file.stat().st_mtime_ns}".encode(), digest_size=16)
    with file.open("rb") as f:
        for at in range(0, size, max(size // 64, CHUNK)):
            f.seek(at)
            digest.update(f.read(CHUNK))
    return digest.hexdigest()
