"""A deleted account leaves its results and not its name: nowhere in any table, also not after a later correction."""

import dataclasses
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from leaderboard.accounts.data import traces
from leaderboard.accounts.data.erasure import deleted_name
from leaderboard.board import LeaderboardService
from leaderboard.core.redaction import renamed_json
from leaderboard.store import audit, race_rows
from leaderboard.store.tables import ENTRIES, METADATA, RECEIPTS
from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.results import encode_result
from shared.units import NS_PER_S
from tests.leaderboard import sample_races
from tests.leaderboard.in_process import call, fields
from tests.leaderboard.league_app import LeagueApp, league_app

ALIAS, NAME = "zebra-ada", "Ada Zebrafish"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueApp]:
    with league_app(tmp_path_factory.mktemp("erasure"), Argon2idHasher(memory_kib=8, passes=1)) as made:
        yield made


@pytest.fixture
def league(served: LeagueApp) -> LeagueApp:
    """The app of this file with nothing but the race in its store, an hour later."""
    with served.store.write() as db:
        for table in reversed(METADATA.sorted_tables):
            db.execute(sa.delete(table))
        race_rows.add_race(db, sample_races.race(), 1)
    served.now_utc_ns += 3600 * NS_PER_S
    return served


def drove(league: LeagueApp, result_id: str, racer: str, **changes: Any) -> int:
    """Post a result as the station does; the status."""
    board = LeaderboardService(league.store)
    one = sample_races.result(result_id, racer, **changes)
    return board.apply(one.webhook_id, encode_result(one), league.now_utc_ns).status


def enter(league: LeagueApp, account_id: str, racer: str, name: str) -> None:
    with league.store.write() as db:
        entry = {"race_id": "cup", "racer": racer, "name": name, "entered_utc_ns": 1, "account_id": account_id}
        db.execute(sa.insert(ENTRIES), entry)


def everything(league: LeagueApp) -> str:
    """Every cell of every table as text."""
    with league.store.read() as db:
        cells = [cell for table in METADATA.sorted_tables for row in db.execute(sa.select(table)) for cell in row]
    return "\n".join(cell.decode() if isinstance(cell, bytes) else str(cell) for cell in cells)


def test_nothing_of_the_name_is_left_and_the_results_stay(league: LeagueApp) -> None:
    ada, told = league.sign_up(ALIAS, name=NAME)
    enter(league, told["account"]["account_id"], ALIAS, NAME)
    assert [drove(league, "one", ALIAS), drove(league, "two", "tom", times_ms=(9500, 9600, 9700))] == [201, 201]
    assert ALIAS in everything(league)
    before = fields(call(league.app, "GET", "/api/v1/races/cup/standings"))
    with league.store.read() as db:
        receipts = db.execute(sa.select(RECEIPTS.c.webhook_id, RECEIPTS.c.body_sha256)).all()

    refused = ada.call("DELETE", "/api/v1/me?confirm=wrong")
    assert (refused.status_code, ALIAS in refused.text) == (422, True)
    assert ada.call("DELETE", f"/api/v1/me?confirm={ALIAS}").status_code == 204

    left = everything(league)
    for word in (ALIAS, NAME, "Zebrafish", "zebrafish"):
        assert word not in left
    after = fields(call(league.app, "GET", "/api/v1/races/cup/standings"))
    rows = [(row["rank"], row["racer"], row["name"], row["score_ms"]) for row in after["standings"]]
    assert rows[0] == (1, "deleted racer 1", "deleted racer 1", before["standings"][0]["score_ms"])
    assert rows[1][1] == "tom"
    with league.store.read() as db:
        assert db.execute(sa.select(RECEIPTS.c.webhook_id, RECEIPTS.c.body_sha256)).all() == receipts
    assert ada.get("/api/v1/me").status_code == 401
    assert call(league.app, "POST", "/api/v1/accounts", {"alias": ALIAS, "passphrase": "x y z u v w 12345"}).status_code
    again, _ = league.sign_up("somebody-new")
    assert again.get("/api/v1/me").status_code == 200


def test_a_later_correction_finds_the_result_and_brings_no_name_back(league: LeagueApp) -> None:
    ada, told = league.sign_up(ALIAS, name=NAME)
    enter(league, told["account"]["account_id"], ALIAS, NAME)
    drove(league, "one", ALIAS)
    ada.call("DELETE", f"/api/v1/me?confirm={ALIAS}")
    assert drove(league, "one", ALIAS, revision=2, times_ms=(8000, 8100, 8200)) == 201
    [row] = fields(call(league.app, "GET", "/api/v1/races/cup/standings"))["standings"]
    assert (row["racer"], row["revision"], row["score_ms"]) == ("deleted racer 1", 2, 8100)
    assert ALIAS not in everything(league)
    # A correction that says it was somebody else's run still does so, and a new run by the old name is a new racer's.
    assert drove(league, "one", "tom", revision=3) == 201
    assert drove(league, "new", ALIAS) == 201
    rows = fields(call(league.app, "GET", "/api/v1/races/cup/standings"))["standings"]
    assert sorted(each["racer"] for each in rows) == ["tom", ALIAS]


def test_the_number_is_free_in_all_races_and_the_last_admin_stays(league: LeagueApp) -> None:
    drove(league, "odd", deleted_name(1))
    ada, told = league.sign_up(ALIAS)
    enter(league, told["account"]["account_id"], ALIAS, ALIAS)
    drove(league, "one", ALIAS)
    with league.store.write() as db:
        given = {"account_id": told["account"]["account_id"], "role": "admin", "scope": "", "scope_id": ""}
        db.execute(sa.insert(METADATA.tables["roles"]), given | {"granted_by": "", "granted_utc_ns": 1})
    assert "last admin" in ada.call("DELETE", f"/api/v1/me?confirm={ALIAS}").text
    path = "/api/v1/accounts/second-one/roles"
    league.sign_up("second-one")
    assert call(league.app, "POST", path, {"role": "admin"}, sample_races.TOKEN).status_code == 200
    assert ada.call("DELETE", f"/api/v1/me?confirm={ALIAS}").status_code == 204
    rows = fields(call(league.app, "GET", "/api/v1/races/cup/standings"))["standings"]
    assert sorted(each["racer"] for each in rows) == ["deleted racer 1", "deleted racer 2"]


def test_my_data_is_one_archive_without_secrets(league: LeagueApp) -> None:
    ada, told = league.sign_up(ALIAS, name=NAME)
    enter(league, told["account"]["account_id"], ALIAS, NAME)
    drove(league, "one", ALIAS)
    drove(league, "two", "tom")
    answer = ada.get("/api/v1/me/export")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert json.loads(files["accounts.json"])[0]["name"] == NAME
    assert [row["payload"]["racer"] for row in json.loads(files["results.json"])] == [ALIAS]
    assert [row["what"] for row in json.loads(files["audit.json"])] == ["account.create"]
    assert {"sessions.json", "credentials.json", "entries.json", "api_keys.json"} <= files.keys()
    for secret in ("$argon2", ada.cookies["raceday_league"], *told["recovery_codes"], "tom"):
        assert all(secret not in text for text in files.values())


def test_every_column_with_a_racer_is_known_to_the_erasure() -> None:
    known = {(table, name) for table, names in traces.OF_RACE.items() for name in names}
    known |= {(table, name) for table, names in traces.JSON_OF_RACE.items() for name in names}
    for table in METADATA.sorted_tables:
        for column in table.columns:
            if column.name in ("racer", "winner", "seeds") and table.name not in traces.ELSEWHERE:
                assert (table.name, column.name) in known, f"{table.name}.{column.name}: name it in traces.py"


def test_only_names_are_replaced_in_stored_documents() -> None:
    names = {"physical": "deleted racer 1"}
    document = '{"kind":"physical","data":{"racer":"physical","seeds":["physical","tom"]},"n":1}'
    assert json.loads(renamed_json(document, names)) == {
        "kind": "physical",
        "data": {"racer": "deleted racer 1", "seeds": ["deleted racer 1", "tom"]},
        "n": 1,
    }
    untouched = '{ "racer":  "tom" }'
    assert renamed_json(untouched, names) == untouched


def test_the_audit_still_says_who_did_what(league: LeagueApp) -> None:
    ada, told = league.sign_up(ALIAS)
    account_id = told["account"]["account_id"]
    ada.call("PATCH", "/api/v1/me", {"name": NAME})
    ada.call("DELETE", f"/api/v1/me?confirm={ALIAS}")
    with league.store.read() as db:
        rows = audit.rows(db)
    assert [(row.what, row.actor) for row in rows] == [
        ("account.delete", account_id),
        ("account.name", account_id),
        ("account.create", account_id),
    ]
    assert {row.actor_name for row in rows} == {"deleted racer 1"}
    assert dataclasses.asdict(rows[2])["after"] == {"alias": "deleted racer 1", "name": "deleted racer 1"}


def test_a_renamed_racer_is_renamed_in_the_races_and_the_station_may_go_on(league: LeagueApp) -> None:
    _, told = league.sign_up(ALIAS, name=NAME)
    enter(league, told["account"]["account_id"], ALIAS, NAME)
    drove(league, "one", ALIAS)
    change = {"alias": "ada-2", "why": "asked for it"}
    assert call(league.app, "PATCH", f"/api/v1/accounts/{ALIAS}", change, sample_races.TOKEN).status_code == 200
    assert drove(league, "two", ALIAS, times_ms=(8000, 8100, 8200)) == 201
    assert drove(league, "three", "ada-2", times_ms=(8300, 8400, 8500)) == 201
    [row] = fields(call(league.app, "GET", "/api/v1/races/cup/standings"))["standings"]
    assert (row["racer"], row["name"], row["attempts"]) == ("ada-2", NAME, 3)
    drove(league, "other", "tom")
    back = {"alias": "tom", "why": "wrong"}
    refused = call(league.app, "PATCH", "/api/v1/accounts/ada-2", back, sample_races.TOKEN)
    assert (refused.status_code, "another racer is called" in refused.text) == (409, True)


def found(league: LeagueApp, words: str) -> list[tuple[str, str]]:
    """Racer and shown name of what a search in the standings finds."""
    answer = call(league.app, "GET", f"/api/v1/races/cup/standings?q={words}")
    return [(row["racer"], row["name"]) for row in fields(answer)["standings"]]


def test_another_display_name_is_shown_and_found_in_all_races_and_no_result_is_lost(league: LeagueApp) -> None:
    ada, told = league.sign_up(ALIAS, name=NAME)
    enter(league, told["account"]["account_id"], ALIAS, NAME)
    drove(league, "one", ALIAS)
    assert ada.call("PATCH", "/api/v1/me", {"name": "Ada Okapi"}).status_code == 200
    assert drove(league, "two", ALIAS, times_ms=(8000, 8100, 8200)) == 201
    assert (found(league, "okapi"), found(league, "zebrafish")) == ([(ALIAS, "Ada Okapi")], [])
    [row] = fields(call(league.app, "GET", "/api/v1/races/cup/standings"))["standings"]
    assert (row["attempts"], row["rank"]) == (2, 1)


def test_a_renamed_racer_is_found_and_the_old_address_leads_on(league: LeagueApp) -> None:
    _, told = league.sign_up(ALIAS)
    spelled = ALIAS.upper()  # as its station wrote it first
    enter(league, told["account"]["account_id"], spelled, ALIAS)
    drove(league, "one", spelled)
    change = {"alias": "ada-2", "why": "asked for it"}
    assert call(league.app, "PATCH", f"/api/v1/accounts/{ALIAS}", change, sample_races.TOKEN).status_code == 200
    assert (found(league, "ada-2"), found(league, "zebra")) == ([("ada-2", "ada-2")], [])
    for name in (spelled, ALIAS, "ada-2"):
        page = call(league.app, "GET", f"/races/cup/racers/{name}")
        assert (page.status_code, "ada-2" in page.text) == (200, True), name
    assert drove(league, "two", spelled) == 201
    [row] = fields(call(league.app, "GET", "/api/v1/races/cup/standings"))["standings"]
    assert (row["racer"], row["attempts"]) == ("ada-2", 2)
