"""How many of the CPU's threads torch computes with. It counts them for each thread of the process apart, so that it
is said on the thread that plays."""

import torch

# Two pools of threads that wait by spinning take the cores from each other; what torch does beside another is small.
BESIDE = 1


class _Own:
    """What torch had before it first stepped back; None while it never did."""

    threads: int | None = None


def use(threads: int | None) -> None:
    """Compute with so many threads on this thread, and on those that start later; None: with torch's own number, where
    it had stepped back."""
    now = torch.get_num_threads()
    if threads is not None and _Own.threads is None:
        _Own.threads = now
    if threads is None:
        threads = _Own.threads if now == BESIDE else now
    if threads is not None and threads != now:
        torch.set_num_threads(threads)
