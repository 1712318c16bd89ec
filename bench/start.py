"""From the command to the first frame: ``python bench/start.py [--repeats 3] [--json]``.

Plain `clavilux` with the demo source, its frames going into a folder, each time as a new process: cold, with an empty
cache (accelerators are built and measured beside the show), and warm. Seconds until the first picture lies there whole,
the resident memory after five seconds of playing, and cold the seconds until everything was built.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAYED = 5.0
LIMIT = 120.0


def start(cache: Path, scratch: Path) -> tuple[float, int, float]:
    """Seconds to the first frame, megabytes of the process while it plays, seconds until the cache is complete."""
    shots = scratch / "shots"
    shutil.rmtree(shots, ignore_errors=True)
    command = Path(sys.executable).with_name("clavilux")
    began = time.perf_counter()
    with subprocess.Popen(
        [str(command), "run", "--source", "demo", "--sink", f"{shots}/", "--no-open", "--no-server", "--midi", "none"],
        env=os.environ | {"CLAVILUX_CACHE": str(cache)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as show:  # fmt: skip
        while not any(shots.glob("*.png")):
            if show.poll() is not None or time.perf_counter() - began > LIMIT:
                show.kill()
                raise SystemExit("no frame came")
            time.sleep(0.005)
        took = time.perf_counter() - began
        time.sleep(PLAYED)
        pages = int(Path(f"/proc/{show.pid}/statm").read_text("ascii").split()[1])
        while not (cache / "accelerators.json").is_file() and time.perf_counter() - began < LIMIT:
            time.sleep(0.05)
        built = time.perf_counter() - began
        show.terminate()
    return took, pages * os.sysconf("SC_PAGE_SIZE") // 10**6, built


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    rows: dict[str, list[tuple[float, int, float]]] = {"cold": [], "warm": []}
    with tempfile.TemporaryDirectory(prefix="start-") as place:
        scratch = Path(place)
        for _ in range(asked.repeats):
            cache = scratch / "cache"
            shutil.rmtree(cache, ignore_errors=True)
            for kind, found in rows.items():
                found.append(start(cache, scratch))
                print(f"{kind}: {found[-1][0]:.1f} s, {found[-1][1]} MB, built {found[-1][2]:.1f} s", file=sys.stderr)
    middle = {
        kind: {
            "seconds": round(statistics.median(s for s, *_ in found), 2),
            "mb": statistics.median(mb for _, mb, _ in found),
            "built": round(statistics.median(built for *_, built in found), 1),
        }
        for kind, found in rows.items()
    }
    if asked.json:
        print(json.dumps(middle))
        return
    for kind, row in middle.items():
        beside = f", all built after {row['built']} s" if kind == "cold" else ""
        print(f"{kind}: first frame after {row['seconds']} s, {row['mb']} MB held{beside}")


if __name__ == "__main__":
    main()
