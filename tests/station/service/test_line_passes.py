"""The passes that an event manager gets: those over the start line that could end a lap, not in test mode."""

import pytest

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.service.line_passes import line_passes
from tests.station.core.scripted_race import MS, Hand, S, moment

B = e.GateSpec("back", system="B")
SPLIT = e.GateSpec("sector-1", kind="split")


def pass_times_s(hand: Hand) -> list[int]:
    return [each.at_ns // S for facts in hand.facts for each in line_passes(hand.engine, facts)]


@pytest.mark.parametrize("with_a_run", [False, True])
def test_each_pass_over_the_line_is_told_once(with_a_run: bool) -> None:
    hand = Hand(RaceRules(min_lap_s=3.0), e.GateSpec("start"), SPLIT, B)
    if with_a_run:
        hand.open()
        hand.go()
    for at_s in (10, 20, 30):
        hand.cross(at_s * S)
        hand.edge(at_s * S + 20 * MS, gate="back", boot="b-boot")
        hand.edge((at_s + 4) * S, gate="sector-1")
        hand.edge((at_s + 4) * S + 90 * MS, broken=False, gate="sector-1")
    assert pass_times_s(hand) == [10, 20, 30]


def test_what_is_too_soon_or_made_in_test_mode_is_not_told() -> None:
    hand = Hand(RaceRules(min_lap_s=3.0))
    hand.do(e.SetMode(author="judge", mode="test", moment=moment(1)))
    hand.cross(5 * S)
    hand.do(e.SetMode(author="judge", mode="race", moment=moment(9 * S)))
    hand.open()
    hand.go(9 * S)
    for at_s in (10, 12, 20):
        hand.cross(at_s * S)
    assert pass_times_s(hand) == [10, 20]
