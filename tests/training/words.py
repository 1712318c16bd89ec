"""Random text states, the same at each call."""

import torch


def words(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens Nx24x384 and pooled Nx384."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 24, 384, generator=generator), torch.randn(count, 384, generator=generator)
