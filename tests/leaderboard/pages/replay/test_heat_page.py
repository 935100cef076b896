"""A heat that a farm drove: who may watch it and take its files, and what page, data and API say of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from leaderboard.core.access import ADMIN, Caller, Grant
from leaderboard.core.errors import NotAllowed
from leaderboard.core.race import RaceRecord
from leaderboard.core.seasons.bracket import HeatResult
from leaderboard.evaluations.brackets.heat_replays import FIRST
from leaderboard.pages.replay.heat_page import without_rival
from leaderboard.services import LeaderboardServices
from leaderboard.store.tables import RUN_TRACES
from shared.access.pass_code_hashing import Argon2idHasher
from shared.traces.encoding import decode
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.evaluations.driven_heats import HEAT, RUNS, drive, driven_bracket
from tests.leaderboard.in_process import FormBrowser, fields
from tests.leaderboard.league_app import LeagueApp, league_app

NAMES = ["Ada Lovelace", "Ben", "Cleo", "Dan"]


@dataclass
class Duel:
    """A league with a bracket in a public race and one in a private race; the first heat of both is driven."""

    league: LeagueApp
    services: LeaderboardServices
    race: RaceRecord
    bracket: str
    hidden: str

    def browser(self, racer: str = "") -> FormBrowser:
        if not racer:
            return FormBrowser(self.league.app)
        return signed_in.browser(self.league.app, self.league.store, f"account-{racer}", self.league.now_utc_ns)


@pytest.fixture(scope="module")
def duel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Duel]:
    with league_app(tmp_path_factory.mktemp("duel"), Argon2idHasher(memory_kib=8, passes=1)) as league:
        for alias in ("duel-1", "duel-4", "duel-2", "closed-1"):
            signed_in.account(league.store, alias)
        signed_in.account(league.store, "olga", Grant("official", "race", "duel"))
        services: LeaderboardServices = league.app.state.services
        race = sample_races.race(
            "duel", venue="virtual", track="reinvent_base", race_type="head_to_head", owner="account-otto"
        )
        closed = sample_races.race(
            "closed", venue="virtual", track="reinvent_base", race_type="head_to_head", visibility="private"
        )
        brackets = [driven_bracket(services, each, NAMES, league.now_utc_ns) for each in (race, closed)]
        yield Duel(league, services, race, *brackets)


def test_everybody_who_sees_the_bracket_may_watch_its_heats(duel: Duel) -> None:
    nobody, here = duel.browser(), f"/brackets/{duel.bracket}/heats/{HEAT}/replay"
    tree = nobody.get(f"/brackets/{duel.bracket}").text
    assert (f'href="{here}"' in tree, tree.count("/replay")) == (True, 1)
    shown = nobody.get(here).text
    assert "Ada Lovelace wins: ahead in 2 of 3 runs." in shown
    assert "Ada Lovelace was over the line first, 0.930 s ahead." in shown
    assert "Dan was over the line first, 0.053 s ahead." in shown
    assert "Neither drove all laps: Ada Lovelace got farther, by 2.34 m." in shown
    assert [shown.count(name) > 2 for name in ("Ada Lovelace", "Dan")] == [True, True]
    assert ("17.700" in shown, "18.630" in shown, "data-ahead" in shown) == (True, True, True)
    assert "Off the track at 6.000" in shown
    assert "simtrace.csv" not in shown
    lap = nobody.get(f"{here}?run=2&lap=1").text
    assert ("data-ahead" in lap, f'href="{here}?run=2" aria-current="true"' in lap) == (False, True)
    for address in (f"{here}?run=4", f"/brackets/{duel.bracket}/heats/2/replay", f"/brackets/none/heats/{HEAT}/replay"):
        assert nobody.get(address).status_code == 404, address
    assert nobody.get(f"{here}?run=0").status_code == 422
    private = f"/brackets/{duel.hidden}/heats/{HEAT}/replay"
    assert (nobody.get(private).status_code, nobody.get(f"{private}/data").status_code) == (404, 404)
    assert duel.browser("closed-1").get(private).status_code == 200


def test_the_data_has_both_cars_on_one_clock_and_where_the_run_is_over(duel: Duel) -> None:
    here = f"/brackets/{duel.bracket}/heats/{HEAT}/replay/data"
    data = json.loads(duel.browser().get(f"{here}?run=2", accept="application/json").text)
    assert [(car["letter"], car["racer"], car["times"][0]) for car in data["cars"]] == [
        ("A", "Ada Lovelace", 0),
        ("B", "Dan", 0),
    ]
    assert (data["finish"], data["companions"]) == ({"progress": 2_000_000, "letter": "B", "gap": -53}, [])
    first, second = data["cars"]
    assert first["progress"][-1] >= data["finish"]["progress"]
    middle = 60
    assert second["progress"][middle] > first["progress"][middle]
    for query in ("run=3", "run=1&lap=1"):
        assert json.loads(duel.browser().get(f"{here}?{query}", accept="application/json").text)["finish"] is None
    trace = RUNS[0][1][0]
    assert len(trace.others) == 1
    assert without_rival(trace).others == ()


def test_the_files_of_a_run_go_to_its_racer_and_the_officials(duel: Duel) -> None:
    runs = f"/api/v1/brackets/{duel.bracket}/heats/{HEAT}/runs"
    told = fields(duel.browser().call("GET", runs))
    assert (told["first"], told["second"], told["winner"]) == ("duel-1", "duel-4", "duel-1")
    assert told["sentence"] == "Ada Lovelace wins: ahead in 2 of 3 runs."
    assert [(each["run"], each["winner"], each["in_front"], each["by_ms"]) for each in told["runs"]] == [
        (1, "duel-1", "duel-1", 930),
        (2, "duel-4", "duel-4", 53),
        (3, "duel-1", "duel-1", None),
    ]
    assert told["runs"][1]["second_trace_sha256"] == RUNS[1][0].traces[1]

    def status(racer: str, place: int, side: str, name: str = "trace") -> int:
        answer = duel.browser(racer).get(f"{runs}/{place}/{side}/{name}", accept="application/json")
        return int(answer.status_code)

    assert [status(racer, 1, "first") for racer in ("duel-1", "duel-4", "duel-2", "olga", "")] == [
        200,
        403,
        403,
        200,
        401,
    ]
    assert [status("duel-4", 2, side) for side in ("first", "second", "third")] == [403, 200, 422]
    assert (status("duel-1", 4, "first"), status("duel-1", 1, "first", "metrics")) == (404, 200)
    # A racer's key that submits models is its racer, in the races that it is for.
    key = Caller(key_id="k1", key_scopes=frozenset({"submissions:write"}), key_owner=("account-duel-1", "duel-1"))
    files = duel.services.heat_replays
    assert decode(files.file(key, duel.bracket, HEAT, 1, FIRST)) == RUNS[0][1][0]
    for caller in (replace(key, key_races=frozenset({"closed"})), replace(key, key_owner=("", ""))):
        with pytest.raises(NotAllowed):
            files.file(caller, duel.bracket, HEAT, 1, FIRST)
    own = duel.browser("duel-4")
    assert decode(own.get(f"{runs}/2/second/trace").content) == RUNS[1][1][1]
    assert len(own.get(f"{runs}/2/second/simtrace").text.splitlines()) == len(RUNS[1][1][1].frames) + 1
    shown = own.get(f"/brackets/{duel.bracket}/heats/{HEAT}/replay?run=2").text
    assert (f"{runs}/2/second/simtrace" in shown, f"{runs}/2/first/simtrace" in shown) == (True, False)


def test_what_no_farm_drove_or_whose_traces_are_gone_is_not_linked(duel: Duel) -> None:
    services, now = duel.services, duel.league.now_utc_ns
    race = sample_races.race("by-hand", venue="virtual", track="reinvent_base", race_type="head_to_head")
    bracket_id = driven_bracket(services, race, NAMES, now)
    here, runs = f"/brackets/{bracket_id}", f"/api/v1/brackets/{bracket_id}/heats/{HEAT}/runs"

    def watched() -> tuple[bool, int]:
        nobody = duel.browser()
        return f"{here}/heats/{HEAT}/replay" in nobody.get(here).text, nobody.call("GET", runs).status_code

    brackets = services.seasons.brackets
    assert watched() == (True, 200)
    brackets.rerun(ADMIN, bracket_id, HEAT, "A wheel came off.", now)
    assert watched() == (False, 404)
    brackets.enter(ADMIN, bracket_id, HEAT, HeatResult("by-hand-4"), now)
    assert watched() == (False, 404)
    brackets.rerun(ADMIN, bracket_id, HEAT, "It was the other one.", now)
    drive(services, bracket_id, race, now)
    assert watched() == (True, 200)
    gone = RUNS[2][0].traces[1]
    with duel.league.store.write() as db:
        row = db.execute(sa.select(RUN_TRACES).where(RUN_TRACES.c.trace_sha256 == gone)).mappings().one()
        db.execute(sa.delete(RUN_TRACES).where(RUN_TRACES.c.trace_sha256 == gone))
    assert watched() == (False, 404)
    with duel.league.store.write() as db:
        db.execute(sa.insert(RUN_TRACES), dict(row))
