"""Train a style: ``python -m training.lora --style ink --run runs/lora-ink``; again to resume.

A LoRA (Hu et al. 2021) for the finished few-step UNet, so that at scale 1 the style appears without being named. Of
each state the frozen model says its answer in one step, as the engine asks it; that picture is decoded, put through the
style's filter and encoded again, and the LoRA learns to answer this instead: the same composition, styled. It also
learns to leave alone what is styled already, because its own first answer is what the second step begins with. So the
few-step behaviour stays what distillation made it, and no guidance is needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor

from .bank import photo_like
from .distill import Curves, draw_starts, huber
from .lora_styles import STYLES, opposite, styled
from .model import Schedule, decode, encode, load_shipped
from .painter import to_bytes
from .photos import training_photos
from .pictures import make_picture
from .run import Run, brief, cosine, seeded
from .sample import Text, consistency
from .text import TextEncoder

NAME = "style"
FORWARD = 0.7
"""Share of the steps that teach the style; the others teach the LoRA at scale -1 its opposite."""
# Convolutions carry texture and colour, the attention's values what each place is made of.
LAYERS = r"(down_blocks|mid_block|up_blocks)\..*\.(conv1|conv2|to_v|to_out\.0)|conv_out"


class Source:
    """Pictures without a style and their captions, painted on the way: a quarter are photographic under the caption of
    something else, as a camera's are."""

    def __init__(self, vae: AutoencoderTiny, text: TextEncoder, size: int, seed: int) -> None:
        self.vae, self.text, self.size, self.seed, self.made = vae, text, size, seed, 0
        self.photos = training_photos()

    @torch.no_grad()
    def batch(self, count: int) -> tuple[Tensor, Text]:
        """Latents and text of the next ``count`` pictures."""
        pixels, captions = [], []
        for _ in range(count):
            rng = np.random.default_rng((self.seed, self.made))
            self.made += 1
            picture = make_picture(int(rng.integers(2**62)), self.size, style="")
            foreign = rng.random() < 0.25
            pixels.append(photo_like(rng, self.size, self.photos) if foreign else picture.pixels)
            captions.append(picture.caption if rng.random() < 0.9 else "")
        return encode(self.vae, to_tensor(np.stack(pixels))), tuple(t.clone() for t in self.text(captions))


def to_tensor(pictures: np.ndarray) -> Tensor:
    """Nxhxwx3 uint8 to Nx3xhxw in [-1, 1]."""
    return torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def pairs(
    unet: UNet2DConditionModel,
    vae: AutoencoderTiny,
    schedule: Schedule,
    style: str,
    clean: Tensor,
    text: Text,
    scale: float,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor, Text]:
    """States, times, targets and texts: each plain state, and one that the styled answer leads to.

    ``scale``: what the LoRA is to be at, 1 for the style or -1 for its opposite.
    """
    t = draw_starts(len(clean), generator)
    alpha, sigma = schedule(t)
    noise = torch.randn(clean.shape, generator=generator)
    x_t = torch.where((t == 999).view(-1, 1, 1, 1), noise, alpha * clean + sigma * noise)
    unet.disable_adapters()
    answer = consistency(unet, schedule, x_t, t, text)
    unet.enable_adapters()
    plain = to_bytes(decode(vae, answer).float())
    target = encode(vae, to_tensor((styled if scale > 0 else opposite)(style, plain)))
    later = t * (0.15 + 0.8 * torch.rand(len(t), generator=generator))
    alpha, sigma = schedule(later)
    after = alpha * target + sigma * noise
    return (
        torch.cat([x_t, after]),
        torch.cat([t, later]),
        target.repeat(2, 1, 1, 1),
        (text[0].repeat(2, 1, 1), text[1].repeat(2, 1)),
    )


def weights_of(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    """The LoRA's own weights, by the names that ``load_lora_adapter`` reads."""
    return get_peft_model_state_dict(unet, adapter_name=NAME)


def export(weights: dict[str, Tensor], out: Path, strength: float = 1.0) -> None:
    """Write a LoRA in half precision; alpha is the rank, so a scale of 1 is ``strength`` of what was trained."""
    out.parent.mkdir(parents=True, exist_ok=True)
    named = {key: v * strength if "lora_B" in key else v for key, v in weights.items()}
    save_file({key: v.half().contiguous() for key, v in named.items()}, out, {"format": "pt"})
    out.chmod(0o644)  # whatever the umask: it ships
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--style", choices=list(STYLES), required=True)
    parser.add_argument("--run", type=Path, help="default: runs/lora-STYLE")
    parser.add_argument("--unet", type=Path, default=Path("engine/embedded/unet"), help="folder or checkpoint")
    parser.add_argument("--vae", type=Path, default=Path("engine/embedded/vae"), help="folder or checkpoint")
    parser.add_argument("--out", type=Path, help="default: engine/embedded/loras/STYLE.safetensors")
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--batch", type=int, default=8, help="pictures a step; two pairs each")
    parser.add_argument("--rank", type=int, default=6)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--strength", type=float, default=1.0, help="what a scale of 1 is, of what was trained")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    unet, vae = load_shipped(args.unet, args.vae)
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=args.rank, lora_alpha=args.rank, target_modules=LAYERS), adapter_name=NAME)
    learned = [p for p in unet.parameters() if p.requires_grad]
    schedule, text = Schedule(), TextEncoder()
    optimizer = torch.optim.AdamW(learned, args.rate, betas=(0.9, 0.98), weight_decay=0.0)
    mean = {key: v.detach().clone() for key, v in weights_of(unet).items()}
    run = Run(args.run or Path(f"runs/lora-{args.style}"), args.minutes * 60, save_every=60)
    if saved := run.resume():
        set_peft_model_state_dict(unet, saved["model"], adapter_name=NAME)
        mean = saved["ema"]
        optimizer.load_state_dict(saved["optimizer"])
    generator = seeded(args.seed + 1 + run.step)
    source, curves = Source(vae, text, args.size, args.seed + run.step), Curves()
    print(f"{sum(p.numel() for p in learned) / 1e3:.0f} thousand parameters, from step {run.step}", flush=True)
    while not run.over:
        clean, words = source.batch(args.batch)
        scale = 1.0 if torch.rand((), generator=generator) < FORWARD else -1.0
        unet.set_adapters([NAME], [scale])
        with brief():
            x_t, t, target, words = pairs(unet, vae, schedule, args.style, clean, words, scale, generator)
            answer = consistency(unet, schedule, x_t, t, words)
        error = huber(answer.float() - target.float())
        _, sigma = schedule(t)
        (error / (sigma.flatten() + 0.15)).mean().backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * cosine(run.progress, 0.5, 0.02) * min(1, (run.step + 1) / 20)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        decay = min(0.98, (1 + run.step) / (10 + run.step))
        for key, value in weights_of(unet).items():
            mean[key].lerp_(value.detach(), 1 - decay)
        curves.add(loss=error.mean())
        save = run.tick()
        if run.step % 20 == 0:
            run.log(**curves.values, rate=run.step * args.batch / run.spent)
        if save or run.over:
            run.save(model=weights_of(unet), ema=mean, optimizer=optimizer.state_dict())
    export(mean, args.out or Path("engine/embedded/loras") / f"{args.style}.safetensors", args.strength)


if __name__ == "__main__":
    main()
