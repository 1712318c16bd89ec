"""A live show under two hands at once: what a performer's controls do to the frame rate, and whether they arrive.

    python bench/live.py CLIP [--seconds 20] [--fps 30] [--show laptop] [--keep FOLDER]

Starts `clavilux run` on CLIP with a journal; meanwhile liblo's `oscsendfile` sweeps noise_scale at 200 messages a
second and a JACK client sweeps a CC that plays guidance_scale at 100 a second. Prints fps, the longest gap between
frames, how long an event waits for its frame, and whether both parameters rest exactly on the last message. Needs
liblo-tools and jackd2.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

OSC_RATE, CC_RATE = 200, 100
LAST_NOISE, LAST_CC = 0.3125, 96

SENDER = """
import os, sys, time
import rtmidi
out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="bench")
out.open_virtual_port("knobs")
time.sleep(float(sys.argv[1]))
count = int(sys.argv[2])
for k in range(count):
    phase = (k / 100) % 2
    value = round(127 * (phase if phase < 1 else 2 - phase))
    out.send_message([0xB0, 21, value])
    time.sleep(1 / 100)
out.send_message([0xB0, 21, int(sys.argv[3])])
time.sleep(1)
"""

MAPPING = """version: 1
name: bench
bindings:
  - cc: 21
    to: guidance_scale
    range: [1, 3]
"""


def osc_script(path: Path, seconds: float) -> None:
    """A file as oscdump writes it, for oscsendfile: triangle sweeps of 2 s, then the last value."""
    lines = []
    count = int(seconds * OSC_RATE)
    for k in range(count + 1):
        phase = (k / OSC_RATE) % 2
        value = LAST_NOISE if k == count else phase if phase < 1 else 2 - phase
        whole, part = divmod(k, OSC_RATE)
        lines.append(f"{0xE0000000 + whole:08x}.{part * 2**32 // OSC_RATE:08x} /clavilux/noise_scale f {value:.6f}")
    path.write_text("\n".join(lines) + "\n")


def jack_server(name: str) -> subprocess.Popen:
    env = os.environ | {"JACK_NO_AUDIO_RESERVATION": "1"}
    words = ["jackd", "--no-realtime", "-S", "-n", name, "-d", "dummy", "-r", "48000", "-p", "64"]
    server = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1.5)
    return server


def send_osc(script: Path, port: int, seconds: float) -> None:
    """200 messages a second through liblo."""
    words = ["oscsendfile", "127.0.0.1", str(port), str(script), "1"]
    subprocess.run(words, check=True, timeout=seconds * 3 + 30)


def read(journal: Path) -> tuple[list[dict], list[dict]]:
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    return [r for r in rows if r["type"] == "frame"], [r for r in rows if r["type"] == "event"]


def waits(journal: Path) -> tuple[list[float], list[float]]:
    """Milliseconds from each event's arrival to its frame's snapshot, and to that frame being finished."""
    to_snapshot, to_frame, pending = [], [], []
    for line in journal.read_text().splitlines():
        row = json.loads(line)
        if row["type"] == "event":
            pending.append(row["t"])
        elif row["type"] == "frame":
            to_snapshot += [(row["t"] - t) * 1000 for t in pending]
            to_frame += [(row["t"] - t) * 1000 + row["render_ms"] for t in pending]
            pending = []
    return to_snapshot, to_frame


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {f"p{q}": round(ordered[min(int(len(ordered) * q / 100), len(ordered) - 1)], 1) for q in (50, 99)}


def report(journal: Path, fps: float) -> dict:
    """What the journal says of the show."""
    frames, events = read(journal)
    gaps = [b["t"] - a["t"] for a, b in pairwise(frames)]
    values: dict = {}
    for row in frames:
        values |= row["params"]
    to_snapshot, to_frame = waits(journal)
    span = frames[-1]["t"] - frames[0]["t"]
    return {
        "frames": len(frames),
        "fps": round((len(frames) - 1) / span, 2),
        "longest_gap_in_periods": round(max(gaps) * fps, 2),
        "median_render_ms": round(statistics.median(r["render_ms"] for r in frames), 2),
        "osc_events": sum(e["port"] == "osc" for e in events),
        "midi_events": sum(e["port"].startswith("midi") for e in events),
        "event_to_snapshot_ms": percentiles(to_snapshot),
        "event_to_frame_ms": percentiles(to_frame),
        "noise_scale": values["noise_scale"],
        "noise_scale_is_last_message": values["noise_scale"] == LAST_NOISE,
        "guidance_scale": values["guidance_scale"],
        "guidance_is_last_message": values["guidance_scale"] == 1 + LAST_CC / 127 * 2,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("clip")
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--fps", type=float, default=30)
    options.add_argument("--port", type=int, default=8123)
    options.add_argument("--keep", metavar="FOLDER", help="keep the journal and the film here")
    options.add_argument("--show", default="laptop", help="the show file to play")
    asked = options.parse_args()
    for needed in ("oscsendfile", "jackd"):
        if shutil.which(needed) is None:
            sys.exit(f"{needed} is not installed (Debian: liblo-tools, jackd2)")

    folder = Path(asked.keep or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    journal, mapping, script = folder / "show.jsonl", folder / "bench.yaml", folder / "sweep.txt"
    journal.unlink(missing_ok=True)
    mapping.write_text(MAPPING)
    osc_script(script, asked.seconds)
    name = f"clavilux-bench-{os.getpid()}"
    server = jack_server(name)
    env = os.environ | {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    sender = subprocess.Popen(
        [sys.executable, "-c", SENDER, "12", str(int(asked.seconds * CC_RATE)), str(LAST_CC)], env=env
    )
    show = subprocess.Popen(
        [
            "clavilux", "run", asked.show, "--source", asked.clip, "--size", "256x256", "--fps", str(asked.fps),
            "--journal", str(journal), "--sink", str(folder / "show.mp4"), "--mapping", str(mapping),
            "--port", str(asked.port), "--midi", "bench*",
        ],
        env=env,
    )  # fmt: skip
    try:
        while not journal.exists() or '"n":5,' not in journal.read_text():
            if show.poll() is not None:
                sys.exit(f"the show ended early with {show.returncode}")
            time.sleep(0.2)
        send_osc(script, asked.port, asked.seconds)
        sender.wait(asked.seconds * 2 + 60)
        time.sleep(3)
    finally:
        show.send_signal(signal.SIGINT)
        began = time.monotonic()
        code = show.wait(20)
        ended = time.monotonic() - began
        sender.kill()
        server.terminate()
    print(json.dumps(report(journal, asked.fps) | {"exit": code, "seconds_to_end": round(ended, 2)}, indent=1))


if __name__ == "__main__":
    main()
