"""Checks everything that the station publishes or shows against the committed journal, before it goes out.

`MonitoredLink` is the station's link; it checks each message when it is published, against what is on disk.
"""

import json
from collections.abc import Callable, Sequence

from shared.link.interface import Delivery, Link, LinkState, Subscription
from shared.protocol import messages as m
from shared.protocol.canonical_json import canonical
from shared.units import NS_PER_MS
from simulator.races.hosts.journal_tail import JournalTail, lap_text
from simulator.races.hosts.tally import Invariant
from station.core.facts import Lap
from station.views.views import View

EVENTS = (m.OfficialLap, m.RunStatus, m.LapAck, m.Lease, m.DriveOrder)


class OutputMonitor:
    """Looks up each output in the journal, reading new records only for an output that is not known yet."""

    def __init__(
        self,
        journal_tail: JournalTail,
        shown: Invariant,
        reports: Invariant,
        leases: Invariant,
        now_ns: Callable[[], int],
    ) -> None:
        """`now_ns` is the simulation's true time."""
        self.journal_tail = journal_tail
        self._shown, self._reports, self._leases, self._now_ns = shown, reports, leases, now_ns
        self._leased: dict[str, tuple[str, int]] = {}  # car -> (boot, until when) of its last lease to drive
        self._views: tuple[int, int] = (-1, -1)

    def on_published(self, body: m.Body, device: str | None) -> None:
        """Check a message that the station publishes; `device` is the addressed car."""
        if not isinstance(body, EVENTS):
            return
        if isinstance(body, m.LapAck):
            key = (device or "", body.boot, body.seq)
            self._reports.check(
                self._known(lambda: key in self.journal_tail.reports), f"{key} was acknowledged, not stored"
            )
            return
        if isinstance(body, m.Lease) and body.grant == "none":
            return
        if isinstance(body, m.Lease):
            self._lease(body, device or "")
        self._shown.check(self._known(lambda: self._stored(body, device)), f"published but not stored: {body}")

    def _lease(self, lease: m.Lease, car: str) -> None:
        """Check that no two boots hold a lease. A lease counts from the heartbeat it answers, so it ends by then."""
        now_ns = self._now_ns()
        boot, until_ns = self._leased.get(car, (lease.boot, 0))
        alone = boot == lease.boot or now_ns >= until_ns
        self._leases.check(alone, f"{car}: {boot} and {lease.boot} have a lease to drive at the same time")
        self._leased[car] = (lease.boot, now_ns + lease.lease_ms * NS_PER_MS)

    def on_view(self, view: View, life: int) -> None:
        """Check a view that a screen shows; `life` numbers the station's process."""
        if self._views == (life, view.version):
            return
        self._views = (life, view.version)
        self.journal_tail.catch_up()
        head = self.journal_tail.hashes.get(view.store.records)
        self._shown.check(head == view.store.head, f"the screen shows {view.store.records} records, not on the disk")
        run = view.run
        if run is not None:
            phases = self.journal_tail.phases.get(run.run_id, set())
            self._shown.check(run.phase in phases, f"{run.run_id} is shown {run.phase}, which is not stored")
            self._shown.check(
                run.phase != "finished" or run.score_ms in (None, *self.journal_tail.scores[run.run_id]),
                f"the score {run.score_ms} of {run.run_id} is shown, which is not stored",
            )
            for lap in run.laps:
                self._shown.check(self._has_lap(lap), f"shown but not stored: {lap}")
        self._check_standing(view)

    def _check_standing(self, view: View) -> None:
        if view.race is None:
            return
        stored = [
            (line["rank"], line["racer"], line["score_ms"])
            for line in self.journal_tail.standing.get(view.race.race_id, [])
        ]
        shown = [(line.rank, line.racer, line.score_ms) for line in view.standing]
        self._shown.check(shown == stored, f"the standing is shown as {shown}, stored is {stored}")

    def _known(self, is_stored: Callable[[], bool]) -> bool:
        if is_stored():
            return True
        self.journal_tail.catch_up()
        return is_stored()

    def _stored(self, body: m.Body, device: str | None) -> bool:
        journal_tail = self.journal_tail
        match body:
            case m.OfficialLap():
                return any(_matches(text, body) for text in journal_tail.laps.get((body.run_id, body.number), ()))
            case m.RunStatus():
                return not body.run_id or (
                    body.phase in journal_tail.phases.get(body.run_id, set())
                    and body.racer in journal_tail.racers.get(body.run_id, set())
                    and (
                        body.phase != "finished"
                        or body.score_ms in (None, *journal_tail.scores.get(body.run_id, set()))
                    )
                )
            case m.Lease():
                journal_tail.catch_up()
                return journal_tail.open_run == (body.run_id, device)
            case m.DriveOrder():
                return body.action in ("stop", "estop") or (device or "", body.action) in journal_tail.orders
        return True

    def _has_lap(self, lap: Lap) -> bool:
        return lap_text(json.loads(canonical(lap))) in self.journal_tail.laps.get((lap.run_id, lap.number), set())


def _matches(text: str, published: m.OfficialLap) -> bool:
    lap = json.loads(text)
    return (lap["lap_ns"], lap["valid"], lap["confirmed"], lap["reason"]) == (
        published.lap_ns,
        published.valid,
        published.confirmed,
        published.reason,
    )


class MonitoredLink:
    """A `Link` whose messages `OutputMonitor` checks; `step` is called before each (a point where it may crash)."""

    def __init__(self, link: Link, monitor: OutputMonitor, step: Callable[[str], None]) -> None:
        self._link, self._monitor, self._step = link, monitor, step

    def start(self, subscriptions: Sequence[Subscription], on_delivery: Callable[[Delivery], None]) -> None:
        self._link.start(subscriptions, on_delivery)

    def publish(self, body: m.Body, device: str | None = None) -> bool:
        self._step("before publishing")
        self._monitor.on_published(body, device)
        return self._link.publish(body, device)

    def publish_as(self, message: m.Message, device: str | None = None) -> bool:
        self._monitor.on_published(message.body, device)
        return self._link.publish_as(message, device)

    def state(self) -> LinkState:
        return self._link.state()

    def close(self) -> None:
        self._link.close()
