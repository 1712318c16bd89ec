"""A private JACK server for a test."""

import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from .waiting import until


@pytest.fixture
def jack(monkeypatch):
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed")
    server = f"clavilux-{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", server)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("JACK_NO_AUDIO_RESERVATION", "1")
    daemon = subprocess.Popen(
        ["jackd", "--no-realtime", "-S", "-n", server, "-d", "dummy", "-r", "48000", "-p", "64"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    if not until(lambda: daemon.poll() is not None or any(Path("/dev/shm").glob(f"jack_{server}_*_0")), 20):
        daemon.kill()
    # The socket is there a moment before the server answers.
    time.sleep(0.5)
    if daemon.poll() is not None:
        pytest.skip("jackd does not start here")
    yield server
    daemon.terminate()
    daemon.wait(10)
