"""What comes in at a show that plays on this machine already, as the show tells its page: a port has one owner."""

import contextlib
import http.client
import json
import os
import queue
import threading
from typing import Any, NamedTuple

from .core.events import Event
from .core.explaining import Hit
from .core.plain import from_arguments

_PATH = "/api/v1/session/events"
# The show says how it is twice a second.
_PATIENCE = 5.0
# Where a show finds the token that it asks for, and who follows it the one to show.
TOKEN_VARIABLE = "CLAVILUX_TOKEN"


class Row(NamedTuple):
    """A message, what a show played by it (None: there is no show), and what may have been meant by an address that
    is nowhere."""

    event: Event
    hits: list[Hit] | None = None
    near: str | None = None


class NotFollowed(OSError):
    """There is no show at that port, or it lets nobody in; the message says which."""


class FollowedShow:
    """The messages of a show whose HTTP port is `port`, newest of each control, with what they played there.

    `rows` gives what came since the last call; `ended` is set when the show is over. Raises NotFollowed.
    """

    def __init__(self, host: str, port: int) -> None:
        self.ended = threading.Event()
        self._rows: queue.SimpleQueue[Row] = queue.SimpleQueue()
        self._connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
        token = os.environ.get(TOKEN_VARIABLE)
        headers = {"Accept": "text/event-stream"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            self._connection.request("GET", _PATH, headers=headers)
            self._answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as e:
            raise NotFollowed(str(e)) from None
        if self._answer.status == 401:
            raise NotFollowed(f"the show there asks for its token: set {TOKEN_VARIABLE}")
        if self._answer.status != 200 or "event-stream" not in self._answer.headers.get("content-type", ""):
            raise NotFollowed("what answers there is no show")
        threading.Thread(target=self._read, name="following", daemon=True).start()

    def rows(self) -> list[Row]:
        """What came in since the last call, in order."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._rows.get_nowait())
        return found

    def close(self) -> None:
        self.ended.set()
        self._connection.close()

    def _read(self) -> None:
        kind = ""
        try:
            for raw in self._answer:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "activity":
                    for row in json.loads(line[6:]):
                        self._rows.put(_message(row))
                if self.ended.is_set():
                    break
        except (OSError, ValueError, KeyError, TypeError, AttributeError, http.client.HTTPException):
            # It ended in the middle of a line, or speaks another version's words.
            pass
        self.ended.set()


def _message(row: dict[str, Any]) -> Row:
    sender = row.get("sender")
    event = Event(
        float(row["t"]), row["port"], row["address"], from_arguments(row["args"]), tuple(sender) if sender else None
    )
    return Row(event, [Hit(h["by"], h["what"], h["value"], h["asleep"]) for h in row["hits"]], row.get("near"))
