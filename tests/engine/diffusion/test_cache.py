import os
import time

import pytest
from clavilux.engine.diffusion import cache


@pytest.fixture
def builds(tmp_path, monkeypatch):
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path / "here"))
    made = []

    def build(folder):
        made.append(folder)
        (folder / "sub").mkdir()
        (folder / "sub" / "engine.bin").write_bytes(b"x" * 1000)

    return build, made


def test_built_once_and_found_again(builds):
    build, made = builds
    folder, fresh = cache.kept("kind/key", build)
    assert fresh
    assert cache.kept("kind/key", build) == (folder, False)
    assert len(made) == 1
    assert [p.name for p in folder.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("harm", ["flip", "cut", "lose", "add", "seal"])
def test_a_damaged_folder_is_built_again(builds, harm):
    build, made = builds
    folder, _ = cache.kept("key", build)
    engine = folder / "sub" / "engine.bin"
    if harm == "flip":
        engine.write_bytes(b"x" * 999 + b"y")
    elif harm == "cut":
        engine.write_bytes(b"x" * 500)
    elif harm == "lose":
        engine.unlink()
    elif harm == "add":
        (folder / "more.bin").write_bytes(b"z")
    else:
        (folder / cache.SEAL).write_text("{")
    assert cache.kept("key", build) == (folder, True)
    assert len(made) == 2
    assert cache.intact(folder)


def test_a_build_that_fails_leaves_nothing(builds, tmp_path):
    def fails(folder):
        (folder / "half").write_text("h")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.kept("key", fails)
    assert list((tmp_path / "here").iterdir()) == []


def test_drafts_of_builds_that_were_killed_go_and_those_being_written_stay(builds, tmp_path):
    place = cache.cache_folder() / "openvino"
    killed, written = place / ".old-abcdef", place / ".new-abcdef"
    for folder in (killed, written):
        folder.mkdir(parents=True)
        (folder / "part.xml").write_text("x" * 100)
    long_ago = time.time() - 2 * cache.DRAFT_LIVES
    for path in (killed, killed / "part.xml", written):
        os.utime(path, (long_ago, long_ago))
    folder, _ = cache.kept("openvino/another", lambda folder: (folder / "a").write_text("y" * 50))
    assert sorted(place.iterdir()) == sorted((written, folder))
    assert cache.size() > 150


def test_builds_that_no_show_used_for_a_season_go_and_those_in_use_stay(builds):
    def build(folder):
        (folder / "a").write_text("x")

    kept = {name: cache.kept(f"openvino/{name}", build)[0] for name in ("old", "used")}
    long_ago = time.time() - cache.BUILD_LIVES - 100
    for folder in kept.values():
        os.utime(folder / cache.SEAL, (long_ago, long_ago))
    assert cache.kept("openvino/used", build) == (kept["used"], False)
    cache.kept("openvino/new", build)
    assert not kept["old"].exists()
    assert cache.intact(kept["used"])


def test_a_key_follows_contents_and_versions(tmp_path):
    file = tmp_path / "w"
    file.write_bytes(b"a")
    key = cache.fingerprint([file], "1")
    assert key == cache.fingerprint([file], "1")
    assert key != cache.fingerprint([file], "2")
    file.write_bytes(b"b")
    assert key != cache.fingerprint([file], "1")


def test_the_folder_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path))
    assert cache.cache_folder() == tmp_path
    monkeypatch.delenv("CLAVILUX_CACHE")
    assert cache.cache_folder().name in ("clavilux", "cache")
