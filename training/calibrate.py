"""How far the inputs of each convolution reach: ``python -m training.calibrate --folder engine/embedded``.

Runs the exported model over prompts, noise levels and photographs, and writes ``ranges.json`` for integer kernels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from clavilux.engine.diffusion.parts import Decoder, Denoiser, Encoder, load_unet, load_vae
from clavilux.engine.diffusion.quantize import measuring, save_ranges

from .model import PIXEL_SHUFFLE, Schedule
from .painter import encoder as text_encoder
from .photos import square, training_photos
from .pictures import CONCEPTS, make_picture
from .run import seeded

LEAVE_OUT = ("unet.conv_in", "unet.conv_out")
LEVELS = (999.0, 800.0, 600.0, 400.0, 200.0, 80.0)


@torch.inference_mode()
def calibrate(folder: Path, size: int = 256, count: int = 24) -> None:
    """Measure on ``count`` generated pictures and on photographs; a network's own answers are part of what it meets."""
    unet, vae = Denoiser(load_unet(folder)), load_vae(folder / "vae")
    encode, decode = Encoder(vae, PIXEL_SHUFFLE), Decoder(vae, PIXEL_SHUFFLE)
    schedule, names = Schedule(), list(CONCEPTS)
    pictures = [make_picture(800_000_000 + k, size, names[k * 7 % len(names)]) for k in range(count)]
    photos = [square(photo, size) for photo in training_photos()[:8]]
    sources = [(picture.pixels, picture.caption) for picture in pictures] + [(photo, "") for photo in photos]
    with (
        measuring(unet, LEAVE_OUT) as in_unet,
        measuring(encode) as in_encoder,
        measuring(decode) as in_decoder,
    ):
        for k, (pixels, words) in enumerate(sources):
            clean = encode(torch.from_numpy(pixels.copy())[None])
            states, pooled = text_encoder()([words])
            noise = torch.randn(clean.shape, generator=seeded(k))
            for level in LEVELS:
                t = torch.tensor([level])
                alpha, sigma = schedule(t)
                x_t = alpha * clean + sigma * noise
                made = alpha * x_t - sigma * unet(x_t, t, states, pooled)
                if level in (999.0, 400.0):
                    decode(made)
            decode(clean)
    halves = {  # both halves hold the whole autoencoder
        half: {name: reach for name, reach in ranges.items() if name.startswith(f"vae.{half}.")}
        for half, ranges in (("encoder", in_encoder), ("decoder", in_decoder))
    }
    save_ranges(folder, {"unet": in_unet, **halves})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("engine/embedded"))
    calibrate(parser.parse_args().folder)


if __name__ == "__main__":
    main()
