"""Between two tensors, and among several: straight lines and arcs."""

from collections.abc import Sequence

import torch
from torch import Tensor

SMALL_ANGLE = 1e-4


def lerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """`share` of the straight way from a to b; exactly a at 0 and b at 1."""
    return b.clone() if share == 1.0 else torch.lerp(a, b, share)


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """`share` of the arc from a to b, vector by vector on the last dimension (Shoemake 1985).

    Vectors that are parallel, opposite or zero have no arc of their own: there it is the straight line.
    """
    if share in (0.0, 1.0):
        return (b if share else a).clone()
    norms = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
    cosine = (a * b).sum(-1, keepdim=True) / norms.clamp_min(1e-12)
    angle = torch.arccos(cosine.clamp(-1.0, 1.0))
    straight = (norms < 1e-12) | (angle < SMALL_ANGLE) | (angle > torch.pi - SMALL_ANGLE)
    sine = torch.where(straight, torch.ones_like(angle), torch.sin(angle))
    arc = (torch.sin((1.0 - share) * angle) * a + torch.sin(share * angle) * b) / sine
    return torch.where(straight, torch.lerp(a, b, share), arc)


def between(a: Tensor, b: Tensor, share: float, method: str) -> Tensor:
    """`lerp` or `slerp` by name."""
    return slerp(a, b, share) if method == "slerp" else lerp(a, b, share)


def shares(weights: Sequence[float], normalize: bool = True) -> tuple[float, ...]:
    """Weights to sum 1; all zero counts as equal. With `normalize` off they stay as they are, unless all are zero."""
    total = float(sum(weights))
    if total <= 0.0:
        return tuple(1.0 / len(weights) for _ in weights)
    return tuple(w / total for w in weights) if normalize else tuple(float(w) for w in weights)


def blend(tensors: Sequence[Tensor], weights: Sequence[float], method: str) -> Tensor:
    """Several tensors by weight. Arcs are taken pairwise, each new tensor against what is blended so far.

    Linear keeps the sum of the weights as its scale; slerp blends by their ratios and scales by the sum.
    """
    kept = [(x, w) for x, w in zip(tensors, weights, strict=True) if w != 0.0]
    if len(kept) == 1:
        x, w = kept[0]
        return x if w == 1.0 else x * w
    if method != "slerp":
        out = kept[0][0] * kept[0][1]
        for x, w in kept[1:]:
            out = out.add_(x, alpha=w)
        return out
    out, so_far = kept[0]
    for x, w in kept[1:]:
        so_far += w
        out = slerp(out, x, w / so_far)
    return out if abs(so_far - 1.0) < 1e-9 else out * so_far
