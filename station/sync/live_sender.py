"""Tells the leaderboard what happens on the track now, for its live pages. Off unless `[sync] live_feed` is true.

Beside the posting of results, and apart from it: a thread and connections of its own, nothing on the disk, nothing that
waits. Only the newest view is told; what cannot be sent is dropped. Called by commands/station.py; the message is that
of shared/protocol/live.py.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

from shared.config import from_table
from shared.protocol.live import LiveMessage, RunStage, encode_live
from shared.protocol.results import RACES_PATH, PostDeferred
from shared.text import text
from shared.units import NS_PER_MS
from shared.web.http_exchange import HttpExchange, Timeouts
from shared.webhooks import signed_headers
from station.sync.settings import SyncSettings, read_secret
from station.sync.webhook import HttpTransport, WebhookOptions, checked_address, key_of
from station.views.race_views import RunView
from station.views.views import View

BETWEEN_S = 0.25  # at most four a second; the leaderboard takes five
AGAIN_S = 2.0  # while a run is on, also without news: a message is fresh for five seconds
AWAY_S, MAX_AWAY_S = 1.0, 30.0  # after a failure, and at most
_STAGES: dict[str, RunStage] = {"idle": "waiting", "armed": "countdown", "running": "running", "finished": "finished"}
_TIMEOUTS = Timeouts(connect_s=1.0, answer_s=2.0)


class ViewSource(Protocol):
    """What the sender needs of the station."""

    def snapshot(self) -> View:
        """The newest view."""

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        """The newest view once its version is above `version`; None if `timeout_s` goes by without a change."""


def live_message(view: View, boot: str, seq: int) -> LiveMessage | None:
    """What the view says of the track; None without a race or a run."""
    run = view.run
    if view.race is None or run is None or run.phase == "idle":
        return None
    now_ns, running = view.clock.now_ns, run.phase == "running"
    last = run.laps[-1] if run.laps else None
    return LiveMessage(
        race_id=view.race.race_id,
        racer=run.racer,
        boot=boot,
        seq=seq,
        station=view.station,
        stage=_STAGES[run.phase],
        run_ms=_run_ms(run, now_ns),
        lap=run.lap_number,
        lap_ms=_ms(now_ns - run.lap_started_ns) if running and run.lap_started_ns is not None else None,
        last_lap_ms=_ms(last.lap_ns) if last is not None else None,
        best_lap_ms=_ms(run.best_ns) if run.best_ns is not None else None,
        sectors=tuple(None if each.sector_ns is None else _ms(each.sector_ns) for each in run.sectors),
        resets=sum(lap.resets for lap in run.laps) + run.lap_resets,
        left_ms=_ms(run.ends_ns - now_ns) if running and run.ends_ns is not None else None,
    )


def _run_ms(run: RunView, now_ns: int) -> int | None:
    """Since lap 1 began; None while that is not known."""
    if run.lap_started_ns is None or run.phase != "running":
        return None
    driven_ns = sum(lap.lap_ns for lap in run.laps)
    return _ms(now_ns - run.lap_started_ns + driven_ns)


def _ms(value_ns: int) -> int:
    return max(0, value_ns) // NS_PER_MS


class LiveFeedSender:
    """Sends the newest view whenever it has changed, on a thread of its own. `log` gets a sentence once per trouble."""

    def __init__(
        self,
        source: ViewSource,
        transport: HttpTransport,
        key: bytes,
        boot: str,
        log: Callable[[str], None],
        utc_s: Callable[[], float] = time.time,
    ) -> None:
        self._source, self._transport, self._key, self._boot = source, transport, key, boot
        self._log, self._utc_s = log, utc_s
        self._seq = 0
        self._failures = 0
        self._trouble = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-feed", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self) -> None:
        """End within the time of one request; idempotent."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(_TIMEOUTS.connect_s + _TIMEOUTS.answer_s + AGAIN_S)

    def _run(self) -> None:
        view = self._source.snapshot()
        while not self._ending.is_set():
            self._ending.wait(self.send(view))
            running = view.run is not None and view.run.phase == "running"
            newest = self._source.wait_for_change(view.version, AGAIN_S)
            while newest is None and not running and not self._ending.is_set():
                newest = self._source.wait_for_change(view.version, AGAIN_S)
            view = newest or self._source.snapshot()

    def send(self, view: View) -> float:
        """Send what the view says; returns how many seconds to wait before the next."""
        message = live_message(view, self._boot, self._seq + 1)
        if message is None:
            return BETWEEN_S
        self._seq += 1
        body = encode_live(message)
        headers = {"accept": "application/json", "content-type": "application/json", "user-agent": "raceday-live"}
        headers |= signed_headers(self._key, message.webhook_id, self._utc_s(), body)
        path = f"{RACES_PATH}/{quote(message.race_id, safe='')}/live"
        reply = self._transport.request("POST", path, headers, body)
        if isinstance(reply, PostDeferred):
            return self._failed(reply.reason)
        if reply.status == 200:
            self._failures, self._trouble = 0, ""
            return BETWEEN_S
        return self._failed(text("The leaderboard answered {status} to the live feed.", status=reply.status))

    def _failed(self, why: str) -> float:
        if why != self._trouble:
            self._trouble = why
            self._log(text("live feed: {why} Results are posted as ever.", why=why))
        self._failures += 1
        bound_s = min(MAX_AWAY_S, AWAY_S * 2 ** min(self._failures - 1, 10))
        return random.uniform(bound_s / 2, bound_s)  # so that stations do not come back all at once


def live_sender(
    settings: SyncSettings, source: ViewSource, boot: str, log: Callable[[str], None]
) -> LiveFeedSender | None:
    """The sender that `[sync]` asks for, not started; None if it asks for none. Raises ConfigError."""
    if not settings.live_feed or not settings.leaderboard_url:
        return None
    options = from_table(settings.options, WebhookOptions, source="[sync.options]")
    address = checked_address(settings.leaderboard_url, allow_plain_http=options.allow_plain_http)
    transport = HttpExchange(address, _TIMEOUTS, options.ca_file)
    return LiveFeedSender(source, transport, key_of(read_secret(settings)), boot, log)
