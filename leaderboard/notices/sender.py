"""Sends what waits in the outboxes: a thread beside the server; each step is one attempt for each receiver.

At least once: an attempt is claimed in the store before it leaves, so that only one process makes it; if that process
dies, the notice is due again after CLAIM_S under the same webhook-id. In order: a receiver gets the next notice when
it took the one before.
"""

import logging
import threading
from collections.abc import Callable
from urllib.parse import urlunsplit

from leaderboard.config import NoticeSettings
from leaderboard.notices import outbox as rows
from leaderboard.notices.addresses import is_public, receiver
from leaderboard.notices.collector import NoticeCollector
from leaderboard.notices.outbox import DueNotice
from leaderboard.notices.retries import outcome
from leaderboard.store.database import Store
from shared.errors import RacedayError, Refused
from shared.protocol.results import PostDeferred
from shared.units import NS_PER_S
from shared.web.http_exchange import HttpExchange, Reply, Timeouts
from shared.webhooks import parse_secret, signed_headers

CLAIM_S = 60
POLL_S = 5.0
_TIMEOUTS = Timeouts(5.0, 10.0)
_MAX_ANSWER_BYTES = 8_192
_LOG = logging.getLogger("leaderboard")

Send = Callable[[DueNotice, int], Reply | PostDeferred]


class NoticeSender:
    """The outboxes of one leaderboard. `send` replaces the network."""

    def __init__(
        self, store: Store, settings: NoticeSettings, utc_ns: Callable[[], int], send: Send | None = None
    ) -> None:
        self._store, self._settings, self._utc_ns = store, settings, utc_ns
        self._send = send or self._over_http
        self._collector = NoticeCollector(store)
        self._changed: set[str] = set()
        self._changed_lock = threading.Lock()
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self._looked_utc_ns = 0

    def changed(self, race_id: str) -> None:
        """A change of this race was committed; from any thread, never blocks."""
        with self._changed_lock:
            self._changed.add(race_id)
        self._wake.set()

    def wake(self) -> None:
        """Something was put into an outbox."""
        self._wake.set()

    def start(self) -> None:
        """Send from now on, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the attempt that is on; idempotent."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def step(self) -> bool:
        """Look at the races that changed, then send each receiver the first notice that is due; whether any."""
        now_utc_ns = self._utc_ns()
        self._collect(now_utc_ns)
        with self._store.read() as db:
            due = [each for each in rows.first_waiting(db) if each.not_before_utc_ns <= now_utc_ns]
        for delivery in due:
            if self._stop.is_set():
                return False
            self._attempt(delivery)
        return bool(due)

    def _collect(self, now_utc_ns: int) -> None:
        with self._changed_lock:
            changed, self._changed = self._changed, set()
        if not self._looked_utc_ns:
            changed |= set(self._collector.all_races())
        else:
            changed |= set(self._collector.opened(self._looked_utc_ns, now_utc_ns))
        try:
            for race_id in sorted(changed):
                self._collector.collect(race_id, now_utc_ns)
        except RacedayError:
            with self._changed_lock:
                self._changed |= changed  # looked at again once the store can be used
            raise
        self._looked_utc_ns = now_utc_ns

    def _attempt(self, delivery: DueNotice) -> None:
        now_utc_ns = self._utc_ns()
        with self._store.write() as db:
            if not rows.claim(db, delivery, now_utc_ns + CLAIM_S * NS_PER_S):
                return
        reply = self._send(delivery, now_utc_ns)
        after_utc_ns = self._utc_ns()
        subscription = delivery.subscription
        found = outcome(
            reply, delivery.attempts + 1, subscription.failing_since_utc_ns, after_utc_ns, self._settings.give_up_days
        )
        failing = None if found.state == "delivered" else subscription.failing_since_utc_ns or after_utc_ns
        with self._store.write() as db:
            rows.settle(db, delivery, found.state, found.not_before_utc_ns, str(found.answer), after_utc_ns)
            rows.change_subscription(
                db, subscription.subscription_id, failing_since_utc_ns=failing, stopped=str(found.stop)
            )

    def _over_http(self, delivery: DueNotice, now_utc_ns: int) -> Reply | PostDeferred:
        chosen, subscription = self._settings, delivery.subscription
        try:
            parts = receiver(
                subscription.url, allow_plain_http=chosen.allow_plain_http, allow_private=chosen.allow_private_networks
            )
        except Refused as refusal:
            return PostDeferred(str(refusal))
        exchange = HttpExchange(
            parts._replace(path="", query=""),
            _TIMEOUTS,
            chosen.ca_file,
            _MAX_ANSWER_BYTES,
            (lambda _ip: True) if chosen.allow_private_networks else is_public,
        )
        webhook_id = f"notice.{subscription.subscription_id}.{delivery.seq}"
        signed = signed_headers(parse_secret(subscription.secret), webhook_id, now_utc_ns / NS_PER_S, delivery.body)
        headers = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "raceday-notices"}
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        return exchange.request("POST", target, headers | signed, delivery.body)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                sent = self.step()
            except RacedayError as error:
                _LOG.warning("notices wait: %s", error)
                sent = False
            if not sent:
                self._wake.wait(self._wait_s())

    def _wait_s(self) -> float:
        """Until the next race opens by its plan, or a notice is due again; at most POLL_S."""
        try:
            opens_utc_ns = self._collector.next_opening(self._looked_utc_ns)
        except RacedayError:
            return POLL_S
        if opens_utc_ns is None:
            return POLL_S
        return min(POLL_S, max(0.0, (opens_utc_ns - self._utc_ns()) / NS_PER_S))
