"""The UNets with more inputs that a show needs: one for each set of kinds, built while the picture goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..core.notices import Notices
from .attempt import Attempt
from .extended import BANK, CONTROL, IMAGE, ExtendedUnet, cross_attentions, skip_shapes
from .lora import skeleton
from .worker import Worker

CALLED = {BANK: "the attention bank", CONTROL: "ControlNets", IMAGE: "IP-Adapters"}
Kinds = frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A network of these kinds, and the UNet's bare bones, by which its inputs are measured."""

    kinds: Kinds
    network: ExtendedUnet
    bones: Any

    @property
    def looks(self) -> tuple[int, ...]:
        """How wide keys and values of each cross-attention are."""
        return tuple(int(layer.to_k.out_features) for _, layer in cross_attentions(self.bones))

    def skips(self, x_t: Tensor) -> list[tuple[int, ...]]:
        """The shapes of what ControlNets add to a call with latents x_t."""
        return skip_shapes(self.bones, x_t)


class Extensions:
    """For the render thread; networks are built on `builder` by `make`. `unet` gives the UNet's config."""

    def __init__(
        self,
        make: Callable[[Kinds], ExtendedUnet] | None,
        unet: Callable[[], dict[str, Any]],
        builder: Worker,
        notices: Notices,
    ) -> None:
        self._make, self._unet, self._builder, self._notices = make, unet, builder, notices
        self._bones: Any = None
        self._attempts: dict[Kinds, Attempt[Built]] = {}
        # What can count now: something that plays in a frame stays among them as long as it is wanted.
        self.kinds: Kinds = frozenset()
        # Whether a network that is wanted was being built when it was last looked for.
        self.pending = False

    def again(self) -> None:
        """What steers is named anew: networks that could not be had are tried again."""
        for attempt in self._attempts.values():
            attempt.again()

    def turn(self, coming: Kinds, likely: Kinds, t: float) -> Kinds:
        """Which of the kinds that are `coming` can count at moment `t`, in seconds; a network for all of them is begun,
        and after it one for those that are `likely` to come."""
        wanted = [kinds for kinds in dict.fromkeys((coming, likely)) if kinds]
        there = [self._begun(kinds).there(t) for kinds in wanted]
        self.pending = any(self._attempts[kinds].pending for kinds in wanted)
        if coming and not there[0] and self._attempts[coming].fault is not None:
            for kind in sorted(coming):
                self._begun(frozenset({kind})).there(t)
        kept = self.kinds & coming
        found = [kinds & coming for kinds, attempt in self._attempts.items() if attempt.made and kept <= kinds]
        self.kinds = max(found, key=len, default=frozenset())
        return self.kinds

    def ready(self, kind: str) -> bool:
        """Whether this kind counts now, or could from the next frame on."""
        both = self.kinds | {kind}
        return any(attempt.made and both <= kinds for kinds, attempt in self._attempts.items())

    def nearest(self, kinds: Kinds) -> Built:
        """The smallest network that takes at least these `kinds`, which can all count now."""
        found = [known for known, attempt in self._attempts.items() if attempt.made and kinds <= known]
        return self._attempts[min(found, key=len)].value

    def _begun(self, kinds: Kinds) -> Attempt[Built]:
        if kinds not in self._attempts:
            words = " and ".join(CALLED[kind] for kind in sorted(kinds))
            self._attempts[kinds] = Attempt(
                self._builder, lambda: self._built(kinds), self._notices, f"steering:{'-'.join(sorted(kinds))}", words,
                "cannot be had, the picture goes on without",
            )  # fmt: skip
        return self._attempts[kinds]

    def _built(self, kinds: Kinds) -> Built:
        """On the builder."""
        assert self._make is not None
        if self._bones is None and kinds - {BANK}:
            self._bones = skeleton(self._unet())
        return Built(kinds, self._make(kinds), self._bones)
