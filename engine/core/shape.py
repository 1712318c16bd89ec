"""How a picture is fitted, turned and mirrored on its way in or out, and what else a show says of a source or sink."""

from dataclasses import dataclass
from typing import Literal

Fit = Literal["fill", "fit", "stretch", "crop"]
FITS = ("fill", "fit", "stretch", "crop")
MIRRORS = ("none", "horizontal", "vertical", "both")
TURNS = (0, 90, 180, 270)
FILTERS = ("bicubic", "lanczos", "bilinear", "nearest")
RANGES = ("auto", "full", "studio")
ENCODERS = ("software", "hardware")


@dataclass(frozen=True, slots=True)
class Shape:
    """Turned first (`rotate` degrees clockwise), then mirrored, then fitted.

    `fit`: fill covers the frame and cuts off the rest, fit shows all with black bars, stretch ignores the aspect,
    crop takes the middle pixel for pixel. `mirror`: none, horizontal (left and right change places), vertical,
    both. `filter`: bicubic, lanczos, bilinear, nearest, or a performer's own (see enlarging). `range`: of YUV
    pictures; auto believes what the file says.
    """

    fit: Fit = "fill"
    mirror: str = "none"
    rotate: int = 0
    filter: str = "bicubic"
    range: str = "auto"

    @property
    def turned(self) -> bool:
        """Does it rotate or mirror?"""
        return self.rotate != 0 or self.mirror != "none"


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a show says of its source. `fps`: a file's rate in place of its own, a camera's wish; `format` and `picture`
    (width, height): the rest of a camera's. `start`: seconds into a file. `loop`: begin again at the end, or hold the
    last frame. `fade`: seconds of a crossfade between sources. `fallback`: the source seen while this one is gone.
    `warm`: sources kept running for a quick switch.
    """

    shape: Shape = Shape()
    fps: float | None = None
    format: str = ""
    picture: tuple[int, int] | None = None
    start: float = 0.0
    loop: bool = True
    fade: float = 1.0
    patience: float = 2.0
    fallback: str | None = None
    warm: tuple[str, ...] = ()


PLAIN = SourceOptions()


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """What a show says of a sink. `size` (width, height) and `fps` where they differ from the show's; `fullscreen`,
    `monitor` (from 0), `vsync`, `cursor` (seen in full screen), `aspect` (a Fit) and `enlarge` (a filter; bilinear and
    nearest are the graphics card's, every other one takes the processor's time) are the window's, `encoder` the
    recording's and the stream's, `bitrate` (kilobits a second) the stream's.
    """

    shape: Shape = Shape()
    size: tuple[int, int] | None = None
    fps: float | None = None
    fullscreen: bool = False
    monitor: int = 0
    vsync: bool = True
    cursor: bool = False
    aspect: Fit = "fit"
    enlarge: str = "bilinear"
    encoder: str = "software"
    bitrate: int = 4000


PLAIN_SINK = SinkOptions()
