"""What is set and acts on nothing, said in words when it comes."""

from ..core.notices import Notices
from ..core.table import TABLE

# Kinds of guidance that never read the negative prompt.
DEAF = ("none", "self")


class Idle:
    """`usual`: the guidance that the model opens with, which nobody asked for."""

    def __init__(self, notices: Notices, usual: float) -> None:
        self._notices = notices
        self._usual = (usual, TABLE["guidance_scale"].default)
        self._guided: tuple[str, float] | None = None
        self._negative = ("", "")

    def hear(self, kind: str, guidance: float, negative: str) -> None:
        """The kind of guidance, its scale and the negative prompt of one frame."""
        guided, before = (kind, guidance), self._guided
        self._guided = guided
        asked = before is not None or guidance not in self._usual
        if guided != before and asked and kind == "none" and guidance > 1.0:
            self._notices.say("guidance", "guidance_scale above 1 has no effect: cfg_type is none")
        if (kind, negative) != self._negative and negative and kind in DEAF:
            self._notices.say(
                "negative_prompt", f"negative_prompt has no effect: cfg_type is {kind}; full and initialize read it"
            )
        self._negative = (kind, negative)
