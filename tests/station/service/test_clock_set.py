"""A station whose clock is not set: laps are right, times of day are marked as unknown and are corrected later."""

import pathlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.build import open_board
from leaderboard.core.race import RaceRecord
from shared import clock_set
from shared.clock import SystemClock
from shared.protocol.results import Result, decode_result, encode_result
from shared.rules.ranking import RaceRules
from station.commands.replay import check
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.store.encoding import decode_input
from station.sync.build import utc_s
from station.sync.outbox_reader import OutboxReader
from station.views.command_answers import Accepted, Declined
from station.web.pages.registry import PAGES, TOPICS
from station.web.render import Pages
from tests.station.core.scripted_race import BOOT, MS, Hand, S, only
from tests.station.service.station_rig import Rig

HOUR = 3600 * S
RIGHT = 1_796_000_000 * S  # late in 2026
WRONGS = {
    "1970": 0,
    "ten days behind": RIGHT - 864_000 * S,
    "a minute behind": RIGHT - 60 * S,
    "2040": RIGHT + 13 * 8766 * HOUR,
}
RULES = RaceRules(max_laps=3)
OPEN_RACE = RaceRecord(
    "race-1",
    "Cup",
    "league",
    "physical",
    "Oval",
    RULES,
    opens_utc_ns=RIGHT - HOUR,
    closes_utc_ns=RIGHT + 8 * HOUR,
)


class Unset(Hand):
    """`utc_ns`: what the machine's clock shows at 0 of the monotonic one; `known`: it is known to be right."""

    def __init__(self, utc_ns: int, known: bool = False) -> None:
        self.utc_ns, self.known = utc_ns, known
        self.engine, self.inputs, self.facts, self.seq, self.reports = Engine(), [], [], 0, 0
        booted = e.Booted(self.at(0), "station-1", (e.GateSpec("start"),), start="11" * 4, clock_trusted=known)
        self.do(booted)
        self.do(e.OpenRace(self.at(0), "race-1", "A race", RULES))

    def at(self, at_ns: int, boot: str = BOOT) -> e.Moment:
        return e.Moment(boot, at_ns, self.utc_ns + at_ns)

    def run_of(self, racer: str, from_s: int, lap_s: int = 8) -> None:
        now = self.at(from_s * S)
        self.do(e.OpenRun(author="j", racer=racer, car="car-1", moment=now))
        self.do(e.StartRun(author="j", moment=now))
        for number in range(4):
            self.cross((from_s + 1 + number * lap_s) * S)

    def pair(self, at_s: int, utc_ns: int | None = None, known: bool = True) -> tuple[f.Fact, ...]:
        self.utc_ns = self.utc_ns if utc_ns is None else utc_ns
        self.known = known
        return self.do(e.ClockPair(self.at(at_s * S), known))

    @property
    def results(self) -> list[Result]:
        return [fact.result for facts in self.facts for fact in only(facts, f.ResultDue)]


def finished(result: Result) -> int:
    return result.finished_utc_ns - RIGHT


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS.keys())
def test_a_result_is_marked_and_corrected_by_a_revision(wrong: int) -> None:
    hand = Unset(wrong)
    hand.run_of("Ann", 10)
    laps = hand.lap_times
    (marked,) = hand.results
    assert (marked.evidence.clock_trusted, marked.finished_utc_ns) == (False, wrong + 35 * S)
    corrections = hand.pair(60, RIGHT)
    assert only(corrections, f.ClockCorrected) == [f.ClockCorrected(BOOT, RIGHT - wrong, True)]
    _, corrected = hand.results
    assert (corrected.result_id, corrected.revision) == (marked.result_id, 2)
    assert (corrected.evidence.clock_trusted, finished(corrected)) == (True, 35 * S)
    assert [lap.ended_ns - RIGHT for lap in corrected.laps] == [19 * S, 27 * S, 35 * S]
    assert corrected.score_ms == marked.score_ms
    assert hand.lap_times == laps
    hand.run_of("Bob", 70)
    assert (hand.results[-1].evidence.clock_trusted, finished(hand.results[-1])) == (True, 95 * S)


def test_a_clock_that_becomes_known_in_the_middle_of_a_run() -> None:
    hand = Unset(WRONGS["1970"])
    hand.open("Ann", at_ns=0)
    hand.go()
    for at_s in (1, 9):
        hand.cross(at_s * S)
    hand.pair(10, RIGHT)
    for at_s in (17, 25):
        hand.cross(at_s * S)
    (result,) = hand.results
    assert (result.evidence.clock_trusted, finished(result), result.score_ms) == (True, 25 * S, 8000)
    assert [lap.ended_ns - RIGHT for lap in result.laps] == [9 * S, 17 * S, 25 * S]


def test_a_clock_that_was_right_all_along_is_only_confirmed() -> None:
    hand = Unset(RIGHT)
    hand.run_of("Ann", 10)
    hand.pair(60)
    first, second = hand.results
    assert (first.evidence.clock_trusted, second.evidence.clock_trusted, second.revision) == (False, True, 2)
    assert replace(second, revision=1, evidence=first.evidence) == first


def test_a_clock_that_was_trusted_and_jumped_after_all() -> None:
    """The kernel reported it as synchronised, then it jumped ahead by ten days: the newest trusted time counts."""
    hand = Unset(WRONGS["ten days behind"], known=True)
    hand.run_of("Ann", 10)
    hand.pair(60, RIGHT)
    assert [(r.revision, r.evidence.clock_trusted) for r in hand.results] == [(1, True), (2, True)]
    assert finished(hand.results[-1]) == 35 * S


def test_a_clock_that_lost_its_server_goes_on() -> None:
    hand = Unset(RIGHT, known=True)
    hand.run_of("Ann", 10)
    assert only(hand.pair(60, 0, known=False), f.ClockCorrected) == []
    hand.run_of("Bob", 70)
    assert [r.evidence.clock_trusted for r in hand.results] == [True, True]
    assert hand.results[-1].laps[0].ended_ns == RIGHT + 79 * S


def test_small_steps_correct_nothing() -> None:
    hand = Unset(RIGHT, known=True)
    hand.run_of("Ann", 10)
    assert only(hand.pair(60, RIGHT + 9 * S), f.ClockCorrected) == []
    assert len(hand.results) == 1


def test_a_device_with_a_clock_of_its_own_is_corrected_with_the_station() -> None:
    hand = Unset(WRONGS["1970"])
    hand.do(e.ClockPair(e.Moment("decoder", 5 * S, hand.utc_ns + 105 * S), False))  # 100 s behind the station's own
    now = hand.at(10 * S)
    hand.do(e.OpenRun(author="j", racer="Ann", car="car-1", moment=now))
    hand.do(e.StartRun(author="j", moment=now))
    for at_s in (11, 19, 27, 35):
        hand.cross(at_s * S, boot="decoder")
    hand.pair(200, RIGHT)
    marked, corrected = hand.results
    assert (marked.evidence.clock_trusted, corrected.evidence.clock_trusted) == (False, True)
    assert [lap.ended_ns - RIGHT for lap in corrected.laps] == [119 * S, 127 * S, 135 * S]


def test_a_mock_worlds_clock_that_runs_faster_corrects_nothing() -> None:
    hand = Unset(RIGHT, known=True)
    hand.do(e.ClockPair(hand.at(0), paced=True))
    hand.run_of("Ann", 10)
    hand.utc_ns -= 300 * S
    assert only(hand.do(e.ClockPair(hand.at(400 * S), paced=True)), f.ClockCorrected) == []
    assert len(hand.results) == 1


def test_records_of_the_first_edition_are_never_corrected() -> None:
    hand = Unset(WRONGS["1970"], known=True)
    hand.do(e.Booted(hand.at(0), "station-1", (e.GateSpec("start"),), edition=1))
    hand.run_of("Ann", 10)
    assert hand.pair(60, RIGHT) == (f.ClockPairStored(BOOT, True),)
    assert len(hand.results) == 1


def test_equal_scores_are_ordered_by_the_right_times() -> None:
    """Ann's clock showed 1970, and Bob drove before her on another day's clock, both under one station."""
    hand = Unset(RIGHT, known=True)
    hand.run_of("Bob", 10)
    hand.do(
        e.Booted(e.Moment("boot-b", 0, 0), "station-1", (e.GateSpec("start"),), start="22" * 4, clock_trusted=False)
    )
    now = e.Moment("boot-b", 10 * S, 10 * S)
    hand.do(e.OpenRun(author="j", racer="Ann", car="car-1", moment=now))
    hand.do(e.StartRun(author="j", moment=now))
    for at_s in (11, 19, 27, 35):
        hand.cross(at_s * S, boot="boot-b")
    hand.do(e.ClockPair(e.Moment("boot-b", 60 * S, RIGHT + HOUR)))
    assert hand.engine.race is not None
    assert [line.racer for line in hand.engine.race.standings.lines()] == ["Bob", "Ann"]


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(list(WRONGS.values())),
    st.lists(st.sampled_from(["run", "pair", "lost", "wrong", "set"]), max_size=8),
)
def test_whatever_happens_to_the_clock_laps_stay_and_every_result_is_right_in_the_end(
    wrong: int, steps: list[str]
) -> None:
    hand, at_s, runs = Unset(wrong), 10, 0
    for step in steps:
        at_s += 60
        if step == "run":
            runs += 1
            hand.run_of(f"racer-{runs}", at_s)
            assert hand.lap_times == [8 * S] * 3
        elif step == "pair":
            hand.pair(at_s, RIGHT)
        elif step == "lost":
            hand.pair(at_s, known=False)
        elif step == "wrong":
            hand.pair(at_s, wrong + 5 * HOUR, known=False)
        else:
            now = hand.at(at_s * S)
            hand.do(e.SetClock(author="j", utc_ms=(RIGHT + at_s * S) // MS, moment=now))
    hand.run_of("last", at_s + 60)
    hand.pair(at_s + 120, RIGHT)
    newest: dict[str, Result] = {}
    for result in hand.results:
        assert result.revision > (newest[result.result_id].revision if result.result_id in newest else 0)
        newest[result.result_id] = result
    assert len(newest) == runs + 1
    for result in newest.values():
        assert result.evidence.clock_trusted
        assert all(abs(lap.ended_ns - RIGHT) < (at_s + 600) * S for lap in result.laps)
    again = Engine()
    assert [again.handle(event) for event in hand.inputs] == hand.facts


# On a leaderboard with a window


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS.keys())
@pytest.mark.parametrize("when_paired", ["before the post", "after the post"])
def test_both_racers_end_on_the_board(tmp_path: pathlib.Path, wrong: int, when_paired: str) -> None:
    """The first run is timed before the clock is known; whichever revisions come first, none is rejected for good."""
    hand = Unset(wrong)
    hand.run_of("Ann", 10)
    if when_paired == "after the post":
        hand.pair(60, RIGHT)
    hand.pair(60, RIGHT)
    hand.run_of("Bob", 70, lap_s=9)
    board = open_board(tmp_path / "b.db")
    board.create_race(OPEN_RACE, 1)
    answers = [board.apply(r.webhook_id, encode_result(r), RIGHT + 200 * S) for r in hand.results]
    assert [answer.status for answer in answers] == [201] * 3
    shown = board.snapshot("race-1").rows
    assert [(row.placed.racer, row.result.finished_utc_ns - RIGHT) for row in shown] == [
        ("Ann", 35 * S),
        ("Bob", 98 * S),
    ]
    board.close()


def test_a_vendor_that_refuses_a_wrong_time_takes_the_correction(tmp_path: pathlib.Path) -> None:
    """As the case `no clock battery`: nothing showed that the clock was wrong before it jumped."""
    hand = Unset(WRONGS["ten days behind"], known=True)
    hand.run_of("Ann", 10)
    hand.pair(60, RIGHT)
    board = open_board(tmp_path / "b.db")
    board.create_race(RaceRecord("race-1", "Cup", "league", "physical", "Oval", RULES, opens_utc_ns=RIGHT - HOUR), 1)
    answers = [board.apply(r.webhook_id, encode_result(r), RIGHT + 200 * S) for r in hand.results]
    assert [answer.status for answer in answers] == [422, 201]
    assert [placed.racer for placed in board.standings("race-1")] == ["Ann"]
    board.close()


@pytest.mark.parametrize("again", [True, False], ids=["told again", "told once"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("boot", [BOOT, "decoder", "nobody paired it"])
@pytest.mark.parametrize("wrong", [WRONGS["ten days behind"], WRONGS["2040"], RIGHT - 3 * HOUR])
def test_a_clock_that_jumps_in_the_middle_of_a_run_ends_right_on_the_board(
    tmp_path: pathlib.Path, wrong: int, boot: str, known: bool, again: bool
) -> None:
    """As the case `no clock battery`, with the clock pair in the middle of Ann's run; equal scores, so times decide."""
    hand = Unset(wrong, known)
    if boot == "decoder":
        hand.do(e.ClockPair(e.Moment(boot, 0, wrong), known))
    for racer, from_s in (("Ann", 10), ("Bob", 70)):
        now = hand.at(from_s * S)
        hand.do(e.OpenRun(author="j", racer=racer, car="car-1", moment=now))
        hand.do(e.StartRun(author="j", moment=now))
        for number in range(4):
            hand.cross((from_s + 1 + number * 8) * S, boot=boot)
            if (racer, number) == ("Ann", 1):
                hand.pair(from_s + 12, RIGHT)
        if again:
            hand.pair(from_s + 40)
    board = open_board(tmp_path / "b.db")
    board.create_race(OPEN_RACE, 1)
    answers = [board.apply(r.webhook_id, encode_result(r), RIGHT + 200 * S).status for r in hand.results]
    assert answers == ([422, 201, 201] if known else [201, 201])
    shown = board.snapshot("race-1").rows
    assert [(row.placed.racer, row.result.finished_utc_ns - RIGHT) for row in shown] == [
        ("Ann", 35 * S),
        ("Bob", 95 * S),
    ]
    assert [[lap.ended_ns - RIGHT for lap in row.result.laps] for row in shown] == [
        [19 * S, 27 * S, 35 * S],
        [79 * S, 87 * S, 95 * S],
    ]
    board.close()


def test_a_tie_gains_nothing_by_a_wrong_clock(tmp_path: pathlib.Path) -> None:
    """Equal scores: the one stamped 1970 came later and ranks second; corrected, it ranks by its time."""
    early, late = Unset(RIGHT, known=True), Unset(0)
    early.run_of("Bob", 10)
    late.run_of("Ann", 10)
    ann = replace(late.results[0], result_id="hall-2.run-1")
    board = open_board(tmp_path / "b.db")
    board.create_race(RaceRecord("race-1", "Cup", "league", "physical", "Oval", RULES), 1)
    for result in (early.results[0], ann):
        assert board.apply(result.webhook_id, encode_result(result), RIGHT + HOUR).status == 201
    assert [placed.racer for placed in board.standings("race-1")] == ["Bob", "Ann"]
    assert board.snapshot("race-1").rows[1].result.finished_utc_ns == RIGHT + HOUR
    right = replace(ann, revision=2, finished_utc_ns=RIGHT, evidence=replace(ann.evidence, clock_trusted=True))
    assert board.apply(right.webhook_id, encode_result(right), RIGHT + 2 * HOUR).status == 201
    assert [placed.racer for placed in board.standings("race-1")] == ["Ann", "Bob"]
    board.close()


def test_a_run_from_outside_of_the_window_is_withdrawn_when_its_time_is_known(tmp_path: pathlib.Path) -> None:
    hand = Unset(0)
    hand.run_of("Ann", 10)
    hand.pair(60, RIGHT - 2 * HOUR)  # driven before the race opened
    board = open_board(tmp_path / "b.db")
    board.create_race(RaceRecord("race-1", "Cup", "league", "physical", "Oval", RULES, opens_utc_ns=RIGHT), 1)
    marked, corrected = hand.results
    assert board.apply(marked.webhook_id, encode_result(marked), RIGHT + HOUR).status == 201
    answer = board.apply(corrected.webhook_id, encode_result(corrected), RIGHT + HOUR)
    assert (answer.status, b'"score_ms":null' in answer.body) == (201, True)
    assert board.standings("race-1") == []
    board.close()


def test_the_mark_is_left_out_where_the_clock_is_trusted() -> None:
    hand = Unset(RIGHT, known=True)
    hand.run_of("Ann", 10)
    payload = encode_result(hand.results[0])
    assert b"clock_trusted" not in payload
    assert decode_result(payload).evidence.clock_trusted


# The station at work


def test_the_station_says_it_and_an_official_sets_it(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db")
    rig.clock.trusted = False
    rig.clock.reboot("boot-without-a-battery")
    rig.restart()
    rig.settle()
    view = rig.station.snapshot()
    assert not view.clock.trusted
    for name in ("operate", "live"):
        page = Pages(PAGES, TOPICS).page(name, view)
        assert "clock is not set: times of day are wrong" in page
        assert ('data-command="set_clock" data-now' in page) == (name == "operate")
    rig.open()
    rig.go()
    for _ in range(4):
        rig.cross(8)
    wrong = rig.clock.utc_ns()
    assert isinstance(rig.give(e.SetClock(author="judge", utc_ms=(wrong + 864_000 * S) // MS)), Accepted)
    view = rig.station.snapshot()
    assert view.clock.trusted
    assert abs(view.clock.utc_ns - wrong - 864_000 * S) < 2 * MS
    assert view.run is not None
    rig.restart()  # within the same boot, the time that the official set counts
    rig.settle()
    view = rig.station.snapshot()
    assert view.clock.trusted
    assert view.clock.utc_ns - wrong > 860_000 * S
    assert isinstance(rig.give(e.SetClock(author="judge", utc_ms=1)), Declined)
    source = OutboxReader(tmp_path / "station.db")  # the sync service stamps its posts by the same time
    assert abs(utc_s(rig.clock, source) * S - view.clock.utc_ns) < S
    assert source.offset_ns("another-boot") is None
    rig.clock.trusted = True
    assert utc_s(rig.clock, source) == rig.clock.utc_ns() / S
    rig.clock.trusted = False
    source.close()
    results = [decode_result(result) for record in rig.station.journal.records() for result in record.results]
    assert [result.evidence.clock_trusted for result in results] == [False, True]
    assert results[1].finished_utc_ns - results[0].finished_utc_ns == pytest.approx(864_000 * S, abs=2 * MS)
    check(rig.station.journal)
    rig.station.close()


def test_a_jump_is_journaled_at_once_and_after_the_run(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db")
    rig.open()
    rig.go()
    for _ in range(2):
        rig.cross(8)
    rig.clock.step_utc(864_000 * S)
    for _ in range(2):
        rig.cross(8)
    rig.wait(S)
    facts = b"".join(rig.facts())
    assert facts.count(b"ClockCorrected") == 1  # not during the run, whose laps are all on one time scale
    results = [decode_result(result) for record in rig.station.journal.records() for result in record.results]
    assert [result.revision for result in results] == [1, 2]
    assert results[1].finished_utc_ns - results[0].finished_utc_ns == 864_000 * S
    records = rig.station.journal.head.seq
    for _ in range(20):
        rig.wait(S)
    assert rig.station.journal.head.seq == records
    check(rig.station.journal)
    rig.station.close()


@pytest.mark.parametrize("utc_ms", [0, -1, 10**15, 1_000_000])
def test_a_device_without_a_clock_sets_none(tmp_path: pathlib.Path, utc_ms: int) -> None:
    rig = Rig(tmp_path / "station.db")
    answer = rig.give(e.SetClock(author="judge", utc_ms=utc_ms))
    assert isinstance(answer, Declined)
    assert "is not between 2020 and 2100" in answer.sentence
    rig.station.close()


# The machine


@pytest.mark.parametrize(
    ("server", "rtc_s", "utc_ns", "known"),
    [
        (True, None, RIGHT, True),
        (True, None, 40 * S, False),  # a clock at 1970 is wrong, whoever vouches for it
        (False, None, RIGHT, False),
        (False, RIGHT // S, RIGHT, True),
        (False, 40, RIGHT, False),  # the battery is empty, and somebody guessed the time
        (False, RIGHT // S - 864_000, RIGHT, False),
    ],
)
def test_who_vouches_for_the_clock(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, server: bool, rtc_s: int | None, utc_ns: int, known: bool
) -> None:
    rtc = tmp_path / "since_epoch"
    if rtc_s is not None:
        rtc.write_text(f"{rtc_s}\n")
    monkeypatch.setattr(clock_set, "is_synchronised", lambda: server)
    assert clock_set.is_set(utc_ns, rtc) == known


def test_this_machine_is_asked_without_changing_it() -> None:
    assert clock_set.is_synchronised() in (True, False)
    assert SystemClock().trusted in (True, False)


def test_the_kernel_is_asked_once_a_second_and_when_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a battery's clock takes milliseconds, so not every crossing may ask whether the clock is set."""
    now_ns, utc_ns, reads = 5 * S, 1_770_000_000 * S, []
    monkeypatch.setattr("shared.clock.time.monotonic_ns", lambda: now_ns)
    monkeypatch.setattr("shared.clock.time.time_ns", lambda: utc_ns)
    monkeypatch.setattr("shared.clock.is_set", lambda at_ns: reads.append(at_ns) or len(reads) > 1)
    clock = SystemClock()
    assert [clock.trusted for _ in range(100)] == [False] * 100
    assert len(reads) == 1
    utc_ns += 3600 * S  # a time server was found
    assert clock.trusted
    assert [clock.trusted for _ in range(100)] == [True] * 100
    assert reads == [1_770_000_000 * S, 1_770_003_600 * S]
    now_ns, utc_ns = now_ns + S, utc_ns + S
    assert clock.trusted
    assert len(reads) == 3


def test_a_gate_that_lived_on_while_the_station_was_down_is_put_beside_its_new_clock(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db")

    def paired() -> list[str]:
        inputs = [decode_input(record.input) for record in rig.station.journal.records()]
        return [
            item.moment.boot for item in inputs if isinstance(item, e.ClockPair) and item.moment.boot == "device:x.1"
        ]

    def edge(seq: int) -> None:
        rig.station.received.gate_event(e.Edge("start", "beam", True, seq * S, seq, "device:x.1"))
        rig.settle()

    edge(1)
    edge(2)
    rig.restart()
    edge(3)
    assert len(paired()) == 1, "within one boot its clock and ours go on"
    rig.clock.reboot("boot-2")
    rig.restart()
    edge(4)
    edge(5)
    assert len(paired()) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("by_ns", "trusted"), [(HOUR, True), (-HOUR, False)])
def test_a_reboot_within_a_run_loses_no_lap_whatever_the_clock_says_then(
    tmp_path: pathlib.Path, by_ns: int, trusted: bool
) -> None:
    rig = Rig(tmp_path / "station.db", RaceRules(time_limit_s=60.0))
    rig.open()
    rig.go()
    for _ in range(2):
        rig.cross(8)
    rig.clock.reboot("boot-2")
    rig.clock.step_utc(by_ns)
    rig.clock.trusted = trusted
    rig.restart()
    rig.wait(S)
    assert "The station restarted during this run" in Pages(PAGES, TOPICS).page("operate", rig.station.snapshot())
    for _ in range(4):
        rig.cross(8)
    run = rig.station.snapshot().run
    assert run is not None
    assert run.phase == "running"
    assert [lap.valid for lap in run.laps] == [True, False, True, True, True]
    for _ in range(4):
        rig.cross(8)
    run = rig.station.snapshot().run
    assert run is not None
    assert run.finished_reason == "time is up"
    assert "The station restarted during this run" not in Pages(PAGES, TOPICS).page("operate", rig.station.snapshot())
    check(rig.station.journal)
