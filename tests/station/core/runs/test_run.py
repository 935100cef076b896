"""A run: the table of its phases, laps from crossings, how a run ends, and its score."""

import pytest

from shared.protocol.messages import RunPhase
from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.phases import RACE
from tests.station.core.scripted_race import BOOT, MS, Hand, S, moment, only

AT = moment(0)
COMMANDS: dict[str, e.Command] = {
    "arm": e.ArmRun(author="judge", moment=AT),
    "start": e.StartRun(author="judge", moment=AT),
    "finish": e.FinishRun(author="judge", moment=AT),
    "abandon": e.AbandonRun(author="judge", moment=AT),
    "resume": e.ResumeRun(author="judge", moment=AT),
    "off_track": e.OffTrack(author="judge", moment=AT),
    "collision": e.Collision(author="judge", moment=AT),
    "reset": e.CarReset(author="judge", moment=AT),
    "void_lap": e.VoidLap(author="judge", number=1, moment=AT),
    "restore_lap": e.RestoreLap(author="judge", number=1, moment=AT),
    "add_penalty": e.AddPenalty(author="judge", number=1, seconds=1.0, moment=AT),
    "add_crossing": e.AddCrossing(author="judge", at_ns=5 * S, moment=moment(99 * S)),
    "drop_crossing": e.DropCrossing(author="judge", number=1, moment=AT),
    "reassign": e.ReassignRun(author="judge", racer="Bob", moment=AT),
    "hand_time": e.HandTime(author="judge", moment=AT),
    "order": e.OrderCar(author="judge", car="car-1", action="stop", moment=AT),
    "set_mode": e.SetMode(author="judge", mode="test", moment=AT),
    "open_run": e.OpenRun(author="judge", racer="Cyd", car="car-2", moment=AT),
}


def hand_in(phase: str) -> Hand:
    hand = Hand()
    if phase != "idle":
        hand.open()
    if phase in ("running", "finished"):
        hand.go()
        hand.cross(1 * S)
        hand.cross(9 * S)
    if phase == "finished":
        hand.do(e.FinishRun(author="judge", moment=AT))
    return hand


@pytest.mark.parametrize("phase", RACE)
def test_only_what_the_table_has_is_done(phase: RunPhase) -> None:
    for name, command in COMMANDS.items():
        hand = hand_in(phase)
        run = hand.engine.run
        facts = hand.do(command)
        refusals = only(facts, f.CommandRefused)
        if type(command) not in RACE[phase]:
            assert len(refusals) == len(facts) == 1, name
            assert f"`{name}` cannot be done while the run is {phase}" in refusals[0].sentence
            assert hand.engine.run is run, name
        elif refusals:  # allowed by the table, and refused for a reason of its own
            assert "cannot be done while" not in refusals[0].sentence, name
        else:
            assert facts, name


def test_nothing_runs_without_a_race() -> None:
    engine = Hand().engine.__class__()
    facts = engine.handle(e.OpenRun(author="judge", racer="Ann", car="car-1", moment=AT))
    assert "No race is open" in only(facts, f.CommandRefused)[0].sentence
    assert engine.run is None


def test_laps_are_differences_of_stamps() -> None:
    hand = Hand()
    hand.open()
    hand.go()
    first = hand.cross(3_000_000_001)
    assert only(first, f.RunStarted)[0].at_ns == 3_000_000_001
    hand.cross(11_500_000_003)
    hand.cross(20_000_000_004)
    assert hand.lap_times == [8_500_000_002, 8_500_000_001]
    assert all(lap.uncertainty_ns == 2000 and lap.valid and lap.source == "gate" for lap in hand.laps)


def test_crossings_before_the_start_and_after_the_end_count_for_nobody() -> None:
    hand = Hand()
    why = [only(hand.cross(1 * S), f.Unattributed)[0].why]
    hand.open()
    why.append(only(hand.cross(3 * S), f.Unattributed)[0].why)
    hand.go()
    hand.cross(6 * S)
    hand.do(e.FinishRun(author="judge", moment=moment(7 * S)))
    why.append(only(hand.cross(9 * S), f.Unattributed)[0].why)
    assert why == ["no run is on", "the start has not been given", "no run is on"]
    assert hand.laps == ()


def test_sooner_than_any_lap_is_flagged_and_ends_no_lap() -> None:
    hand = Hand(RaceRules(min_lap_s=4.0))
    hand.open()
    hand.go()
    hand.cross(1 * S)
    assert only(hand.cross(4 * S), f.CrossingFlagged)[0].at_ns == 4 * S
    hand.cross(9 * S)
    assert hand.lap_times == [8 * S]
    facts = hand.do(e.AddCrossing(author="judge", at_ns=4 * S, moment=moment(10 * S)))
    assert only(facts, f.LapsRecomputed)
    assert hand.lap_times == [3 * S, 5 * S]
    assert hand.laps[0].source == "gate"
    assert hand.laps[0].reason == "shorter than any lap can be"
    assert hand.run.book.flagged == []


def test_the_last_lap_ends_the_run_and_makes_its_result_due() -> None:
    hand = Hand(RaceRules(max_laps=3))
    hand.open()
    hand.go()
    for at_s in (1, 10, 18, 25):
        facts = hand.cross(at_s * S)
    assert only(facts, f.RunFinished)[0].reason == "all laps done"
    assert only(facts, f.CarOrdered)[0].action == "stop"
    assert only(facts, f.Qualified)[0].score_ms == 8000
    due = only(facts, f.ResultDue)[0].result
    assert (due.result_id, due.revision, due.webhook_id) == ("race-1.run-1", 1, "race-1.run-1.1")
    assert [lap.lap_ns for lap in due.laps] == [9 * S, 8 * S, 7 * S]
    assert due.finished_utc_ns == moment(25 * S).utc_ns
    assert [line.racer for line in only(facts, f.StandingChanged)[0].lines] == ["Ann"]


def test_too_few_laps_do_not_qualify_and_are_an_attempt_without_a_score() -> None:
    hand = Hand()
    hand.drive([1, 9, 17])
    facts = hand.do(e.FinishRun(author="judge", moment=moment(20 * S)))
    assert only(facts, f.Qualified)[0].score_ms is None
    [due] = [fact.result for fact in only(facts, f.ResultDue)]
    assert (due.qualified, due.score_ms, due.v, len(due.laps)) == (False, 0, 2, 2)
    assert not only(facts, f.StandingChanged)
    # A ruling gives it a third lap: from now on every leaderboard has it, and reads that it lost its score again.
    added = hand.do(e.AddCrossing(at_ns=25 * S, author="judge", reason="a hand", moment=moment(30 * S)))
    [due] = [fact.result for fact in only(added, f.ResultDue)]
    assert (due.qualified, due.score_ms, due.v, due.revision) == (True, 8000, 1, 2)
    voided = hand.do(e.VoidLap(author="judge", reason="a short cut", number=2, moment=moment(31 * S)))
    [due] = [fact.result for fact in only(voided, f.ResultDue)]
    assert (due.qualified, due.disqualified, due.score_ms, due.v, due.revision) == (False, False, 0, 1, 3)


def test_a_disqualified_run_says_so_and_an_older_race_s_runs_without_a_score_stay_at_the_station() -> None:
    hand = Hand()
    hand.drive([1, 9, 17])
    hand.do(e.FinishRun(author="judge", moment=moment(20 * S)))
    facts = hand.do(e.Disqualify(author="judge", reason="two batteries", moment=moment(21 * S)))
    [due] = [fact.result for fact in only(facts, f.ResultDue)]
    assert (due.qualified, due.disqualified, due.v, due.revision) == (False, True, 2, 2)
    old = Hand()
    old.do(e.OpenRace(moment(0), "old", "An old race", RaceRules(), officiating=e.ATTEMPTS - 1))
    old.drive([1, 9, 17])
    assert not only(old.do(e.FinishRun(author="judge", moment=moment(20 * S))), f.ResultDue)


def test_a_run_that_never_began_is_no_attempt() -> None:
    hand = Hand()
    hand.open()
    hand.go()
    assert not only(hand.do(e.FinishRun(author="judge", moment=moment(20 * S))), f.ResultDue)


def test_an_abandoned_run_does_not_count_and_costs_no_attempt() -> None:
    hand = Hand(RaceRules(attempts_per_racer=1))
    hand.drive([1, 9, 17, 25])
    facts = hand.do(e.AbandonRun(author="judge", moment=moment(30 * S), reason="the battery"))
    assert not only(facts, f.ResultDue)
    assert not only(hand.open("Ann", at_ns=40 * S), f.CommandRefused)


def test_attempts_run_out() -> None:
    hand = Hand(RaceRules(attempts_per_racer=1, max_laps=3))
    hand.drive([1, 9, 17, 25])
    assert "all 1 attempts" in only(hand.open("Ann"), f.CommandRefused)[0].sentence
    assert only(hand.open("Bob"), f.RunOpened)[0].attempt == 1


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"racer": " "}, "racer's name"),
        ({"racer": "a\nb"}, "racer's name"),
        ({"car": "Car 1"}, "cannot name a machine"),
        ({"run_id": "a/b"}, "cannot name a machine"),
        ({"throttle_percent": 0}, "1 to 100"),
    ],
)
def test_a_run_is_opened_with_fit_names(fields: dict[str, object], word: str) -> None:
    hand = Hand()
    values = {"racer": "Ann", "car": "car-1", **fields}
    facts = hand.do(e.OpenRun(author="judge", moment=AT, **values))  # type: ignore[arg-type]
    assert word in only(facts, f.CommandRefused)[0].sentence
    assert hand.engine.run is None


def test_a_run_id_is_used_once() -> None:
    hand = Hand()
    hand.open(run_id="heat-1")
    hand.do(e.AbandonRun(author="judge", moment=AT))
    assert "already a run" in only(hand.open(run_id="heat-1"), f.CommandRefused)[0].sentence


def test_the_time_limit_is_judged_by_stamps() -> None:
    hand = Hand(RaceRules(time_limit_s=20.0))
    hand.drive([1, 9, 17])
    assert hand.tick(20 * S) == ()
    assert hand.tick(21 * S + 499 * MS) == ()  # an edge may still be on its way
    facts = hand.cross(21 * S)  # exactly at the limit: in time
    assert only(facts, f.LapCompleted)
    facts = hand.tick(21 * S + 500 * MS)
    assert only(facts, f.RunFinished)[0].reason == "time is up"
    assert only(facts, f.RunFinished)[0].utc_ns == moment(21 * S).utc_ns
    assert len(hand.laps) == 3


def test_a_crossing_after_the_limit_ends_the_run_and_no_lap() -> None:
    hand = Hand(RaceRules(time_limit_s=20.0))
    hand.drive([1, 9, 17])
    facts = hand.cross(21 * S + 1)
    assert only(facts, f.Unattributed)[0].why == "it came after the time limit"
    assert only(facts, f.RunFinished)[0].reason == "time is up"
    assert len(hand.laps) == 2


def test_the_limit_goes_on_over_a_boot_of_the_station() -> None:
    hand = Hand(RaceRules(time_limit_s=20.0))
    hand.drive([1, 9])
    utc_ns = moment(11 * S).utc_ns  # 10 s into the run, on a new clock
    facts = hand.do(e.Tick(e.Moment("boot-b", 3 * S, utc_ns)))
    assert only(facts, f.RunClock) == [f.RunClock("run-1", "boot-b", -7 * S)]
    assert hand.do(e.Tick(e.Moment("boot-b", 13 * S, utc_ns + 10 * S))) == ()
    assert only(hand.do(e.Tick(e.Moment("boot-b", 13 * S + 500 * MS, 0))), f.RunFinished)


def test_a_lap_over_a_boot_of_the_gate_is_void_by_rule() -> None:
    hand = Hand(RaceRules(consecutive_laps=1, max_laps=3))
    hand.drive([1, 9])
    hand.seq = 0
    hand.cross(2 * S, boot="boot-b")
    hand.cross(10 * S, boot="boot-b")
    assert [(lap.lap_ns, lap.valid) for lap in hand.laps] == [(8 * S, True), (0, False), (8 * S, True)]
    assert "void by rule" in hand.laps[1].reason
    facts = hand.do(e.RestoreLap(author="judge", number=2, moment=AT))
    assert "not voided by an official: void by rule" in only(facts, f.CommandRefused)[0].sentence


def test_a_step_of_the_wall_clock_changes_no_lap() -> None:
    still, stepped = Hand(), Hand()
    for hand in (still, stepped):
        hand.drive([1, 9])
    stepped.do(e.ClockPair(e.Moment(BOOT, 10 * S, 0)))
    for hand in (still, stepped):
        hand.cross(17 * S)
    assert still.laps == stepped.laps


def test_incidents_count_in_the_lap_in_which_they_happened() -> None:
    hand = Hand(RaceRules(consecutive_laps=1, off_track_penalty_s=2.0, max_resets_per_lap=1, max_laps=3))
    hand.drive([1, 9, 17])
    hand.do(e.OffTrack(author="marshal", at_ns=5 * S, moment=moment(18 * S)))
    hand.do(e.Collision(author="marshal", moment=moment(18 * S)))
    for _ in range(2):
        hand.do(e.CarReset(author="marshal", moment=moment(18 * S)))
    assert only(hand.facts[-1], f.Incident)[0].number == 3
    hand.cross(24 * S)
    assert [(lap.off_tracks, lap.collisions, lap.resets) for lap in hand.laps] == [(1, 0, 0), (0, 0, 0), (0, 1, 2)]
    assert hand.laps[2].reason == "2 resets, 1 allowed"
    assert hand.run.score is not None
    assert hand.run.score.score_ms == 8000  # lap 1 has a penalty of 2 s, lap 3 had too many resets


def test_split_crossings_are_attributed_and_end_no_lap() -> None:
    hand = Hand(None, e.GateSpec("start"), e.GateSpec("split-1", kind="split"))
    hand.drive([1])
    hand.seq = 0
    facts = hand.edge(5 * S, gate="split-1")
    assert only(facts, f.Attributed)
    hand.seq = 2
    hand.cross(9 * S)
    assert hand.lap_times == [8 * S]


def test_a_race_is_not_changed_under_a_run() -> None:
    hand = Hand()
    again = e.OpenRace(moment(5), "race-1", "A race", RaceRules())
    assert hand.do(again) == ()
    hand.open()
    other = e.OpenRace(moment(5), "race-2", "Another", RaceRules())
    assert only(hand.do(other), f.CommandRefused)
    hand.do(e.AbandonRun(author="judge", moment=AT))
    harder = e.OpenRace(moment(5), "race-1", "A race", RaceRules(consecutive_laps=5))
    assert "under other rules" in only(hand.do(harder), f.CommandRefused)[0].sentence
    assert only(hand.do(other), f.RaceOpened)
    assert hand.engine.run is None


def test_a_hand_tap_is_a_witness_and_no_crossing() -> None:
    hand = Hand()
    hand.drive([1, 9])
    facts = hand.do(e.HandTime(author="judge", moment=moment(9 * S + 150 * MS)))
    assert only(facts, f.HandTimeRecorded)[0].off_ns == 150 * MS
    assert len(hand.laps) == 1
