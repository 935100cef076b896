"""A gate with its own boots on the station's clock ("STATION-BOOT/DEVICE-BOOT") is on that clock everywhere."""

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.timing.utc_scale import UtcScale
from station.views.projection import run_view
from tests.station.core.scripted_race import BOOT, MS, UTC, Hand, S, moment, only

PICO = f"{BOOT}/pico-1"


def driven(rules: RaceRules | None = None) -> Hand:
    hand = Hand(rules)
    hand.open()
    hand.go()
    for at_s in (1, 9):
        hand.cross(at_s * S, boot=PICO)
    return hand


def test_the_time_limit_needs_no_second_clock() -> None:
    hand = driven(RaceRules(time_limit_s=20.0))
    assert hand.tick(20 * S) == ()
    facts = hand.tick(21 * S + 500 * MS)
    assert only(facts, f.RunClock) == []
    assert only(facts, f.RunFinished)[0].reason == "time is up"


def test_a_tap_and_an_incident_are_placed_by_it() -> None:
    hand = driven()
    facts = hand.do(e.HandTime(author="judge", moment=moment(9 * S + 150 * MS)))
    assert only(facts, f.HandTimeRecorded)[0].off_ns == 150 * MS
    facts = hand.do(e.OffTrack(author="judge", at_ns=5 * S, moment=moment(10 * S)))
    assert only(facts, f.Incident)[0].number == 1


def test_the_lap_clock_on_the_page_begins_at_the_crossing() -> None:
    hand = driven()
    view = run_view(hand.run, e.Moment(BOOT, 12 * S, 0))  # the wall clock was stepped: it must not matter
    assert view.lap_started_ns == 9 * S


def test_a_car_on_the_same_clock_confirms_without_guessing() -> None:
    hand = driven()
    facts = hand.report(9 * S + 10 * MS, 8 * S, 9 * S + 100 * MS, boot=BOOT)
    assert [fact.lap.number for fact in only(facts, f.LapConfirmed)] == [1]


def test_a_crossing_of_test_mode_stays_there() -> None:
    hand = Hand()
    hand.do(e.SetMode(author="judge", mode="test", moment=e.Moment(BOOT, 5 * S, 0)))
    hand.do(e.SetMode(author="judge", mode="race", moment=e.Moment(BOOT, 6 * S, 0)))
    hand.open()
    hand.go()
    assert only(hand.cross(5 * S + 500 * MS, boot=PICO), f.Unattributed)[0].why == "it was made in test mode"


def test_its_stamps_are_shown_by_the_stations_pair() -> None:
    scale = UtcScale()
    scale.add_pair(moment(0), run_is_on=False)
    assert scale.utc_ns(PICO, 7 * S) == UTC + 7 * S
