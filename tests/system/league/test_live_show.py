"""The LIVE race of `raceday demo --league` goes on."""

import pytest

from leaderboard.live_races.service import LiveRaceState
from raceday.league_demo.builder import DemoLeague
from raceday.league_demo.live_show import LiveShow
from raceday.league_demo.meeting import DRIVEN, LIVE, STARTERS
from raceday.league_demo.months import DAY_NS
from shared.units import NS_PER_S
from tests.system.league.conftest import NOW_UTC_NS

pytestmark = pytest.mark.slow


def test_the_live_race_goes_on_by_itself(league: DemoLeague) -> None:
    clock, live = league.world.leaderboard.clock, league.world.services.live
    said: list[str] = []
    show = LiveShow(league.world, said.append)

    def after(seconds: float) -> LiveRaceState:
        clock.set(clock() + int(seconds * NS_PER_S))
        show.step()
        return live.state(LIVE, clock())

    try:
        assert [item.state for item in after(1).queue.items] == ["done"] * DRIVEN + ["pending"] * (STARTERS - DRIVEN)
        launched = after(9).queue.on_track
        assert launched is not None
        assert launched.state == "countdown"
        for _ in range(12):
            state = after(2)
        assert state.picture is not None
        assert (state.picture.message.racer, state.picture.message.stage) == (launched.racer, "running")
        assert state.picture.fresh(clock())
        while state.queue.on_track is not None:
            state = after(5)
        assert live.score_ms(LIVE, launched.racer) is not None
        # All have driven: they are put back into the queue, and the first of them is launched again.
        while state.queue.waiting:
            state = after(7)
        while (on_track := state.queue.on_track) is None or on_track.launches == 1:
            state = after(7)
        assert on_track.launches == 2
        assert clock() < NOW_UTC_NS + DAY_NS
        assert said == []
    finally:
        clock.set(NOW_UTC_NS)
