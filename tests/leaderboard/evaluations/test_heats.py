"""Heats of a bracket that farms drive: given out as their racers are known, entered once, up to the final."""

import dataclasses
import pathlib
from collections.abc import Iterator

import pytest

from leaderboard.build import open_board
from leaderboard.core.access import ADMIN
from leaderboard.core.errors import Conflict, NotAllowed, NotHere
from leaderboard.core.seasons.bracket import podium
from leaderboard.evaluations.brackets.heats import ATTEMPTS, DrivenHeats
from leaderboard.pages.seasons.bracket_view import bracket_view
from leaderboard.seasons.brackets import BracketNow, BracketService, WantedBracket
from leaderboard.store.submissions import submission_rows
from shared.conditions import ENGINE
from shared.errors import Refused
from shared.protocol.farm import RunFailure
from shared.protocol.farm_shows import HeatReport, HeatRequest, HeatWork
from tests.leaderboard.evaluations.virtual_league import CLAIM_S, PracticeFarm, VirtualLeague, farm_key, virtual

RACERS = ("anna", "ben", "cleo", "dan")


class Cup:
    """A virtual head-to-head race in which four have qualified, and its bracket."""

    def __init__(self, league: VirtualLeague) -> None:
        self.league = league
        league.open_race(virtual("cup", race_type="head_to_head"))
        for racer in RACERS:
            league.submit(racer)
        PracticeFarm(lambda: league).drive_all()  # without an opponent: that is how they qualify
        self.brackets = BracketService(league.store)
        self.heats = DrivenHeats(league.store, self.brackets, CLAIM_S)
        wanted = WantedBracket("cup", "Cup", 8, driven=True)
        self.bracket_id = self.brackets.create(ADMIN, wanted, league.now_utc_ns).bracket.bracket_id

    @property
    def now(self) -> BracketNow:
        return self.brackets.bracket(ADMIN, self.bracket_id)

    def claim(self, farm: str = "farm-1", engine: str = ENGINE) -> HeatWork | None:
        return self.heats.claim(farm_key(farm), HeatRequest("n1", engine), self.league.now_utc_ns).heat

    def report(self, heat: HeatWork, winner: int | None, farm: str = "farm-1") -> bytes:
        times = (None, None) if winner is None else (30_000 + winner, 30_001 - winner)
        report = HeatReport(winner, times, ("ab" * 32,), heat.conditions_sha256, 900)
        now = self.league.now_utc_ns
        return self.heats.report(farm_key(farm), heat.bracket_id, heat.number, report, now)


@pytest.fixture
def cup(tmp_path: pathlib.Path) -> Iterator[Cup]:
    board = open_board(tmp_path / "board.db")
    yield Cup(VirtualLeague(board.store, tmp_path / "models"))
    board.close()


def test_a_bracket_is_driven_up_to_its_final(cup: Cup) -> None:
    for _ in range(ATTEMPTS):
        assert cup.claim(engine="another") is None
    first = cup.claim()
    assert first is not None
    assert {first.first.racer, first.second.racer} <= set(RACERS)
    assert first.conditions.race_type == "head_to_head"
    assert len(first.seeds) == first.conditions.runs
    with cup.league.store.read() as db:
        assert submission_rows.driven_brackets(db, first.first.model_sha256) == ["cup"]
        assert submission_rows.driven_brackets(db, "0" * 64) == []
    for races, words in ((), "There is no model"), (("cup",), "There is no model"), (("other",), "This farm drives no"):
        with pytest.raises(NotHere, match=words):  # its bytes were never stored here
            cup.league.evaluations.archive(farm_key("farm-1", *races), first.first.model_sha256)
    shown = bracket_view(cup.now)
    heats = [heat for _, rounds in shown.trees for each in rounds for heat in each.heats]
    assert {heat.state_text for heat in heats if heat.ready} == {"a farm drives it"}
    answer = cup.report(first, 1)
    assert cup.report(first, 1) == answer
    assert b"wins" in answer
    with pytest.raises(Conflict):
        cup.report(first, 0)
    level = cup.claim()
    assert level is not None
    cup.report(level, None)  # nobody is ahead in more runs: the better seed is through
    result = cup.now.heats[level.number - 1]
    assert result.winner == min((level.first.racer, level.second.racer), key=cup.now.bracket.seeds.index)
    while (heat := cup.claim()) is not None:
        cup.report(heat, 0)
    places = podium(cup.now.heats)
    assert len(places) == 3
    assert first.first.racer not in places[:2]


def test_a_heat_is_given_to_one_until_its_time_is_up_and_three_times_in_all(cup: Cup) -> None:
    first, second = cup.claim(), cup.claim("farm-2")
    assert first is not None
    assert second is not None
    assert first.number != second.number
    assert cup.claim() is None
    failure = RunFailure("farm", "The child was killed.")
    for _ in range(ATTEMPTS - 1):
        cup.heats.fail(farm_key(), first.bracket_id, first.number, failure, cup.league.now_utc_ns)
        assert cup.claim() == first
    cup.heats.fail(farm_key(), first.bracket_id, first.number, failure, cup.league.now_utc_ns)
    assert cup.claim() is None  # its organiser enters the result
    cup.league.pass_s(CLAIM_S + 1)
    assert cup.claim() == second  # the farm that had it is gone
    cup.report(first, 0)  # it comes late, and counts
    cup.brackets.rerun(ADMIN, cup.bracket_id, first.number, "A wheel came off.", cup.league.now_utc_ns)
    assert cup.claim() == first


def test_only_farms_and_only_virtual_head_to_head(cup: Cup) -> None:
    cup.league.open_race(virtual("trial"))
    with pytest.raises(Refused, match="only for a virtual race of the type head to head"):
        cup.brackets.create(ADMIN, WantedBracket("trial", "Cup", 8, driven=True), cup.league.now_utc_ns)
    heat = cup.claim()
    assert heat is not None
    with pytest.raises(Conflict, match="no such heat"):
        cup.report(dataclasses.replace(heat, bracket_id="another"), 0)
    with pytest.raises(Conflict, match="The race was changed"):
        cup.report(dataclasses.replace(heat, conditions_sha256="0" * 64), 0)
    elsewhere = farm_key("farm-3", "another-race")
    assert cup.heats.claim(elsewhere, HeatRequest("n1", ENGINE), cup.league.now_utc_ns).heat is None
    key = dataclasses.replace(farm_key(), key_scopes=frozenset({"live:write"}))
    with pytest.raises(NotAllowed):
        cup.heats.claim(key, HeatRequest("n1", ENGINE), cup.league.now_utc_ns)
