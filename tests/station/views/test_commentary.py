"""The laps that the commentator and the lap chart show: of the racers on the track, their history, and the leaders."""

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.views.trackside.commentary import HISTORY, LEADERS, CommentaryView, commentary
from tests.station.core.scripted_race import Hand, S, moment

RULES = RaceRules(max_laps=3, consecutive_laps=2, off_track_penalty_s=2.0)


def view_of(hand: Hand) -> CommentaryView:
    assert hand.engine.race is not None
    return commentary(hand.engine.race, hand.engine.race.standings.lines())


def test_an_empty_race_has_nothing_to_tell() -> None:
    assert view_of(Hand(RULES)) == CommentaryView()


def test_the_racer_on_the_track_beside_the_own_history_and_the_leaders() -> None:
    hand = Hand(RULES)
    hand.drive([10, 20, 30, 40], "Ann")
    hand.drive([110, 119, 128, 137], "Ben")
    hand.drive([210, 221, 232], "Ann")
    view = view_of(hand)
    assert [(run.racer, run.on, [lap.lap_ms for lap in run.laps]) for run in view.current] == [
        ("Ann", True, [11_000, 11_000])
    ]
    assert [[run.score_ms for run in history] for history in view.histories] == [[10_000]]
    assert [(run.racer, run.score_ms) for run in view.leaders] == [("Ben", 9_000), ("Ann", 10_000)]


def test_times_carry_their_penalties_and_a_void_lap_says_so() -> None:
    hand = Hand(RULES)
    hand.drive([10, 20, 30])
    hand.do(e.OffTrack(author="judge", at_ns=15 * S, moment=moment(31 * S)))
    hand.do(e.VoidLap(author="judge", reason="cut", number=2, moment=moment(32 * S)))
    laps = view_of(hand).current[0].laps
    assert [(lap.lap_ms, lap.valid) for lap in laps] == [(12_000, True), (10_000, False)]


def test_both_lists_are_limited() -> None:
    hand = Hand(RULES)
    for number in range(LEADERS + 3):
        begun = 100 * number
        hand.drive([begun + 10, begun + 20 + number, begun + 30 + number, begun + 40 + number], f"Racer {number}")
    for number in range(HISTORY + 3):
        begun = 2000 + 100 * number
        hand.drive([begun + 10, begun + 40, begun + 70, begun + 99], "Racer 0")
    view = view_of(hand)
    assert (len(view.leaders), len(view.histories[0])) == (LEADERS, HISTORY)
