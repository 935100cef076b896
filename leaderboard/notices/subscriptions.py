"""Who gets notices: makes, pauses, tries and ends subscriptions. Called by the API and the organiser's page."""

import base64
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.config import NoticeSettings
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownSubscription
from leaderboard.notices import outbox as rows
from leaderboard.notices.addresses import receiver
from leaderboard.notices.collector import NoticeCollector
from leaderboard.notices.events import NOTICE_TYPES, test_notice
from leaderboard.notices.outbox import DeliveryRow, SubscriptionRow
from leaderboard.store import audit
from leaderboard.store.database import Store
from shared.errors import Refused
from shared.text import text
from shared.webhooks import PREFIX

SHOWN = 20  # deliveries of a subscription on its page


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """What is wanted. `race_id` and `season_id` empty: all public races."""

    url: str
    kinds: tuple[str, ...]
    race_id: str = ""
    season_id: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """A subscription with what became of its newest notices."""

    row: SubscriptionRow
    deliveries: tuple[DeliveryRow, ...]


class NoticeSubscriptions:
    """Over one store. Whether the caller may do it is asked before; every change is in the audit."""

    def __init__(self, store: Store, settings: NoticeSettings) -> None:
        self._store, self._settings = store, settings
        self._collector = NoticeCollector(store)

    def add(self, wanted: NewSubscription, caller: Caller, now_utc_ns: int) -> SubscriptionRow:
        """A new subscription, with the secret that signs its notices. Raises Refused."""
        self._check(wanted)
        row = SubscriptionRow(
            secrets.token_hex(8),
            wanted.url,
            PREFIX + base64.b64encode(secrets.token_bytes(32)).decode(),
            " ".join(kind for kind in NOTICE_TYPES if kind in wanted.kinds),
            wanted.race_id,
            wanted.season_id,
            caller.account_id,
            now_utc_ns,
        )
        with self._store.write() as db:
            existing = rows.subscriptions(db)
            of_race = sum(each.race_id == wanted.race_id and each.season_id == wanted.season_id for each in existing)
            if of_race >= self._settings.per_race:
                raise Refused(
                    text(
                        "There are {n} receivers already; at most {limit} are taken.",
                        n=of_race,
                        limit=self._settings.per_race,
                    )
                )
            if not existing:
                self._collector.look_at_all(db, now_utc_ns)
            rows.add_subscription(db, row)
            self._audit(db, caller, now_utc_ns, "notices.add", None, row)
        return row

    def list(self, race_id: str | None) -> list[SubscriptionStatus]:
        """The subscriptions of a race ("": those of no single race; None: all)."""
        with self._store.read() as db:
            return [
                SubscriptionStatus(row, tuple(rows.deliveries(db, row.subscription_id, SHOWN)))
                for row in rows.subscriptions(db, race_id)
            ]

    def get(self, subscription_id: str) -> SubscriptionRow:
        """Raises UnknownSubscription."""
        with self._store.read() as db:
            return _known(rows.subscription(db, subscription_id))

    def pause(self, subscription_id: str, paused: bool, caller: Caller, now_utc_ns: int) -> SubscriptionRow:
        """Hold notices back, or let them go; one that was stopped begins again. Raises UnknownSubscription."""
        with self._store.write() as db:
            before = _known(rows.subscription(db, subscription_id))
            rows.change_subscription(db, subscription_id, paused=paused, stopped="", failing_since_utc_ns=None)
            if not paused:
                rows.due_at_once(db, subscription_id, now_utc_ns)
            now = _known(rows.subscription(db, subscription_id))
            self._audit(db, caller, now_utc_ns, "notices.pause" if paused else "notices.resume", before, now)
        return now

    def remove(self, subscription_id: str, caller: Caller, now_utc_ns: int) -> None:
        """End the subscription. Raises UnknownSubscription."""
        with self._store.write() as db:
            before = _known(rows.subscription(db, subscription_id))
            rows.drop_subscription(db, subscription_id)
            self._audit(db, caller, now_utc_ns, "notices.remove", before, None)

    def test(self, subscription_id: str, now_utc_ns: int) -> None:
        """Send a notice that says nothing, behind those that wait. Raises UnknownSubscription."""
        notice = test_notice(now_utc_ns)
        with self._store.write() as db:
            row = _known(rows.subscription(db, subscription_id))
            seq = rows.add_notice(db, notice.kind, row.race_id, now_utc_ns, notice.body)
            rows.add_delivery(db, subscription_id, seq, now_utc_ns)

    def _check(self, wanted: NewSubscription) -> None:
        receiver(
            wanted.url,
            allow_plain_http=self._settings.allow_plain_http,
            allow_private=self._settings.allow_private_networks,
        )
        unknown = sorted(set(wanted.kinds) - set(NOTICE_TYPES))
        if unknown or not wanted.kinds:
            named = ", ".join(NOTICE_TYPES)
            raise Refused(text("Say which notices are wanted: some of {named}.", named=named))

    def _audit(
        self,
        db: sa.Connection,
        caller: Caller,
        now_utc_ns: int,
        what: str,
        before: SubscriptionRow | None,
        after: SubscriptionRow | None,
    ) -> None:
        row = after or before
        assert row is not None
        audit.record(
            db,
            caller,
            now_utc_ns,
            what,
            f"notices:{row.subscription_id}",
            _shown(before),
            _shown(after),
            race_id=row.race_id,
            season_id=row.season_id,
        )


def _shown(row: SubscriptionRow | None) -> dict[str, object] | None:
    """What the audit keeps: never the secret."""
    return None if row is None else {"url": row.url, "kinds": row.kinds, "paused": row.paused}


def _known(row: SubscriptionRow | None) -> SubscriptionRow:
    if row is None:
        raise UnknownSubscription(text("There is no such receiver of notices."))
    return row
