"""What is announced: each thing once, nothing that may still change, and a correction for what a ruling changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.views.best_laps import BestLaps
from station.views.trackside.announcements import QUIET_NS, Announcement, Announcer, spoken_time
from tests.station.core.scripted_race import Hand, S, moment

RULES = RaceRules(max_laps=4, consecutive_laps=2, off_track_penalty_s=2.0, method="best_lap")


class Listener(Hand):
    """A scripted race with an announcer; `said` is everything it announced."""

    def __init__(self, rules: RaceRules = RULES) -> None:
        self.announcer, self.bests = Announcer(), BestLaps()
        self.said: list[Announcement] = []
        super().__init__(rules)

    def do(self, event: e.Input) -> tuple[object, ...]:  # type: ignore[override]
        facts = super().do(event)
        race = self.engine.race
        if race is not None:
            self.bests.update(race, list(race.runs))
        at = (
            moment(event.at_ns)
            if isinstance(event, e.Edge)
            else event.moment
            if hasattr(event, "moment")
            else moment(0)
        )
        before = self.announcer.newest[-1].number if self.announcer.newest else 0
        if self.announcer.update(race, facts, self.bests, at):
            self.said += [each for each in self.announcer.newest if each.number > before]
        return facts

    def rule(self, command: e.Command) -> None:
        self.do(command)

    def heard(self, *kinds: str) -> list[str]:
        """What was announced since the last call, of these kinds or of all."""
        said, self.said = self.said, []
        return [each.sentence for each in said if not kinds or each.kind in kinds]


@pytest.fixture
def hand() -> Listener:
    return Listener()


def test_a_run_from_the_call_to_the_lead(hand: Listener) -> None:
    hand.drive([10, 20, 29, 39, 49])
    assert [(each.kind, each.sentence) for each in hand.said] == [
        ("next", "Next: Ann."),
        ("go", "Go!"),
        ("lap", "Ann, lap 1: 10.000."),
        ("best", "Ann, lap 2: 9.000. The fastest lap of the race!"),
        ("lap", "Ann, lap 3: 10.000."),
        ("lap", "Ann, lap 4: 10.000."),
        ("end", "Ann has finished with 9.000."),
        ("leader", "Ann takes the lead!"),
    ]


def test_own_best_best_of_all_and_the_place(hand: Listener) -> None:
    hand.drive([10, 20, 29, 39, 49])
    hand.heard()
    hand.drive([110, 121, 131.5, 141, 152], racer="Ben")
    assert hand.heard("lap", "own_best", "best", "end", "leader") == [
        "Ben, lap 1: 11.000.",
        "Ben, lap 2: 10.500. Own best.",
        "Ben, lap 3: 9.500. Own best.",
        "Ben, lap 4: 11.000.",
        "Ben has finished with 9.500: place 2.",
    ]


def test_a_held_lap_is_announced_only_after_the_decision(hand: Listener) -> None:
    """Operator problem 11: announcing on wrong data."""
    hand.drive([10, 20, 30, 40])
    hand.heard()
    hand.cross(44 * S)  # much shorter than the others
    assert hand.laps[-1].held
    assert hand.heard() == []
    proposal = hand.run.proposals[-1]
    hand.rule(e.DismissProposal(author="judge", reason="seen", at_ns=proposal.at_ns, moment=moment(46 * S)))
    assert hand.heard("lap", "own_best", "best") == ["Ann, lap 4: 4.000. The fastest lap of the race!"]


def test_what_a_ruling_changes_is_corrected_once(hand: Listener) -> None:
    hand.drive([10, 20, 29, 39, 49])
    hand.heard()
    hand.rule(e.VoidLap(author="judge", reason="cut", number=2, moment=moment(60 * S)))
    assert hand.heard() == [
        "Correction for Ann: lap 2 does not count.",
        "Correction for Ann: the score is 10.000 now.",
    ]
    hand.rule(e.AddPenalty(author="judge", reason="pushed", number=3, seconds=1.5, moment=moment(70 * S)))
    assert hand.heard("correction") == ["Correction for Ann: lap 3 is 11.500 now."]
    hand.rule(e.RestoreLap(author="judge", reason="it was fine", number=2, moment=moment(80 * S)))
    assert hand.heard() == [
        "Correction for Ann: lap 2 is 9.000 now.",
        "Correction for Ann: the score is 9.000 now.",
    ]


def test_laps_that_become_others_are_one_correction(hand: Listener) -> None:
    hand.drive([10, 20, 29, 39])
    hand.heard()
    hand.rule(e.DropCrossing(author="judge", reason="a foot", number=1, moment=moment(40 * S)))
    assert hand.heard() == ["Correction: the laps of Ann have changed."]


def test_a_run_that_was_another_racers(hand: Listener) -> None:
    hand.drive([10, 20, 29, 39, 49])
    hand.heard()
    hand.rule(e.ReassignRun(author="judge", reason="mixed up", racer="Ben", moment=moment(60 * S)))
    assert hand.heard() == ["Correction: Ann's run was Ben's.", "Ben leads with 9.000."]


def test_an_abandoned_run_and_one_without_a_score(hand: Listener) -> None:
    hand.drive([10, 20])
    hand.rule(e.AbandonRun(author="judge", reason="broken", moment=moment(25 * S)))
    assert hand.heard("end") == ["Ann's run has ended; it does not count."]
    hand.drive([110, 120], racer="Ben")
    hand.rule(e.FinishRun(author="judge", moment=moment(125 * S)))
    assert hand.heard("end") == ["Ben has finished without a score."]


def test_a_plain_lap_right_after_something_is_only_a_tone(hand: Listener) -> None:
    rules = RaceRules(min_lap_s=0.5)
    hand = Listener(rules)
    hand.drive([10, 12, 14, 16, 18])
    laps = [each for each in hand.said if each.kind == "lap"]
    spoken_at = [each.at_ns for each in laps if each.spoken]
    assert len(laps) == 4
    assert len(spoken_at) == 2
    assert spoken_at[1] - spoken_at[0] >= QUIET_NS


def test_nothing_from_before_a_start_is_announced_again(hand: Listener) -> None:
    hand.drive([10, 20, 29])
    hand.announcer = Announcer()
    hand.announcer.resume(hand.engine.race, hand.bests)
    hand.heard()
    hand.cross(39 * S)
    assert hand.heard() == ["Ann, lap 3: 10.000."]


def test_another_race_begins_in_silence(hand: Listener) -> None:
    hand.drive([10, 20, 29, 39, 49])
    hand.heard()
    hand.do(e.OpenRace(moment(60 * S), "race-2", "Another", RULES))
    assert hand.heard() == []
    hand.drive([110, 120], racer="Ben")
    assert hand.heard("lap") == ["Ben, lap 1: 10.000."]


@pytest.mark.parametrize(
    ("ms", "spoken"),
    [(9214, "9.214"), (999, "0.999"), (60_000, "one minute 0.000"), (62_345, "one minute 2.345"),
     (600_500, "10 minutes 0.500")],
)  # fmt: skip
def test_times_as_they_are_spoken(ms: int, spoken: str) -> None:
    assert spoken_time(ms) == spoken


@given(
    st.lists(
        st.sampled_from(["cross", "off", "void", "restore", "penalty", "drop", "finish", "abandon", "open"]),
        max_size=25,
    )
)
def test_nothing_is_announced_twice_and_the_last_word_on_each_lap_is_right(acts: list[str]) -> None:
    hand = Listener(RaceRules(max_laps=4, off_track_penalty_s=1.0, consecutive_laps=1))
    now_s = 10
    hand.open(at_ns=now_s * S)
    hand.go(now_s * S)
    for act in acts:
        now_s += 7
        at = moment(now_s * S)
        match act:
            case "cross":
                hand.cross(now_s * S)
            case "open":
                hand.open(f"Racer {now_s}", at_ns=now_s * S)
                hand.go(now_s * S)
            case _:
                more = {
                    "void": {"number": 1},
                    "restore": {"number": 1},
                    "penalty": {"number": 1, "seconds": 1.0},
                    "drop": {"number": 1},
                }
                kind = {
                    "off": e.OffTrack,
                    "void": e.VoidLap,
                    "restore": e.RestoreLap,
                    "penalty": e.AddPenalty,
                    "drop": e.DropCrossing,
                    "finish": e.FinishRun,
                    "abandon": e.AbandonRun,
                }[act]
                hand.do(kind(author="judge", reason="so", moment=at, **more.get(act, {})))  # type: ignore[arg-type]
    numbers = [each.number for each in hand.said]
    assert numbers == sorted(set(numbers))
    spoken = [each.sentence for each in hand.said if each.kind in ("lap", "own_best", "best", "end", "next")]
    per_run = [(each.run_id, each.kind, each.sentence) for each in hand.said if each.kind in ("end", "next")]
    assert len(per_run) == len(set(per_run)), spoken
    assert hand.engine.race is not None
    for run in hand.engine.race.runs.values():
        known = hand.announcer._laps.get(run.run_id, {})
        assert {number: figure.valid for number, figure in known.items()} == {
            lap.number: lap.valid for lap in run.book.laps() if not lap.held
        } or run.proposals
