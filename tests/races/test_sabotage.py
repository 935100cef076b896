"""The checker can fail: each seeded bug in the product breaks the invariant that is there for it.

A bug is put in by changing one method, the meeting is held, and the named invariant must not hold. Without
the bug the same meeting holds (test_simulate.py), so it is the bug that is seen.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from leaderboard.board import Answer, Board
from shared import messages as m
from shared.ranking import Score
from shared.results import Result
from simulator.races.gatebox import GateBox
from simulator.races.house import HallJournal
from simulator.races.officials import Officials
from simulator.races.radio import CarRadio
from simulator.races.report import Tally
from simulator.races.vendor import Road
from station.core import gate, race, standing
from station.core.events import Edge, VoidLap
from station.core.gate import Count, Gate
from station.core.laps import LapBook, Mark, Stretch
from station.service import Item, Station
from station.sync import post
from station.sync import service as sync_service
from station.sync.outbox import AnswerLost, Progress
from station.view import Accepted

pytestmark = pytest.mark.slow
HoldMeeting = Callable[..., Tally]
Patch = pytest.MonkeyPatch
Sabotage = Callable[[Patch], None]


def drops_every_tenth_edge(patch: Patch) -> None:
    """A journal that says it kept what it did not."""
    real = HallJournal.append

    def append(self: HallJournal, entries: Any) -> list[int]:
        kept = [e for e in entries if not (isinstance(e.input, Edge) and e.input.seq % 10 == 7)]
        seqs = iter(real(self, kept) if kept else [])
        return [next(seqs) if e in kept else self.head.seq for e in entries]

    patch.setattr(HallJournal, "append", append)


def forgets_what_the_gate_remembers(patch: Patch) -> None:
    """A station that listens only to what comes from now on."""
    patch.setattr(GateBox, "attach", lambda self, _after, put: setattr(self, "_put", put))


def stamps_with_the_time_of_day(patch: Patch) -> None:
    """Edges stamped with UTC: right until somebody sets the clock."""

    real_see, real_init = GateBox.see, GateBox.__init__

    def init(self: Any, clock: Any) -> None:
        real_init(self, clock)
        self._steps_from = clock.utc_ns()

    def see_by_utc(self: Any, seen: Any) -> None:
        stepped_ns = self.clock.utc_ns() - self._steps_from - self.clock._universe.now_ns
        real_see(self, dataclasses.replace(seen, at_ns=seen.at_ns + stepped_ns))

    patch.setattr(GateBox, "__init__", init)
    patch.setattr(GateBox, "see", see_by_utc)


def stamps_late(patch: Patch) -> None:
    """A time taken when the program got round to it, microseconds later."""
    real = Gate.handle
    patch.setattr(
        Gate, "handle", lambda self, edge: real(self, dataclasses.replace(edge, at_ns=edge.at_ns + edge.seq % 3))
    )


def has_no_lockout(patch: Patch) -> None:
    """Each flicker of a beam is a car."""
    patch.setattr(gate, "CHATTER_NS", 0)
    real = Gate.__init__

    def init(self: Gate, spec: Any, count: Count) -> None:
        real(self, dataclasses.replace(spec, lockout_ns=1), count)

    patch.setattr(Gate, "__init__", init)


def debounces_by_the_last_edge(patch: Patch) -> None:
    """A debounce that moves the stamp: the beam's end is taken for its beginning."""
    real = Gate._blocked

    def blocked(self: Gate, edge: Edge) -> Any:
        return real(self, dataclasses.replace(edge, at_ns=edge.at_ns + 50_000_000))

    patch.setattr(Gate, "_blocked", blocked)


def deletes_laps_that_are_void(patch: Patch) -> None:
    """A voided lap is gone instead of void: the laps around it close ranks."""
    real = LapBook.laps

    def laps(self: LapBook) -> Any:
        valid = [lap for lap in real(self) if lap.valid]
        return tuple(dataclasses.replace(lap, number=number) for number, lap in enumerate(valid, 1))

    patch.setattr(LapBook, "laps", laps)
    patch.setattr(Officials, "_opinions", _voids_lap_2)


def _voids_lap_2(_self: Officials, turn: Any) -> Any:
    yield VoidLap(author="judge", number=2, run_id=turn.run_id)


def counts_an_incident_when_it_was_said(patch: Patch) -> None:
    """The lap that is on when the official speaks, not the one in which it happened."""
    real = LapBook.at
    patch.setattr(LapBook, "at", lambda self, boot, _at_ns: real(self, boot, None))


def rounds_scores(patch: Patch) -> None:
    """A score that is a millisecond off, as rounding makes it."""
    real = standing.score_run

    def score_run(laps: Any, rules: Any) -> Score | None:
        score = real(laps, rules)
        return None if score is None else dataclasses.replace(score, score_ms=score.score_ms + 1)

    patch.setattr(standing, "score_run", score_run)


def computes_over_a_reboot(patch: Patch) -> None:
    """A lap over two boots gets a time, from the time of day."""
    real = LapBook.lap

    def lap(self: LapBook, number: int) -> Any:
        honest, start, end = real(self, number), self.stretches[number - 1].mark, self.stretches[number].mark
        if start.boot == end.boot:
            return honest
        return dataclasses.replace(honest, lap_ns=abs(end.utc_ns - start.utc_ns) + 1, valid=True, reason="")

    patch.setattr(LapBook, "lap", lap)


def forgets_the_time_limit(patch: Patch) -> None:
    patch.setattr(race.Run, "ends_ns", lambda _self, _boot: None)


def takes_a_lap_too_soon(patch: Patch) -> None:
    patch.setattr(LapBook, "too_soon", lambda _self, _mark: False)


def acknowledges_before_the_commit(patch: Patch) -> None:
    real = Station._delivered

    def delivered(self: Station, delivery: Any) -> None:
        if isinstance(delivery.message.body, m.CarLap):
            envelope = delivery.message.envelope
            self._link.publish(m.LapAck(envelope.boot, envelope.seq), envelope.device)
        real(self, delivery)

    patch.setattr(Station, "_delivered", delivered)


def tells_before_the_commit(patch: Patch) -> None:
    real = HallJournal.append

    def commit(self: Station, items: list[Item]) -> Any:
        done = [(item, self._restored.engine.handle(item.input)) for item in items]
        for _, facts in done:
            self._teller.tell(self._restored.engine, facts, self._now())
        entries = [self._entry(item.input, facts) for item, facts in done if facts]
        seqs = iter(real(self.journal, entries) if entries else ())
        for item, facts in done:
            seq = next(seqs) if facts else self.journal.head.seq
            if item.kept is not None:
                item.kept()
            if item.ticket is not None:
                item.ticket.settle(Accepted(seq))
        return [fact for _, facts in done for fact in facts]

    patch.setattr(Station, "_commit", commit)


def shows_a_lap_that_is_not_stored(patch: Patch) -> None:
    from station import picture, teller

    real = picture.run_view

    def run_view(run: Any, now: Any) -> Any:
        view = real(run, now)
        return dataclasses.replace(
            view, laps=tuple(dataclasses.replace(lap, lap_ns=lap.lap_ns + 1) for lap in view.laps)
        )

    patch.setattr(teller, "run_view", run_view)


def accepts_what_the_disk_refused(patch: Patch) -> None:
    real = Station._hold

    def hold(self: Station, items: list[Item]) -> None:
        for item in items:
            if item.ticket is not None:
                item.ticket.settle(Accepted(self.journal.head.seq + 1))
        real(self, [item for item in items if item.ticket is None])

    patch.setattr(Station, "_hold", hold)


def posts_under_a_new_id_each_time(patch: Patch) -> None:
    """A key for each attempt instead of each result."""
    count = iter(range(1_000_000))
    real = post.signed
    patch.setattr(post, "signed", lambda key, name, utc_s, body: real(key, f"{name}-{next(count)}", utc_s, body))


def changes_the_body_on_a_repeat(patch: Patch) -> None:
    """The same key, but a body with a newer time."""
    count = iter(range(1_000_000))
    real = Road.post

    def again(self: Road, result: Result) -> Any:
        return real(self, dataclasses.replace(result, finished_utc_ns=result.finished_utc_ns + next(count)))

    patch.setattr(Road, "post", again)


def gives_up_on_a_wrong_clock(patch: Patch) -> None:
    """A leaderboard that answers 401 is taken at its word for ever."""
    patch.setattr(post, "_RETRY_STATUSES", frozenset({408, 425, 429}))


def takes_silence_for_yes(patch: Patch) -> None:
    """A post whose answer was lost counts as done."""
    real = sync_service.answered

    def answered(progress: Progress, answer: Any, wait_ns: int, now_ns: int) -> Progress:
        if isinstance(answer, AnswerLost) and answer.reason != "not kept":
            return dataclasses.replace(progress, state="confirmed")
        return real(progress, answer, wait_ns, now_ns)

    patch.setattr(sync_service, "answered", answered)


def applies_a_repeat_again(patch: Patch) -> None:
    """A board without receipts: it answers a repeat with what is true by then."""
    real = Board.apply

    def apply(self: Board, webhook_id: str, payload: bytes, now_utc_ns: int) -> Answer:
        answer = real(self, webhook_id, payload, now_utc_ns)
        return Answer(201, answer.body)

    patch.setattr(Board, "apply", apply)


def ranks_the_worst_run(patch: Patch) -> None:
    from leaderboard import domain

    real = domain.line_of

    def line_of(attempts: Iterable[Any], rules: Any) -> Any:
        line = real(attempts := list(attempts), rules)
        scored = [a for a in domain.counted(attempts, rules) if a.score_ms is not None]
        worst = max(scored, key=lambda a: a.score_ms, default=None)
        return line if worst is None else dataclasses.replace(line, score_ms=worst.score_ms, seq=worst.seq)

    patch.setattr(domain, "line_of", line_of)


def forgets_reports_once_sent(patch: Patch) -> None:
    """A car that trusts the broker."""
    patch.setattr(CarRadio, "_resend", lambda self: self.outbox.clear())


def loses_reports_of_a_known_car(patch: Patch) -> None:
    """A station that acknowledges reports and keeps two of three."""
    real = Station._delivered

    def delivered(self: Station, delivery: Any) -> None:
        envelope = delivery.message.envelope
        if isinstance(delivery.message.body, m.CarLap) and envelope.seq % 3 == 0:
            self._link.publish(m.LapAck(envelope.boot, envelope.seq), envelope.device)
            delivery.ack()
            return
        real(self, delivery)

    patch.setattr(Station, "_delivered", delivered)


def numbers_crossings_by_the_process(patch: Patch) -> None:
    """The engine remembers something that is in no input."""
    number = iter(range(1, 1_000_000))
    patch.setattr(Count, "next", lambda _self: next(number))


def rewrites_history(patch: Patch) -> None:
    """Someone opens the file and makes a lap faster."""
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
    """A sync that posts once."""
    patch.setattr(sync_service, "next_turn", _only_untried(sync_service.next_turn))


def _only_untried(real: Callable[..., Any]) -> Callable[..., Any]:
    def next_turn(rows: Any, progress: Any, board: Any) -> Any:
        return real([row for row in rows if row.webhook_id not in progress], progress, board)

    return next_turn


def misses_every_fifth_crossing(patch: Patch) -> None:
    count = iter(range(1_000_000))

    def add(self: LapBook, mark: Mark) -> None:
        if not self.stretches or next(count) % 5 != 4:
            self.stretches.append(Stretch(mark))

    patch.setattr(LapBook, "add", add)


# What brings these out is rare: a longer meeting.
RARE = {counts_an_incident_when_it_was_said, takes_silence_for_yes}

# sabotage, the invariant that must break, the faults that bring it out, how much more often than usual
CASES: tuple[tuple[Sabotage, str, tuple[str, ...], float], ...] = (
    (drops_every_tenth_edge, "no_crossing_lost", (), 1),
    (forgets_what_the_gate_remembers, "no_crossing_lost", ("station_restart",), 60),
    (stamps_with_the_time_of_day, "crossings_true", ("clock_step",), 40),
    (stamps_late, "crossings_true", (), 1),
    (debounces_by_the_last_edge, "crossings_true", (), 1),
    (has_no_lockout, "crossings_true", ("double_trigger",), 10),
    (misses_every_fifth_crossing, "laps_by_the_rules", (), 1),
    (takes_a_lap_too_soon, "laps_by_the_rules", ("sensor_noise",), 100),
    (deletes_laps_that_are_void, "laps_by_the_rules", (), 1),
    (counts_an_incident_when_it_was_said, "laps_by_the_rules", (), 1),
    (computes_over_a_reboot, "laps_by_the_rules", ("station_reboot",), 60),
    (forgets_the_time_limit, "laps_by_the_rules", (), 1),
    (rounds_scores, "laps_by_the_rules", (), 1),
    (acknowledges_before_the_commit, "reports_kept", (), 1),
    (loses_reports_of_a_known_car, "reports_kept", (), 1),
    (forgets_reports_once_sent, "reports_kept", ("broker_restart", "partition"), 60),
    (tells_before_the_commit, "shown_is_stored", (), 1),
    (shows_a_lap_that_is_not_stored, "shown_is_stored", (), 1),
    (accepts_what_the_disk_refused, "rulings_kept", ("disk_full",), 80),
    (posts_under_a_new_id_each_time, "applied_once", (), 1),
    (changes_the_body_on_a_repeat, "applied_once", ("leaderboard_500_after_apply",), 10),
    (applies_a_repeat_again, "applied_once", ("duplicate_post",), 10),
    (takes_silence_for_yes, "healed", ("leaderboard_timeout",), 10),
    (gives_up_after_one_try, "healed", ("leaderboard_500",), 10),
    (gives_up_on_a_wrong_clock, "healed", ("clock_step",), 40),
    (ranks_the_worst_run, "standings_agree", (), 1),
    (numbers_crossings_by_the_process, "replay_agrees", (), 1),
    (rewrites_history, "replay_agrees", (), 1),
)


@pytest.mark.parametrize(("sabotage", "invariant", "kinds", "times"), CASES, ids=[case[0].__name__ for case in CASES])
def test_the_bug_is_seen(
    sabotage: Sabotage,
    invariant: str,
    kinds: tuple[str, ...],
    times: float,
    hold_meeting: HoldMeeting,
    monkeypatch: Patch,
) -> None:
    sabotage(monkeypatch)
    tally = hold_meeting("sabotage/0", 120 if sabotage in RARE else 40, kinds, times)
    broken = {name: inv.broken for name, inv in tally.invariants.items() if not inv.held}
    assert invariant in broken, f"only {broken} broke; {tally.faults}"


def test_the_same_meeting_holds_without_a_bug(hold_meeting: HoldMeeting) -> None:
    kinds = sorted({kind for case in CASES for kind in case[2]})
    tally = hold_meeting("sabotage/0", 40, kinds, 10)
    assert {name: inv.broken for name, inv in tally.invariants.items() if not inv.held} == {}
