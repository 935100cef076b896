"""The live messages of a leaderboard of several processes: what one takes, the others take too. Called by service.py.

A note says what happened, as text that whoever connects the processes passes on; alone, a process needs nobody.
"""

import contextlib
import json
import logging
import secrets
from collections.abc import Callable

from leaderboard.core.live.newest import TooOften
from leaderboard.live_races.feeds import MemoryFeeds, TrackPicture
from shared.errors import BadInput
from shared.protocol.live import LiveMessage, decode_live, encode_live

_NOTE = "#live "  # no id of a race begins so
_LOG = logging.getLogger("leaderboard")


def _alone(_note: str) -> None:
    """Nobody else hears of it."""


class SharedFeeds:
    """As `LiveFeeds`, in this process's memory. Safe to call from any thread."""

    def __init__(self) -> None:
        self._memory, self._own = MemoryFeeds(), secrets.token_hex(8)
        self._publish: Callable[[str], None] = _alone

    def share(self, publish: Callable[[str], None]) -> None:
        """From now on `publish` gets a note of what is taken here; it never raises."""
        self._publish = publish

    def receive(self, note: str, now_utc_ns: int) -> bool:
        """Take what a note says, unless it is an own one; False if it is no note of live messages."""
        if not note.startswith(_NOTE):
            return False
        try:
            content = json.loads(note.removeprefix(_NOTE))
            if content["by"] != self._own:
                self._receive(content["race_id"], content["sender"], content["message"], now_utc_ns)
        except (ValueError, KeyError, TypeError, BadInput) as error:
            _LOG.warning("a live message from another process cannot be read: %s", error)
        return True

    def _receive(self, race_id: str, sender: str, message: str, now_utc_ns: int) -> None:
        if not message:
            self._memory.forget(race_id)
            return
        with contextlib.suppress(TooOften):  # it came bunched up: the next one follows within a fraction of a second
            self._memory.take(sender, decode_live(message.encode()), now_utc_ns)

    def watch(self, watcher: Callable[[str], None]) -> None:
        """As `LiveFeeds.watch`, also for what other processes took."""
        self._memory.watch(watcher)

    def take(self, sender: str, message: LiveMessage, now_utc_ns: int) -> bool:
        """As `LiveFeeds.take`."""
        newest = self._memory.take(sender, message, now_utc_ns)
        if newest:
            self._note(message.race_id, sender, encode_live(message).decode())
        return newest

    def picture(self, race_id: str, racer: str) -> TrackPicture | None:
        """As `LiveFeeds.picture`."""
        return self._memory.picture(race_id, racer)

    def forget(self, race_id: str) -> None:
        """As `LiveFeeds.forget`, in every process."""
        self._memory.forget(race_id)
        self._note(race_id)

    def _note(self, race_id: str, sender: str = "", message: str = "") -> None:
        content = {"by": self._own, "race_id": race_id, "sender": sender, "message": message}
        self._publish(_NOTE + json.dumps(content, ensure_ascii=False, separators=(",", ":")))
