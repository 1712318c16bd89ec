"""Step lists as indices into a timestep table, and what becomes of them when the table changes its length."""

from collections.abc import Sequence


def clamped(t_index_list: Sequence[int], n: int) -> tuple[int, ...]:
    """Each index of a table of length `n`: min(index, n - 1), as StreamDiffusion does it."""
    return tuple(min(max(int(i), 0), n - 1) for i in t_index_list)


def rescaled(t_index_list: Sequence[int], was: int, n: int) -> tuple[int, ...]:
    """Indices of a table of length `was` at the same relative places of one of length `n`."""
    return clamped([round(i * n / max(was, 1)) for i in t_index_list], n)


def fits(asked: Sequence[int], kept: Sequence[int], steps: int) -> str:
    """What is said where a list was fitted into a table of `steps` timesteps."""
    return f"t_index_list {list(asked)} becomes {list(kept)} in {steps} steps"
