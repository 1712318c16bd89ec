"""Guidance without its burn: a guided estimate gets back the spread that it has unguided.

Guidance above 1 adds contrast at every step until values pile up at both ends of the range. Lin et al. 2024 ("Common
Diffusion Noise Schedules and Sample Steps are Flawed", arXiv:2305.08891, equations 14 to 16) scale the guided result so
that its standard deviation over a sample is the conditional one's, and mix: share * scaled + (1 - share) * guided.

Here the estimate of x_0 is what is scaled, not the network's prediction, for it alone is sound at every timestep:

- at full noise a v prediction is -x_0, so the two are one there, as in the paper's own models; an epsilon prediction is
  nearly all noise, and leaving out a share q of it puts q sigma / alpha of noise into x_0: 15 q with Stable Diffusion;
- towards no noise the residual kinds' prediction grows as 1 / sigma, and v turns into noise; both estimates of x_0 turn
  into x_t, the ratio into 1, and a noise_scale that sinks to 0 has no seam.
"""

import torch
from torch import Tensor

# Far below the spread of any picture's latents: two flat estimates are left as they are.
FLAT = 1e-6

Weight = Tensor | float


def rescaled(
    denoised: Tensor, x_t: Tensor, e_c: Tensor, weights: tuple[Weight, Weight], share: float, colours: bool = False
) -> Tensor:
    """`denoised` (N,C,h,w), guided, with `share` 0..1 of the way to the spread that it would have without guidance.

    `weights`: those of x_t and of the conditional prediction `e_c` in the unguided estimate, numbers or (N,1,1,1).
    `colours`: each channel's mean goes the same share of its way too. It is for guidance away from the input itself,
    which else turns light into dark and every hue into its opposite; away from a negative prompt that is what is asked.
    """
    plain = x_t * weights[0] + e_c * weights[1]
    if not colours:
        return (denoised * _factor(denoised, plain, share)).to(denoised.dtype)
    mean, goal = (x.float().mean((2, 3), keepdim=True) for x in (denoised, plain))
    forms = denoised - mean
    return (forms * _factor(forms, plain - goal, share) + torch.lerp(mean, goal, share)).to(denoised.dtype)


def _factor(guided: Tensor, plain: Tensor, share: float) -> Tensor:
    """(N,1,1,1): what brings the spread of `guided` so far towards that of `plain`."""
    return 1.0 + share * ((_spread(plain) + FLAT) / (_spread(guided) + FLAT) - 1.0)


def _spread(x: Tensor) -> Tensor:
    """(N,1,1,1): the standard deviation but for the root of the number of values, the same in a ratio; `std` itself
    takes twenty times as long on a CPU. Single precision: a standing picture would flicker by a factor's rounding."""
    x = x.float()
    return torch.linalg.vector_norm(x - x.mean((1, 2, 3), keepdim=True), dim=(1, 2, 3), keepdim=True)
