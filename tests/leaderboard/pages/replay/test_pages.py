"""The replay's page and files over a store: who may see which run, and what a farm may bring."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.errors import Conflict, NotAllowed, NotHere, Unauthorized
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.traces import RunTraces
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import ENTRIES, RUN_TRACES
from shared.access.pass_code_hashing import Argon2idHasher
from shared.conditions import ENGINE
from shared.errors import BadInput
from shared.protocol.results import Evidence, encode_result
from shared.traces.encoding import decode, encode, trace_sha256
from shared.traces.trace import DriveTrace
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.in_process import FormBrowser
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.shared.traces.driven import round_trip

NOW = 1_800_000_000_000_000_000
FARM = Caller(key_id="farm-1", key_scopes=frozenset({"farm"}))
FAST = round_trip(3)
SLOW = round_trip(3, 1.0, ((7.0, "off_track", 2.0),))
LOST = round_trip(0, 3.0)


@dataclass
class Replays:
    """A league in which two virtual runs are ranked, and one made no score."""

    league: LeagueApp
    traces: RunTraces
    nobody: FormBrowser
    ben: FormBrowser


@pytest.fixture(scope="module")
def replays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replays]:
    with league_app(tmp_path_factory.mktemp("replays"), Argon2idHasher(memory_kib=8, passes=1)) as league:
        services = league.app.state.services
        board, traces = services.board, services.traces
        for race_id, changes in (("virtual", {}), ("empty", {}), ("elsewhere", {"track": "My yard"})):
            values = {"venue": "virtual", "track": "re:Invent 2018", "owner": "account-olga"} | changes
            board.create_race(sample_races.race(race_id, **values), 1)
        account = signed_in.account(league.store, "ben")
        with league.store.write() as db:
            entry = {"race_id": "virtual", "racer": "ben", "name": "Ben", "entered_utc_ns": 1, "account_id": account}
            db.execute(sa.insert(ENTRIES), entry)
        post(league, "submission-s1", "anna", (5000, 5000, 5000), FAST)
        post(league, "submission-s2", "ben", (5000, 7000, 5000), SLOW)
        post(league, "submission-s3", "ben", (), LOST, v=2, qualified=False)
        for trace in (FAST, SLOW, LOST):
            traces.keep(FARM, trace_sha256(trace), encode(trace), NOW)
        yield Replays(
            league, traces, FormBrowser(league.app), signed_in.browser(league.app, league.store, account, NOW)
        )


def post(
    league: LeagueApp, result_id: str, racer: str, times_ms: tuple[int, ...], trace: DriveTrace, **more: Any
) -> None:
    evidence = Evidence("farm", trace_sha256(trace), 1, 1, 0, {"engine": ENGINE})
    one = sample_races.result(result_id, racer, times_ms, race_id="virtual", kind="virtual", evidence=evidence, **more)
    assert league.app.state.services.board.apply(one.webhook_id, encode_result(one), NOW).status == 201
    submission_id = result_id.removeprefix("submission-")
    with league.store.write() as db:
        made = ModelSubmission(
            submission_id, "virtual", f"account-{racer}", racer, "00" * 32, "apex", "", "scored", "", NOW, NOW, NOW
        )
        submission_rows.add(db, made, made.account_id)


def test_everybody_may_replay_the_ranked_runs_and_each_racer_the_own(replays: Replays) -> None:
    shown = replays.nobody.get("/races/virtual/replay")
    assert shown.status_code == 200
    assert [name in shown.text for name in ("Anna, 5.000", "Ben, 5.666", "no score")] == [False, True, False]
    assert shown.text.count("<option") >= 2 * 2 + 5
    assert "Off the track at" in replays.nobody.get("/races/virtual/replay?run=submission-s2&lap=2").text
    assert "no score" in replays.ben.get("/races/virtual/replay?run=submission-s3&with=none&lap=run").text
    assert replays.nobody.get("/races/virtual/replay?run=submission-s3").status_code == 404


def test_the_data_is_what_the_cars_are_moved_by(replays: Replays) -> None:
    address = "/races/virtual/replay/data?run=submission-s2&with=submission-s1&lap=2"
    answer = replays.nobody.get(address, accept="application/json")
    cars = json.loads(answer.text)["cars"]
    assert [(car["letter"], car["times"][-1]) for car in cars] == [("A", 7000), ("B", 5000)]
    assert {len(car["x"]) == len(car["times"]) == len(car["progress"]) for car in cars} == {True}
    assert replays.nobody.get("/races/virtual/replay/data?run=nothing").status_code == 404


def test_a_race_without_runs_or_without_a_drawing_says_so(replays: Replays) -> None:
    assert "No run of this race can be replayed yet." in replays.nobody.get("/races/empty/replay").text
    assert "There is no drawing of this race" in replays.nobody.get("/races/elsewhere/replay").text
    assert replays.nobody.get("/races/none/replay").status_code == 404


def test_a_farm_brings_traces_by_their_hash(replays: Replays) -> None:
    other = replace(FAST, track="elsewhere")
    with pytest.raises(Conflict, match="not the one in the address"):
        replays.traces.keep(FARM, trace_sha256(FAST), encode(other), NOW)
    with pytest.raises(BadInput, match="no trace"):
        replays.traces.keep(FARM, "0" * 64, b"nothing", NOW)
    for caller, refusal in ((NOBODY, Unauthorized), (Caller("account-ben", "ben", "Ben"), NotAllowed)):
        with pytest.raises(refusal):
            replays.traces.keep(caller, trace_sha256(FAST), encode(FAST), NOW)
    replays.traces.keep(FARM, trace_sha256(FAST), encode(FAST), NOW + 5)
    with replays.league.store.read() as db:
        assert len(db.execute(sa.select(RUN_TRACES)).all()) == 3
    assert replays.nobody.call("PUT", f"/api/v1/farm/traces/{trace_sha256(FAST)}").status_code == 401


def test_a_racer_takes_the_files_of_the_own_submission(replays: Replays) -> None:
    address = "/api/v1/submissions/s2"
    assert decode(replays.ben.get(f"{address}/trace").content) == SLOW
    rows = replays.ben.get(f"{address}/simtrace").text.splitlines()
    assert len(rows) == len(SLOW.frames) + 1
    assert len(json.loads(replays.ben.get(f"{address}/metrics").text)["metrics"]) == 3
    assert replays.nobody.get(f"{address}/trace", accept="application/json").status_code == 401
    assert replays.ben.get("/api/v1/submissions/s1/trace", accept="application/json").status_code == 404
    with pytest.raises(NotHere):
        replays.traces.file(replace(replays.traces.runs(board_race(replays), NOBODY)[0], trace_sha256="0" * 64))


def board_race(replays: Replays) -> RaceRecord:
    race: RaceRecord = replays.league.app.state.services.board.snapshot("virtual").race
    return race
