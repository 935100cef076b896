"""Finals: who is driven again on the final seeds once a race is closed, and what stands then."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from leaderboard.attempts.service import AttemptService
from leaderboard.build import open_board
from leaderboard.core.access import ADMIN
from leaderboard.core.errors import Conflict
from leaderboard.league.moves import RaceMoves
from leaderboard.store import race_rows, result_rows
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import SUBMISSIONS
from shared.errors import Refused
from shared.protocol.farm import RunFailure, WorkItem
from shared.rules.ranking import RunLap
from shared.units import NS_PER_S
from tests.leaderboard.evaluations.virtual_league import NOW, PracticeFarm, VirtualLeague, report_of, virtual


@pytest.fixture
def league(tmp_path: pathlib.Path) -> Iterator[VirtualLeague]:
    board = open_board(tmp_path / "board.db")
    made = VirtualLeague(board.store, tmp_path / "models")
    made.open_race(virtual())
    yield made
    board.close()


def farm(league: VirtualLeague, **changes: Any) -> PracticeFarm:
    return PracticeFarm(lambda: league, **changes)


def test_the_first_in_rank_are_driven_again_on_the_final_seeds(league: VirtualLeague) -> None:
    league.conditions.set(ADMIN, "cup", b'{"runs": 1, "final_top_n": 2}', NOW)
    with pytest.raises(Conflict, match="when the race is closed"):
        league.conditions.seeds(ADMIN, "cup", NOW)
    commitment = league.conditions.shown(ADMIN, "cup", NOW).commitment
    node = farm(league)
    three = [league.submit(racer) for racer in ("anna", "bo", "cy")]
    node.drive_all()
    before = league.standing()
    with league.store.write() as db:
        race_rows.change_race(db, dataclasses.replace(race_rows.race(db, "cup"), closed_utc_ns=league.now_utc_ns))
    work = list(node.claim(8).work)
    seeds = league.conditions.seeds(ADMIN, "cup", league.now_utc_ns)
    assert seeds.commitment == commitment
    assert {item.seed for item in work} == {seeds.final[0]}
    assert {league.submission(item.submission).racer for item in work} == {racer for racer, _ in before[:2]}
    node.drive_all()
    again = {league.submission(one).racer for one in three if league.submission(one).round == 2}
    assert {racer for racer, _ in before[:2]} <= again
    assert {racer for racer, _ in league.standing()[:2]} <= again
    for racer, score in before:
        assert (dict(league.standing())[racer] != score) == (racer in again)
    assert set(league.states().values()) == {"scored"}
    assert len(three) == 3
    assert node.claim(8).work == (), "once"
    with league.store.write() as db:  # opened once more: the seeds that were told are not used again
        race_rows.change_race(db, dataclasses.replace(race_rows.race(db, "cup"), closed_utc_ns=None))
    league.submit("dee")
    node.claim(1)
    assert league.conditions.shown(ADMIN, "cup", NOW).commitment != commitment


def test_a_model_that_is_rejected_in_the_finals_keeps_no_place(league: VirtualLeague) -> None:
    league.conditions.set(ADMIN, "cup", b'{"runs": 1, "final_top_n": 1}', NOW)
    one, node, no_lap = league.submit("anna"), farm(league), league.submit("bo", "crashing")
    node.drive_all()
    assert [racer for racer, _ in league.standing()] == ["anna"]
    with league.store.write() as db:
        race_rows.change_race(db, dataclasses.replace(race_rows.race(db, "cup"), closed_utc_ns=league.now_utc_ns))
    [item] = node.claim().work
    node.fail(item, RunFailure("model", "It needs too much time."))
    assert (league.submission(one).state, league.standing()) == ("rejected", [])
    with league.store.write() as db:
        submission_rows.move(db, submission_rows.get(db, one), "rerun", "account-olga", league.now_utc_ns)
        submission_rows.move(db, submission_rows.get(db, no_lap), "rerun", "account-olga", league.now_utc_ns)
    node.work.clear()
    for item in node.claim(2).work:
        if item.submission == no_lap:
            node.fail(item, RunFailure("model", "It needs too much time."))
        else:
            node.report(item)
    assert [racer for racer, _ in league.standing()] == ["anna"], "an official has it driven once more"
    with league.store.read() as db:
        [(attempt, _)] = result_rows.runs_of(db, "cup", "bo")
    assert (league.submission(no_lap).state, attempt.discarded) == ("rejected", True)


def test_finals_go_on_until_the_first_in_rank_stand_there_by_the_final_seeds(league: VirtualLeague) -> None:
    league.conditions.set(ADMIN, "cup", b'{"runs": 1, "final_top_n": 1}', NOW)
    node = farm(league)
    league.submit("dee", "crashing")
    # What each drives a lap in: on the race's seeds, and on the final ones.
    seconds = {league.submit("anna"): (9.0, 12.0), league.submit("anna"): (9.5, 13.0)}
    seconds |= {league.submit("bo"): (10.0, 11.0), league.submit("cy"): (10.5, 10.6), league.submit("eve"): (10.7, 9.0)}
    driven: list[tuple[str, bool]] = []

    def drive_all(final: bool) -> None:
        while node.claim(8).work:
            for item in node.work:
                assert isinstance(item, WorkItem)
                lap_ns = round(seconds.get(item.submission, (9.9, 0.0))[final] * NS_PER_S)
                laps = tuple(RunLap(number, lap_ns, number * lap_ns) for number in (1, 2, 3))
                report = dataclasses.replace(report_of(item), laps=laps, trace_sha256=f"{len(driven):064x}")
                node.report(item, report if item.submission in seconds else None)
                driven.append((item.submission, final))
            node.work.clear()

    drive_all(final=False)
    late = league.submit("flo")
    with league.store.write() as db:
        db.execute(sa.update(SUBMISSIONS).where(SUBMISSIONS.c.submission_id == late).values(state="uploading"))
        race_rows.change_race(db, dataclasses.replace(race_rows.race(db, "cup"), closed_utc_ns=league.now_utc_ns))
    league.pass_s(1)
    drive_all(final=True)
    first, second, bo, cy, eve = seconds
    # An upload that never ends holds nothing up. Anna's second try was as lucky as her first; then comes who was never
    # driven on the final seeds, until the first in rank is one who was: eve is not reached.
    assert [one for one, final in driven if final] == [first, second, bo, cy]
    assert league.standing() == [("cy", 10_600), ("eve", 10_700), ("bo", 11_000), ("anna", 12_000)]
    league.pass_s(1)
    with league.store.write() as db:  # officials take the first out: the next one has to stand by the final seeds
        race_rows.change_race(db, dataclasses.replace(race_rows.race(db, "cup"), stage="provisional"))
    AttemptService(league.store, league.told.append).disqualify(
        ADMIN, f"submission-{cy}", "two cars", league.now_utc_ns
    )
    drive_all(final=True)
    assert driven[-1] == (eve, True)
    assert league.standing()[0] == ("eve", 9_000)
    assert league.states()[late] == "uploading"
    league.restart()
    assert node.claim(8).work == (), "it stays decided"


def test_results_are_not_final_while_somebody_waits_to_be_driven(league: VirtualLeague) -> None:
    node, moves = farm(league), RaceMoves(league.store, league.told.append)
    for racer in ("anna", "bo"):
        league.submit(racer)
    league.pass_s(1)
    moves.move(ADMIN, "cup", "close", league.now_utc_ns)
    with pytest.raises(Refused, match="2 submissions of this race are not driven yet"):
        moves.move(ADMIN, "cup", "final", league.now_utc_ns)
    node.drive_all()
    assert moves.move(ADMIN, "cup", "final", league.now_utc_ns).race.stage == "final"
    assert set(league.states().values()) == {"scored"}
