"""The ports of `monitor` and `learn`: their own, or those of the show that plays on this machine and has them."""

import argparse
from collections.abc import Iterable, Sequence

from ..io.dmx import DmxPort
from ..io.midi import MidiPorts
from ..io.osc import OscPort, PortUnavailable
from .core.bindings import Binding
from .core.clock import Clock
from .core.events import Inbox
from .core.notices import Notices
from .following import FollowedShow, NotFollowed, Row


class Ears:
    """Opens what `options` (osc, host, midi) ask for; where a show has the OSC port, hears that show instead, with its
    MIDI. Raises PortUnavailable."""

    def __init__(
        self, options: argparse.Namespace, clock: Clock, notices: Notices, bindings: Iterable[Binding] = ()
    ) -> None:
        self._clock = clock
        self._inbox = Inbox()
        self.show: FollowedShow | None = None
        ports = {"clock": clock, "inbox": self._inbox, "notices": notices}
        self._osc = OscPort(options.osc, options.host, **ports)
        self._midi = MidiPorts(options.midi or ["*"], **ports)
        self._dmx = DmxPort(options.host, **ports)
        try:
            self._osc.start()
        except PortUnavailable as e:
            self.show = self._followed(options, e)
            self.words = f"listening with the show that plays on port {options.osc}: its ports, its rows, its banks"
            return
        self._midi.start()
        self._dmx.follow(bindings)
        self.words = f"listening: OSC on UDP port {self._osc.port}, MIDI {', '.join(options.midi or ['*'])}"

    @property
    def lost(self) -> int:
        """Messages that came and could not be taken, so far."""
        return self._osc.lost + self._inbox.lost

    def ports(self) -> list[str]:
        """The labels of the MIDI inputs that are open here."""
        return self._midi.opened

    @property
    def ended(self) -> bool:
        """Is the show that was listened to over?"""
        return self.show is not None and self.show.ended.is_set()

    def heard(self) -> Sequence[Row]:
        """What came in since the last call, in order."""
        return [Row(event) for event in self._inbox.drain()] if self.show is None else self.show.rows()

    def close(self) -> None:
        """Close everything that was opened."""
        if self.show is not None:
            self.show.close()
            return
        self._midi.stop()
        self._dmx.stop()
        self._osc.stop()

    def _followed(self, options: argparse.Namespace, busy: PortUnavailable) -> FollowedShow:
        try:
            return FollowedShow(options.host, options.osc)
        except NotFollowed as e:
            why = f"; {e}" if "token" in str(e) else ""
            raise PortUnavailable(f"{str(busy).replace('--port', '--osc')}{why}") from None
