"""Stills and folders of pictures: order, fit, orientation, transparency, damage."""

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.io.faults import SourceFailed
from clavilux.io.image_source import ImageSource
from PIL import Image


def source(path, size=(40, 40), notices=None):
    return ImageSource(path, size, 10.0, notices or Notices(ManualClock()))


def test_a_folder_plays_in_natural_order_and_loops(tmp_path):
    for number, level in ((1, 10), (2, 20), (10, 100)):
        Image.new("L", (40, 40), level).save(tmp_path / f"shot{number}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    s = source(tmp_path)
    s.open()
    frames = [s.read() for _ in range(5)]
    assert [int(f.pixels[0, 0, 0]) for f in frames] == [10, 20, 100, 10, 20]
    assert [f.n for f in frames] == [0, 1, 2, 3, 4]
    s.seek(5)
    assert int(s.read().pixels[0, 0, 0]) == 100


def test_a_wide_picture_is_scaled_to_cover_and_cropped_in_the_centre(tmp_path):
    wide = np.zeros((100, 300, 3), np.uint8)
    wide[:, :100], wide[:, 100:200], wide[:, 200:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    s = source(tmp_path / "wide.png")
    s.open()
    pixels = s.read().pixels
    assert pixels.shape == (40, 40, 3)
    assert np.abs(pixels[:, 2:-2].astype(int) - (0, 255, 0)).max() <= 3


def test_a_phone_picture_stands_upright_and_transparency_is_over_black(tmp_path):
    lying = np.zeros((40, 40, 3), np.uint8)
    lying[:, :20] = 255
    image = Image.fromarray(lying)
    exif = image.getexif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    image.save(tmp_path / "phone.png", exif=exif)
    s = source(tmp_path / "phone.png")
    s.open()
    upright = s.read().pixels
    assert upright[:15].min() > 240
    assert upright[25:].max() < 15

    Image.new("RGBA", (40, 40), (255, 200, 100, 128)).save(tmp_path / "glass.png")
    s = source(tmp_path / "glass.png")
    s.open()
    assert s.read().pixels[5, 5].tolist() == pytest.approx([128, 100, 50], abs=2)


def test_sixteen_bit_grey_keeps_its_levels(tmp_path):
    Image.fromarray(np.full((40, 40), 32768, np.uint16)).save(tmp_path / "deep.png")
    s = source(tmp_path / "deep.png")
    s.open()
    assert int(s.read().pixels[0, 0, 0]) == pytest.approx(128, abs=1)


def test_a_broken_picture_is_skipped_and_named_once(tmp_path):
    Image.new("L", (40, 40), 50).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    Image.new("L", (40, 40), 90).save(tmp_path / "c.png")
    notices = Notices(ManualClock())
    s = source(tmp_path, notices=notices)
    s.open()
    assert [int(s.read().pixels[0, 0, 0]) for _ in range(6)] == [50, 90, 90, 50, 90, 90]
    assert [n.text for n in notices.recent] == ["b.png is skipped: it is not a picture this can read"]


def test_nothing_readable_is_a_fault_in_words(tmp_path):
    (tmp_path / "b.png").write_bytes(b"no")
    with pytest.raises(SourceFailed, match="no picture in it can be read"):
        source(tmp_path).open()
