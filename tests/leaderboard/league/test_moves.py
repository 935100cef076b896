"""Moves of a race: the table of states, final and its unlocking, the bin and its thirty days."""

from typing import Any

import pytest

from leaderboard.core.access import NOBODY
from leaderboard.core.errors import Conflict, Gone, NotAllowed, UnknownRace
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.states import RACE_MOVES, RACE_STATES, RaceState
from leaderboard.league.moves import IN_BIN_NS, MOVES, SECOND_WITHIN_NS, Move, moves_for
from shared.errors import Refused
from tests.leaderboard.league.organised import ADMIN, DAY_NS, NOW, Organised, person, race

OLGA = person("olga", "organiser")
OTTO = person("otto", "official")
UWE = person("uwe", "official")

OF_STATE: dict[RaceState, dict[str, Any]] = {
    "draft": {"stage": "draft"},
    "published": {"opens_utc_ns": NOW + DAY_NS},
    "open": {"opens_utc_ns": NOW - DAY_NS},
    "closed": {"closes_utc_ns": NOW - DAY_NS},
    "provisional": {"stage": "provisional", "closes_utc_ns": NOW - DAY_NS},
    "final": {"stage": "final", "closes_utc_ns": NOW - DAY_NS},
    "deleted": {"stage": "deleted", "deleted_utc_ns": NOW - DAY_NS},
}


@pytest.mark.parametrize("state", RACE_STATES)
def test_every_move_does_as_the_table_says(league: Organised, state: RaceState) -> None:
    for move in MOVES:
        race_id = f"{state}-{move}"
        league.board.create_race(race(race_id, **OF_STATE[state]), NOW)
        expected = RACE_MOVES.get((state, move))
        if expected is None:
            with pytest.raises(Refused, match=f"The race is {state}"):
                league.moves.move(ADMIN, race_id, move, NOW, "why not")
            continue
        after = league.moves.move(ADMIN, race_id, move, NOW, "why not").race
        possible = {expected} | ({"open"} if move == "publish" else set())
        assert after.state(NOW) in possible
        assert league.races.race(ADMIN, race_id) == after
        assert league.audited(race_id)[0].why == "why not"
        assert league.told[-1] == race_id


@pytest.mark.parametrize(
    ("caller", "state", "expected"),
    [
        (OLGA, "draft", ["publish", "delete"]),
        (OLGA, "open", ["close", "delete"]),
        (OLGA, "closed", ["reopen", "results", "final", "delete"]),
        (OLGA, "final", []),
        (OTTO, "final", ["unlock"]),
        (OTTO, "open", ["close"]),
        (OLGA, "deleted", ["restore"]),
        (person("rita"), "open", []),
        (person("rita", "organiser", race_id="cup"), "published", ["close", "delete"]),
        (NOBODY, "open", []),
    ],
)
def test_who_can_do_what_now(caller: Any, state: RaceState, expected: list[Move]) -> None:
    assert moves_for(caller, race(**OF_STATE[state]), NOW) == expected


def test_final_results_are_locked_until_an_official_says_why(league: Organised) -> None:
    league.made(OLGA, closes_utc_ns=NOW + DAY_NS)
    league.post()
    league.moves.move(OLGA, "cup", "close", NOW + 1)
    assert league.moves.move(OLGA, "cup", "final", NOW + 2).race.stage == "final"
    assert league.post(racer="tom") == 422
    with pytest.raises(Refused, match="are final"):
        league.races.change(OLGA, "cup", {"name": "New"}, NOW)
    with pytest.raises(NotAllowed):
        league.moves.move(OLGA, "cup", "unlock", NOW, "please")
    with pytest.raises(Refused, match="Say why"):
        league.moves.move(OTTO, "cup", "unlock", NOW, " ")
    with pytest.raises(Refused, match="one line"):
        league.moves.move(OTTO, "cup", "unlock", NOW, "two\nlines")
    assert league.moves.move(OTTO, "cup", "unlock", NOW, "a protest").race.state(NOW + 2) == "provisional"
    assert league.post(racer="tom") == 201
    assert league.audited("cup")[0].why == "a protest"


def test_a_season_may_want_two_officials(league: Organised) -> None:
    league.seasons.create(OLGA, SeasonRecord("s27", "Season", second_official=True), NOW)
    league.made(OLGA, season_id="s27", closes_utc_ns=NOW - DAY_NS, stage="final")
    first = league.moves.move(OTTO, "cup", "unlock", NOW, "a protest")
    assert (first.waits, first.race.stage) == (True, "final")
    with pytest.raises(Conflict, match="second official"):
        league.moves.move(OTTO, "cup", "unlock", NOW + 1, "again")
    late = NOW + SECOND_WITHIN_NS
    assert league.moves.move(UWE, "cup", "unlock", late, "too late: asks anew").waits
    done = league.moves.move(OTTO, "cup", "unlock", late + 1, "agreed")
    assert (done.waits, done.race.stage) == (False, "provisional")
    assert [row.actor for row in league.audited("cup")[:3]] == ["otto", "uwe", "otto"]


def test_a_deleted_race_is_gone_for_all_others_and_comes_back_as_it_was(league: Organised) -> None:
    league.made(OLGA, closes_utc_ns=NOW + 9 * DAY_NS)
    league.post()
    league.moves.move(OLGA, "cup", "close", NOW)
    league.moves.move(OLGA, "cup", "results", NOW)
    deleted = league.moves.move(OLGA, "cup", "delete", NOW).race
    assert deleted.deleted_utc_ns == NOW
    with pytest.raises(UnknownRace):
        league.races.race(person("rita"), "cup")
    assert league.post(racer="tom") == 404  # a station keeps the result and posts it again
    assert [head.race.race_id for head in league.races.managed(OLGA)] == ["cup"]
    restored = league.moves.move(OLGA, "cup", "restore", NOW + IN_BIN_NS - 1).race
    assert (restored.stage, restored.deleted_utc_ns) == ("provisional", None)
    assert league.board.snapshot("cup").results == 1


def test_the_bin_is_emptied_after_thirty_days(league: Organised) -> None:
    league.made(OLGA)
    league.moves.move(OLGA, "cup", "delete", NOW)
    with pytest.raises(Gone, match="30 days"):
        league.moves.move(OLGA, "cup", "restore", NOW + IN_BIN_NS)
    assert moves_for(OLGA, league.races.race(OLGA, "cup"), NOW + IN_BIN_NS) == []


def test_closing_twice_is_closing_once(league: Organised) -> None:
    league.made(OLGA)
    first = league.moves.set_closed(OLGA, "cup", True, NOW)
    assert league.moves.set_closed(OLGA, "cup", True, NOW + 5) == first
    assert league.moves.set_closed(OLGA, "cup", False, NOW + 6).state(NOW + 6) == "open"
    assert league.moves.set_closed(OLGA, "cup", False, NOW + 7).state(NOW + 7) == "open"
    with pytest.raises(NotAllowed):
        league.moves.set_closed(person("rita"), "cup", True, NOW)
