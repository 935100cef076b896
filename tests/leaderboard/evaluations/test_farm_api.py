"""The farm's calls over HTTP, from an organiser's conditions to a line on the board; and the seeds at the end."""

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from leaderboard.core.access import Grant
from shared.access.pass_code_hashing import Argon2idHasher
from shared.conditions import ENGINE, conditions_from
from shared.protocol.farm import (
    CheckpointTrial,
    ClaimAnswer,
    PreparationItem,
    PreparationReport,
    WorkItem,
    decode,
    encode,
)
from tests.leaderboard.evaluations.virtual_league import CANARY, report_of
from tests.leaderboard.in_process import FormBrowser, call, fields
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.leaderboard.sample_races import TOKEN
from tests.leaderboard.signed_in import account, browser
from tests.leaderboard.submissions.racers import archive, sender, sha256, virtual_race
from tests.shared.web.test_error_pages import Answer, TestClient

_CLAIM = {"node": "n1", "engine": ENGINE, "cores": 2, "wanted": 4, "canary_sha256": CANARY}


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueApp]:
    with league_app(tmp_path_factory.mktemp("farm"), Argon2idHasher(memory_kib=8, passes=1)) as made:
        account(made.store, "olga", Grant("organiser"))
        yield made


def farm_key(league: LeagueApp) -> str:
    made = call(league.app, "POST", "/api/v1/keys", {"name": "Farm", "scopes": ["farm"]}, TOKEN)
    assert made.status_code == 201, made.text
    return str(fields(made)["key"])


def said(league: LeagueApp, key: str, path: str, body: bytes, method: str = "POST") -> Answer:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return TestClient(league.app).request(method, f"/api/v1/farm{path}", headers, "192.0.2.9", body)


def asked(league: LeagueApp, key: str, **changes: Any) -> ClaimAnswer:
    answer = call(league.app, "POST", "/api/v1/farm/claims", _CLAIM | changes, key)
    assert answer.status_code == 200, answer.text
    return decode(answer.content, ClaimAnswer)


def claimed(league: LeagueApp, key: str, **changes: Any) -> tuple[WorkItem, ...]:
    return asked(league, key, **changes).work


def prepare(league: LeagueApp, key: str, item: PreparationItem, content: bytes) -> None:
    """Read the archive, keep the first kilobyte of it, and choose one of its checkpoints."""
    blob = f"/blobs/{item.model_sha256}"
    whole = said(league, key, blob, b"", "GET")
    assert (whole.content, whole.headers["etag"]) == (content, f'"{item.model_sha256}"')
    kept = content[:1000]
    for path, body, status in (
        (f"{blob}/kept/{'0' * 64}", kept, 409),
        (f"{blob}/kept/{sha256(content)}", content, 422),
        (f"/blobs/{'0' * 64}/kept/{sha256(kept)}", kept, 404),
        (f"{blob}/kept/nothing", kept, 422),
        (f"{blob}/kept/{sha256(kept)}", kept, 204),
        (f"{blob}/kept/{sha256(kept)}", kept, 204),
    ):
        answer = said(league, key, path, body, "PUT")
        assert answer.status_code == status, (path, answer.text)
    part = said(league, key, blob, b"", "GET")
    assert (part.content, part.headers["etag"]) == (kept, f'"{sha256(kept)}"')
    trials = (CheckpointTrial("model_1.pb", 2), CheckpointTrial("model_2.pb", 3, 3_000_000, 29_100, 1))
    body = encode(PreparationReport(2, item.conditions_sha256, 100, trials))
    done = said(league, key, f"/claims/{item.claim}/prepared", body)
    assert (done.status_code, done.json()["state"]) == (200, "preparing"), done.text


def test_an_organiser_lets_farms_drive_the_heats_of_a_virtual_race_and_of_no_other(league: LeagueApp) -> None:
    for racer in ("una", "vic", "wes"):
        sender(league, racer)
    virtual_race(league, "duel", "una", "vic", "wes", track="reinvent_base", race_type="head_to_head")
    virtual_race(league, "trial", "una", track="reinvent_base")
    olga = browser(league.app, league.store, "account-olga", league.now_utc_ns)
    offered = 'name="driven"'
    assert offered in olga.get("/desk/races/duel/bracket").text
    assert offered not in olga.get("/desk/races/trial/bracket").text
    refused = olga.call("POST", "/api/v1/brackets", {"race_id": "duel", "name": "Cup", "driven": True})
    assert refused.status_code == 422  # nobody is ranked yet
    key = farm_key(league)
    for path, document in (("/heats/claims", {"heat": None}), ("/live/claims", {"turn": None})):
        answer = call(league.app, "POST", f"/api/v1/farm{path}", {"node": "n1", "engine": ENGINE}, key)
        assert (answer.status_code, fields(answer) | document) == (200, fields(answer))
    report = {"winner": 0, "times_ms": [None, None], "traces": [], "conditions_sha256": "0" * 64, "cost_ms": 1}
    late = call(league.app, "POST", "/api/v1/farm/heats/b1/1/result", report, key)
    assert (late.status_code, fields(late)["error"]) == (409, "There is no such heat that farms drive.")
    failure = {"fault": "farm", "sentence": "It broke."}
    gone = call(league.app, "POST", "/api/v1/farm/live/t1/1/fail", failure, key)
    assert (gone.status_code, fields(gone)["error"][:17]) == (410, "The turn is over:")


def test_a_racers_model_is_driven_by_the_organisers_conditions_and_ranked(league: LeagueApp) -> None:
    racer = sender(league, "ada")
    virtual_race(league, "dusk", "ada", track="reinvent_base")
    olga = browser(league.app, league.store, "account-olga", league.now_utc_ns)
    olga.get("/races/dusk")
    before = fields(call(league.app, "GET", "/api/v1/races/dusk/conditions"))
    assert before["conditions"]["runs"] == 3
    set_up = olga.call("PUT", "/api/v1/races/dusk/conditions", {"runs": 1, "latency_ms": 40})
    assert set_up.status_code == 200, set_up.text
    shown = fields(call(league.app, "GET", "/api/v1/races/dusk/conditions"))
    assert shown == fields(set_up) | {"seeds_commitment": before["seeds_commitment"]}
    assert hashlib.sha256(shown["canonical"].encode()).hexdigest() == shown["sha256"]
    assert conditions_from(shown["canonical"]).latency_ms == 40
    assert fields(call(league.app, "GET", "/api/v1/races/dusk"))["conditions_sha256"] == shown["sha256"]
    for document, sentence in (
        ({"runs": 10}, "`runs` is 10"),
        ({"track": "Oval"}, "`track` of the conditions is the race's own"),
        ({"objects": {"count": 1}}, "Boxes stand on the track in a race of object avoidance"),
        ([], "a JSON object"),
    ):
        refused = olga.call("PUT", "/api/v1/races/dusk/conditions", document)
        assert (refused.status_code, sentence in refused.text) == (422, True), refused.text

    content = archive(3)
    uploaded = racer.upload(content)

    async def submitted() -> dict[str, Any]:
        """Also wakes the farms that wait for work."""
        with league.app.state.services.arrivals.listening() as arrived:
            answer = await asyncio.to_thread(racer.submit, "dusk", uploaded)
            await asyncio.wait_for(arrived.wait(), 5.0)
            return dict(answer.json())

    made = asyncio.run(submitted())
    key = farm_key(league)
    assert call(league.app, "GET", f"/api/v1/farm/blobs/{made['model_sha256']}", None, key).status_code == 404
    [archived] = asked(league, key).preparations
    prepare(league, key, archived, content)
    [item] = claimed(league, key)
    assert (item.submission, item.conditions_sha256) == (made["submission_id"], shown["sha256"])
    assert item.checkpoint == "model_2.pb"
    assert said(league, key, f"/claims/{item.claim}/extend", b"").json()["state"] == "evaluating"
    body = encode(report_of(item))
    done = said(league, key, f"/claims/{item.claim}/result", body)
    assert (done.status_code, done.json()["state"]) == (200, "scored"), done.text
    assert said(league, key, f"/claims/{item.claim}/result", body).content == done.content
    late = said(league, key, f"/claims/{item.claim}/extend", b"{}")
    assert (late.status_code, "The claim is over" in late.text) == (410, True)
    [line] = fields(call(league.app, "GET", "/api/v1/races/dusk/standings"))["standings"]
    assert line["racer"] == "ada"
    detail = racer.call("GET", f"/submissions/{item.submission}").json()
    assert detail["submission"]["sentence"] == done.json()["sentence"]

    farms = fields(call(league.app, "GET", "/api/v1/farm/nodes", None, TOKEN))
    assert farms["runs_last_hour"] == 1

    assert "has results" in olga.call("PUT", "/api/v1/races/dusk/conditions", {"runs": 3}).text
    assert call(league.app, "GET", "/api/v1/races/dusk/seeds").status_code == 409
    assert olga.call("POST", "/api/v1/races/dusk/close", {}).status_code == 200
    seeds = fields(call(league.app, "GET", "/api/v1/races/dusk/seeds"))
    assert seeds["race"][0] == item.seed
    assert hashlib.sha256(seeds["canonical"].encode()).hexdigest() == shown["seeds_commitment"]


def test_what_farms_may_not_do(league: LeagueApp) -> None:
    key = farm_key(league)
    assert call(league.app, "POST", "/api/v1/farm/claims", _CLAIM).status_code == 401
    other = call(league.app, "POST", "/api/v1/farm/claims", _CLAIM | {"engine": "raceday-0"}, key)
    assert (other.status_code, "install the version" in other.text) == (409, True)
    for changes in ({"wanted": 257}, {"node": "a b"}, {"canary_sha256": "x"}, {"v": 2}, {"extra": 1}):
        refused = call(league.app, "POST", "/api/v1/farm/claims", _CLAIM | changes, key)
        assert (refused.status_code, "is not valid at" in refused.text) == (422, True), changes
    for path, body in (
        ("result", b"{}"),
        ("prepared", b"{}"),
        ("fail", b'{"fault":"model","sentence":"a\\nb"}'),
        ("extend", b"[]"),
    ):
        assert said(league, key, f"/claims/{'0' * 24}/{path}", body).status_code == 422
    assert said(league, key, f"/claims/{'0' * 24}/fail", b'{"fault":"farm","sentence":"no"}').status_code == 404
    assert claimed(league, key, node="n2", wanted=0) == ()
    for who in (key, TOKEN):
        nodes = fields(call(league.app, "GET", "/api/v1/farm/nodes", None, who))["nodes"]
        assert ("n2", "ready", 0) in [(node["name"], node["state"], node["evaluations"]) for node in nodes]
    assert fields(call(league.app, "GET", "/api/v1/farm/nodes", None, farm_key(league)))["nodes"] == []
    physical = call(league.app, "GET", "/api/v1/races/cup/conditions")
    assert (physical.status_code, "no virtual conditions" in physical.text) == (422, True)


def test_the_pages_of_conditions_and_farms(league: LeagueApp) -> None:
    virtual_race(league, "bots", race_type="head_to_bot", track="reinvent_base")
    olga = browser(league.app, league.store, "account-olga", league.now_utc_ns)
    shown = olga.get("/races/bots/conditions")
    assert (shown.status_code, "3 runs of each submission" in shown.text, "Set the conditions" in shown.text) == (
        200,
        True,
        True,
    )
    filled = {
        "runs": "2", "laps": "4", "resets": "15", "latency_ms": "0", "final_top_n": "0", "aggregate": "worst",
        "profile": "physical", "run_limit": "60,5", "look": "", "bots": "4", "bot_speed": "1.2",
    }  # fmt: skip
    refused = olga.submit("/races/bots/conditions", **filled | {"bots": "7", "laps": "5"})
    assert (refused.status_code, "`bots.count` is 7" in refused.text, 'value="5"' in refused.text) == (422, True, True)
    assert olga.submit("/races/bots/conditions", **filled | {"runs": "two"}).status_code == 422
    assert olga.submit("/races/bots/conditions", **filled).status_code == 303
    conditions = conditions_from(fields(call(league.app, "GET", "/api/v1/races/bots/conditions"))["canonical"])
    assert (conditions.runs, conditions.laps, conditions.aggregate) == (2, 4, "worst")
    assert (conditions.run_limit_ms, conditions.bots.count, conditions.bots.speed_mm_s) == (60_500, 4, 1200)
    nobody = FormBrowser(league.app)
    page = nobody.get("/races/bots/conditions").text
    assert ("4 at 1.2 m/s" in page, "Set the conditions" in page) == (True, False)
    assert 'href="/races/bots/conditions"' in nobody.get("/races/bots").text
    assert nobody.submit("/races/bots/conditions", **filled).status_code in (401, 403)
    key = farm_key(league)
    claimed(league, key, node="hall-pc", wanted=0)
    farm = olga.get("/farm")
    assert (farm.status_code, "hall-pc" in farm.text, "Ready" in farm.text) == (200, True, True)
    racer = browser(league.app, league.store, account(league.store, "rob"), league.now_utc_ns)
    assert racer.get("/farm").status_code == 403
    assert 'href="/farm"' not in racer.get("/").text
