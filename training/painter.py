"""Pictures out of a trained UNet and autoencoder, the way the engine steps through them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from clavilux.engine.diffusion.family import Defaults
from clavilux.engine.diffusion.noise import alike
from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import Tensor

from .export import CLAVILUX
from .model import LATENT_CHANNELS, Schedule, decode, encode, load_unet, load_vae
from .run import layout, seeded
from .sample import Text, few_steps, lcm_times, trajectory
from .text import TextEncoder

STEPS = {1: [0], 2: [0, 20], 4: [0, 8, 14, 20]}
BATCH = 16
RESCALE = float(CLAVILUX["guidance_rescale"])
"""As the model opens in the engine."""
PLAYED = Defaults(same_noise=tuple(CLAVILUX["same_noise"]))


def to_bytes(pixels: Tensor) -> np.ndarray:
    """Bx3xHxW in [-1, 1] to BxHxWx3 uint8."""
    return ((pixels.permute(0, 2, 3, 1) + 1) * 127.5).round().clamp(0, 255).byte().numpy()


@lru_cache(1)
def encoder() -> TextEncoder:
    """The text encoder, loaded once."""
    return TextEncoder()


@dataclass
class Painter:
    """A UNet and an autoencoder; ``steps`` is 1, 2 or 4, or 0 for the teacher's solver with guidance 2.5."""

    unet: UNet2DConditionModel
    vae: AutoencoderTiny
    size: int = 256
    schedule: Schedule = field(default_factory=Schedule)

    @classmethod
    def load(cls, unet: Path, vae: Path, size: int = 256) -> Painter:
        """From the checkpoints of training.unet or training.distill, and of training.vae."""
        return cls(load_unet(unet).to(memory_format=layout()).eval(), load_vae(vae), size)

    @torch.inference_mode()
    def paint(self, prompts: list[str], seed: int, steps: int, guidance: float = 1.0, negative: str = "") -> np.ndarray:
        """Prompts to pictures Nxsizexsizex3 uint8; picture k depends on its prompt, the seed and k alone.

        ``guidance`` above 1 leads away from ``negative``.
        """
        made = []
        for start in range(0, len(prompts), BATCH):
            text = encoder()(prompts[start : start + BATCH])
            noises = self.noises(len(text[0]), seed + start, steps)
            made.append(self.paint_states(text, noises, steps, guidance, negative))
        return np.concatenate(made)

    def noises(self, count: int, seed: int, steps: int, scale: float = 1.0) -> Tensor:
        """Latent noise of each step (one for the teacher's many), NxBxCxHxW, as much alike as a show's at a
        noise_scale."""
        side, generator = self.size // 8, seeded(seed)
        own = [torch.randn(count, LATENT_CHANNELS, side, side, generator=generator) for _ in range(max(steps, 1))]
        return alike(torch.stack(own), PLAYED.likeness(scale))

    @torch.inference_mode()
    def paint_states(
        self, text: Text, noises: Tensor, steps: int, guidance: float = 1.0, negative: str = ""
    ) -> np.ndarray:
        """The same from text states and each step's given noise."""
        null = encoder()([negative])
        if steps:
            times = lcm_times(STEPS[steps])
            latents = few_steps(self.unet, self.schedule, text, times, noises, None, null, guidance, RESCALE)
        else:
            begin = torch.full((noises.shape[1],), 999.0)
            latents = trajectory(self.unet, self.schedule, noises[0], begin, text, null, 2.5)[1]
        return to_bytes(decode(self.vae, latents))

    @torch.inference_mode()
    def repaint(self, photo: np.ndarray, prompt: str, scale: float, steps: int = 2) -> np.ndarray:
        """A photograph under a prompt at a noise_scale, as the instrument's knob does it."""
        source = encode(self.vae, torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1)
        times = lcm_times(STEPS[steps], scale)
        noises = self.noises(1, 2, steps, scale)
        latents = few_steps(self.unet, self.schedule, encoder()([prompt]), times, noises, source)
        return to_bytes(decode(self.vae, latents))[0]
