"""A tiny diffusers folder written as one file with the names that single files have: the way back of the converter."""

import re
from pathlib import Path

from safetensors.torch import load_file, save_file

RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
OUTSIDE = {
    "conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0", "conv_out": "out.2",
}  # fmt: skip


def unet_name(name: str) -> str:
    """For two blocks of one layer each."""
    for mine, theirs in OUTSIDE.items():
        if name.startswith(mine + "."):
            return theirs + name.removeprefix(mine)
    if found := re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.*)", name):
        way, block, kind, layer, rest = found.groups()
        i, j = int(block), int(layer)
        if kind == "downsamplers":
            return f"input_blocks.{2 * i + 2}.0.op{rest.removeprefix('conv')}"
        if kind == "upsamplers":
            return f"output_blocks.{2 * i + 1}.{2 if i == 0 else 1}.{rest}"
        home = f"input_blocks.{2 * i + 1 + j}" if way == "down" else f"output_blocks.{2 * i + j}"
        return f"{home}.{1 if kind == 'attentions' else 0}.{_resnet(rest) if kind == 'resnets' else rest}"
    kind, layer, rest = re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name).groups()
    return (
        f"middle_block.{1 if kind == 'attentions' else 2 * int(layer)}.{_resnet(rest) if kind == 'resnets' else rest}"
    )


def _resnet(rest: str) -> str:
    first, _, last = rest.rpartition(".")
    return f"{RESNET[first]}.{last}"


def vae_name(name: str) -> str:
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"up.{3 - int(m[1])}.block.{m[2]}", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{3 - int(m[1])}.upsample", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    name = name.replace("mid_block.attentions.0", "mid.attn_1")
    for mine, theirs in {"to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out", "group_norm": "norm"}.items():
        name = name.replace(f"attn_1.{mine}.", f"attn_1.{theirs}.")
    return name


def write(folder: Path, file: Path) -> None:
    """`folder`: an SD 1.5-like one of `families`."""
    rows = {}
    for name, tensor in load_file(folder / "unet" / "diffusion_pytorch_model.safetensors").items():
        rows[f"model.diffusion_model.{unet_name(name)}"] = tensor
    for name, tensor in load_file(folder / "vae" / "diffusion_pytorch_model.safetensors").items():
        theirs = vae_name(name)
        flat = "attn_1" in theirs and tensor.ndim == 2
        rows[f"first_stage_model.{theirs}"] = tensor[:, :, None, None].contiguous() if flat else tensor
    for name, tensor in load_file(folder / "text_encoder" / "model.safetensors").items():
        inner = name if name.startswith("text_model.") else f"text_model.{name}"
        rows[f"cond_stage_model.transformer.{inner}"] = tensor
    save_file(rows, file)
