"""Muon for hidden weights, AdamW for the rest: on two cores the fewest seconds to a given loss that we measured.

Muon: Jordan et al. 2024. Orthogonalisation by the polynomials of Polar Express (Amsel et al. 2025). Tall matrices are
cut in blocks of rows as in blockwise Muon (Khaled et al. 2025), because the cost grows with the shorter side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .run import native_bf16

POLYNOMIALS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
)


def orthogonal(stack: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrices, roughly, of a stack BxRxC with R <= C."""
    x = (stack / (stack.norm(dim=(-2, -1), keepdim=True) * 1.02 + 1e-7)).to(
        torch.bfloat16 if native_bf16() else stack.dtype
    )
    for a, b, c in POLYNOMIALS:
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.to(stack.dtype)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, scaled to the size of an AdamW update (0.2 sqrt of the longer side)."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 2e-3,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        block: int = 64,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "block": block})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update; matrices of one shape go through the polynomials together."""
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            for p in moved:
                if "speed" not in self.state[p]:
                    self.state[p]["speed"] = torch.zeros_like(p)
            grads, speeds = [p.grad for p in moved], [self.state[p]["speed"] for p in moved]
            torch._foreach_lerp_(speeds, grads, 1 - group["momentum"])
            updates = torch._foreach_lerp(grads, speeds, group["momentum"])
            torch._foreach_mul_(moved, 1 - group["lr"] * group["weight_decay"])
            shapes: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for p, update in zip(moved, updates, strict=True):
                flat = update.flatten(1)
                shapes[tuple(flat.shape)].append((p, flat))
            for (rows, columns), pairs in shapes.items():
                self._apply(pairs, rows, columns, group)

    def _apply(self, pairs: list[tuple[Tensor, Tensor]], rows: int, columns: int, group: dict) -> None:
        stack = torch.stack([update for _, update in pairs])
        flip = rows > columns
        if flip:
            stack = stack.mT
        short = stack.shape[1]
        parts = -(-short // group["block"])
        if short % parts:
            parts = 1
        blocks = stack.reshape(len(pairs) * parts, short // parts, stack.shape[2])
        made = orthogonal(blocks).reshape(stack.shape)
        if flip:
            made = made.mT
        scale = 0.2 * max(rows, columns) ** 0.5
        params = [p for p, _ in pairs]
        steps = [update.reshape(p.shape) for p, update in zip(params, made, strict=True)]
        torch._foreach_add_(params, steps, alpha=-group["lr"] * scale)


class Pair:
    """Muon and AdamW behind one face; ``rate`` in 0..1 scales both learning rates."""

    def __init__(self, module: nn.Module, edges: tuple[str, ...], muon: float = 2e-3, adam: float = 1e-3) -> None:
        hidden, rest = [], []
        for name, p in module.named_parameters():
            (rest if p.ndim < 2 or any(edge in name for edge in edges) else hidden).append(p)
        self.peaks = (muon, adam)
        self.both = (Muon(hidden, muon), torch.optim.AdamW(rest, adam, betas=(0.9, 0.98), weight_decay=0.01))

    def step(self, rate: float) -> None:
        """Update with both learning rates scaled, then clear the gradients."""
        for optimizer, peak in zip(self.both, self.peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict]:
        return [optimizer.state_dict() for optimizer in self.both]

    def load_state_dict(self, states: list[dict]) -> None:
        for optimizer, state in zip(self.both, states, strict=True):
            optimizer.load_state_dict(state)
