"""Bugs to put into the product: in storing, publishing, showing, posting and replaying. Each changes one method."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from leaderboard.board import LeaderboardService
from leaderboard.stations.posting import PostReply
from shared.protocol import messages as m
from shared.protocol.results import AnswerLost, Result
from shared.webhooks import signed_headers
from simulator.races.hosts.crash_points import CrashingJournal
from simulator.races.hosts.leaderboard_host import FaultyWebhook
from simulator.races.physical.sim_car import SimCar
from station.core.runs.book.lap_book import LapBook
from station.core.runs.laps import CountedCrossing, LapSegment
from station.core.timing.gate import CrossingCounter
from station.service import storage_fault
from station.service.cars.name_claims import NameClaim
from station.service.inbox import QueuedInput
from station.service.station import Station
from station.service.trackside.receiver import Receiver
from station.sync import schedule, syncer, verdict, webhook
from station.sync.schedule import Progress, answered, next_post
from station.views.command_answers import Accepted

Patch = pytest.MonkeyPatch


def acknowledges_before_the_commit(patch: Patch) -> None:
    real = Receiver.message

    def message(self: Receiver, delivery: Any) -> None:
        if isinstance(delivery.message.body, m.CarLap):
            envelope = delivery.message.envelope
            self._link.publish(m.LapAck(envelope.boot, envelope.seq), envelope.device)
        real(self, delivery)

    patch.setattr(Receiver, "message", message)


def tells_before_the_commit(patch: Patch) -> None:
    real = CrashingJournal.append

    def commit(self: Station, items: list[QueuedInput]) -> Any:
        done = [(item, self._restored.engine.handle(item.input)) for item in items]
        for _, facts in done:
            self._publisher.publish(self._restored.engine, facts, self._clock.now())
        name, versions = self.setup.name, self.setup.versions
        entries = [self._restored.entry(item.input, facts, name, versions) for item, facts in done if facts]
        assert isinstance(self.journal, CrashingJournal)
        seqs = iter(real(self.journal, entries) if entries else ())
        for item, facts in done:
            seq = next(seqs) if facts else self.journal.head.seq
            if item.on_commit is not None:
                item.on_commit()
            if item.ticket is not None:
                item.ticket.settle(Accepted(seq))
        return [fact for _, facts in done for fact in facts]

    patch.setattr(Station, "_commit", commit)


def shows_a_lap_that_is_not_stored(patch: Patch) -> None:
    from station.service import publisher
    from station.views import projection

    real = projection.run_view

    def run_view(*arguments: Any) -> Any:
        view = real(*arguments)
        return dataclasses.replace(
            view, laps=tuple(dataclasses.replace(lap, lap_ns=lap.lap_ns + 1) for lap in view.laps)
        )

    patch.setattr(publisher, "run_view", run_view)


def accepts_what_the_disk_refused(patch: Patch) -> None:
    patch.setattr(storage_fault, "declined_unstored", lambda _command, _why: Accepted(1))


def posts_under_a_new_id_each_time(patch: Patch) -> None:
    """A key for each attempt instead of each result."""
    count = iter(range(1_000_000))

    def headers(key: bytes, name: str, utc_s: float, body: bytes) -> dict[str, str]:
        return signed_headers(key, f"{name}-{next(count)}", utc_s, body)

    patch.setattr(webhook, "signed_headers", headers)


def changes_the_body_on_a_repeat(patch: Patch) -> None:
    """A repeat with the same key and another body."""
    count = iter(range(1_000_000))
    real = FaultyWebhook.post

    def again(self: FaultyWebhook, result: Result) -> Any:
        return real(self, dataclasses.replace(result, finished_utc_ns=result.finished_utc_ns + next(count)))

    patch.setattr(FaultyWebhook, "post", again)


def gives_up_on_a_wrong_clock(patch: Patch) -> None:
    """A 401 of the leaderboard counts as its final answer."""
    patch.setattr(verdict, "_RETRY_STATUSES", frozenset({408, 425, 429}))
    patch.setattr(verdict, "_SETTLING", frozenset({400, 401, 404, 409, 410, 413, 422}))


def takes_silence_for_yes(patch: Patch) -> None:
    """A post whose answer was lost counts as done."""

    def changed(progress: Progress, answer: Any, wait_ns: int, now_ns: int) -> Progress:
        if isinstance(answer, AnswerLost) and answer.reason != "not stored":
            return dataclasses.replace(progress, state="confirmed")
        return answered(progress, answer, wait_ns, now_ns)

    patch.setattr(schedule, "answered", changed)


def applies_a_repeat_again(patch: Patch) -> None:
    """A board that answers a repeat with 201, as if it were a new post."""
    real = LeaderboardService.apply

    def apply(self: LeaderboardService, webhook_id: str, payload: bytes, now_utc_ns: int) -> PostReply:
        answer = real(self, webhook_id, payload, now_utc_ns)
        return PostReply(201, answer.body)

    patch.setattr(LeaderboardService, "apply", apply)


def ranks_the_worst_run(patch: Patch) -> None:
    from leaderboard.core import rank

    real = rank.line_of

    def line_of(attempts: Iterable[Any], table: Any) -> Any:
        line = real(attempts := list(attempts), table)
        scored = [a for a in attempts if a.state == "ranked"]
        worst = max(scored, key=lambda a: a.score_ms or 0, default=None)
        if worst is None:
            return line
        assert line is not None
        assert worst.score_ms is not None
        return dataclasses.replace(line, score_ms=worst.score_ms, seq=worst.seq)

    patch.setattr(rank, "line_of", line_of)


def forgets_reports_once_sent(patch: Patch) -> None:
    """A car that deletes its unacknowledged reports instead of sending them again."""
    patch.setattr(SimCar, "_resend", lambda self: self.outbox.clear())


def loses_reports_of_a_known_car(patch: Patch) -> None:
    """A station that acknowledges all reports and stores two of three."""
    real = Receiver.message

    def message(self: Receiver, delivery: Any) -> None:
        envelope = delivery.message.envelope
        if isinstance(delivery.message.body, m.CarLap) and envelope.seq % 3 == 0:
            self._link.publish(m.LapAck(envelope.boot, envelope.seq), envelope.device)
            delivery.ack()
            return
        real(self, delivery)

    patch.setattr(Receiver, "message", message)


def numbers_crossings_by_the_process(patch: Patch) -> None:
    """An engine whose state depends on something that is in no input."""
    number = iter(range(1, 1_000_000))
    patch.setattr(CrossingCounter, "next", lambda _self: next(number))


def rewrites_history(patch: Patch) -> None:
    """Somebody edits the journal and changes a lap time."""
    real = Station.close

    def close(self: Station) -> None:
        db = self.journal._db
        if self.journal.head.seq > 50:
            db.execute("DROP TRIGGER IF EXISTS journal_never_updated")
            db.execute(
                "UPDATE journal SET facts = CAST(replace(facts, '\"lap_ns\":1', '\"lap_ns\":2') AS BLOB) WHERE seq > 20"
            )
        real(self)

    patch.setattr(Station, "close", close)


def gives_up_after_one_try(patch: Patch) -> None:
    """A sync that never tries a post again."""
    patch.setattr(syncer, "next_post", _only_untried(next_post))


def _only_untried(real: Callable[..., Any]) -> Callable[..., Any]:
    def untried(rows: Any, progress: Any, board: Any) -> Any:
        return real([row for row in rows if row.webhook_id not in progress], progress, board)

    return untried


def misses_every_fifth_crossing(patch: Patch) -> None:
    count = iter(range(1_000_000))

    def add(self: LapBook, mark: CountedCrossing) -> None:
        if not self.segments or next(count) % 5 != 4:
            self.segments.append(LapSegment(mark))

    patch.setattr(LapBook, "add", add)


def leases_to_whoever_beats(patch: Patch) -> None:
    """A station that knows a car by its name alone, so that a cloned SD card gets the lease."""

    def on_heartbeat(self: NameClaim, boot: str, _mode: m.CarMode, now_ns: int) -> bool:
        self.boot, self._reported_ns = boot, now_ns
        return True

    patch.setattr(NameClaim, "on_heartbeat", on_heartbeat)
