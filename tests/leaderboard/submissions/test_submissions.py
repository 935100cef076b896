"""Submissions over HTTP: who may submit what where, quotas, the history, and what officials do."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from leaderboard.board import LeaderboardService
from leaderboard.core.access import Grant
from leaderboard.core.submissions.states import SubmissionMove
from leaderboard.store import audit, race_rows
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import ENTRIES, GIVEN_BACK
from shared.access.pass_code_hashing import Argon2idHasher
from shared.protocol.results import encode_result
from shared.units import NS_PER_S
from tests.leaderboard import sample_races
from tests.leaderboard.in_process import call, fields
from tests.leaderboard.league_app import LeagueApp, league_app
from tests.leaderboard.sample_races import TOKEN
from tests.leaderboard.signed_in import account, browser
from tests.leaderboard.submissions.racers import ModelSender, archive, sender, sha256, virtual_race

DAY_NS = 86_400 * NS_PER_S


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeagueApp]:
    with league_app(tmp_path_factory.mktemp("submissions"), Argon2idHasher(memory_kib=8, passes=1)) as made:
        account(made.store, "olga")
        account(made.store, "omar", Grant("official"))
        yield made


def moved(league: LeagueApp, submission_id: str, *moves: SubmissionMove, sentence: str = "") -> None:
    """What the farm does with it."""
    with league.store.write() as db:
        for what in moves:
            one = submission_rows.get(db, submission_id)
            submission_rows.move(db, one, what, "farm:hall", league.now_utc_ns, sentence)


def scored(league: LeagueApp, submission_id: str, racer: str, race_id: str) -> None:
    """The farm drives it, and its result is posted."""
    moved(league, submission_id, "prepare", "evaluate", "score")
    one = sample_races.result(f"submission-{submission_id}", racer, race_id=race_id, kind="virtual")
    board = LeaderboardService(league.store)
    assert board.apply(one.webhook_id, encode_result(one), league.now_utc_ns).status == 201


def detail(who: ModelSender, submission_id: str) -> dict[str, object]:
    answer = who.call("GET", f"/submissions/{submission_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_a_submission_from_its_first_byte_to_its_score(league: LeagueApp) -> None:
    ann, content = sender(league, "ann"), archive(1)
    race_id = virtual_race(league, "first", "ann")
    upload_id = ann.begin(content, "Zippy").json()["upload_id"]
    answer = ann.submit(race_id, sha256(content), Idempotency_Key="one")
    made = answer.json()
    assert (answer.status_code, made["state"], made["model_name"], made["racer"]) == (201, "uploading", "Zippy", "ann")
    again = ann.submit(race_id, sha256(content), Idempotency_Key="one")
    assert (again.status_code, again.json()) == (200, made)
    assert ann.submit(race_id, "0" * 64, Idempotency_Key="one").status_code == 409
    assert ann.chunk(upload_id, 0, content).status_code == 200
    moved(league, made["submission_id"], "prepare", "evaluate")
    moved(league, made["submission_id"], "score", sentence="It is scored: 9.100 s.")
    found = ann.call("GET", f"/submissions/{made['submission_id']}").json()
    steps = [(step["state"], step["who"]) for step in found["history"]]
    assert steps == [
        ("uploading", "racer"),
        ("queued", "racer"),
        ("preparing", "farm"),
        ("evaluating", "farm"),
        ("scored", "farm"),
    ]
    assert all(step["sentence"].endswith(".") and step["at"].endswith("Z") for step in found["history"])
    assert found["submission"]["sentence"] == "It is scored: 9.100 s."
    assert (found["place"], found["left"]) == (None, {"in_all": None, "today": None})


def test_who_may_submit_where(league: LeagueApp) -> None:
    bea, model = sender(league, "bea"), ""
    model = bea.upload(archive(2))
    now = league.now_utc_ns
    races: dict[str, tuple[dict[str, Any], str]] = {
        "real": ({"venue": "physical"}, "real track"),
        "later": ({"opens_utc_ns": now + DAY_NS}, "not open yet"),
        "over": ({"closes_utc_ns": now}, "is over"),
        "hall": ({"venue": "any", "track": "Our hall"}, "The virtual circuit has no track 'Our hall'"),
    }
    for race_id, (changes, sentence) in races.items():
        refused = bea.submit(virtual_race(league, race_id, "bea", **changes), model)
        assert (refused.status_code, sentence in refused.text) == (422, True), refused.text
    assert "not entered" in bea.submit(virtual_race(league, "strange"), model).text
    both = virtual_race(league, "both", "bea", venue="any")
    unknown = bea.submit(both, "0" * 64)
    assert (unknown.status_code, "You have no model" in unknown.text) == (404, True)
    assert bea.call("POST", f"/races/{both}/submissions", {"model_sha256": model, "laps": 3}).status_code == 422
    assert bea.submit(both, "x").status_code == 422
    assert bea.submit("no-such-race", model).status_code == 404
    with league.store.write() as db:
        db.execute(sa.update(ENTRIES).where(ENTRIES.c.race_id == both).values(state="removed"))
    assert bea.submit(both, model).status_code == 403
    # Somebody else's model is none of the caller's, and a private race is one that never was.
    cem = sender(league, "cem")
    assert cem.submit(virtual_race(league, "cems", "cem"), model).status_code == 404
    private = virtual_race(league, "private", "bea", visibility="private")
    assert (bea.submit(private, model).status_code, cem.submit(private, model).status_code) == (201, 404)
    assert bea.call("GET", f"/races/{private}").status_code == 404  # elsewhere the key is nobody's
    for key, status in ((TOKEN, 403), ("", 401)):
        path = f"/api/v1/races/{both}/submissions"
        assert call(league.app, "POST", path, {"model_sha256": model}, key).status_code == status


def test_quotas_count_what_was_driven_and_what_will_be(league: LeagueApp) -> None:
    dan = sender(league, "dan")
    rules = dataclasses.replace(sample_races.RULES, attempts_per_racer=4)
    race_id = virtual_race(league, "quota", "dan", rules=rules, attempts_per_day=2)
    model = dan.upload(archive(3))

    def submit() -> str:
        answer = dan.submit(race_id, model)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["submission_id"]
        return made

    def left() -> tuple[object, object]:
        told = dan.call("GET", f"/races/{race_id}/submissions").json()["left"]
        return told["in_all"], told["today"]

    first = submit()
    assert left() == (3, 1)
    assert "1 submission of yours is in work" in dan.submit(race_id, model).text
    moved(league, first, "prepare", "reject", sentence="The archive holds no model.")
    assert left() == (4, 2)  # counts for nothing
    moved(league, submit(), "fail")
    assert dan.call("POST", f"/submissions/{submit()}/cancel").json()["sentence"] == "It was cancelled."
    assert left() == (4, 2)
    moved(league, submit(), "prepare", "evaluate", "unqualify")
    assert left() == (3, 1)
    # A virtual run that a station posts is an attempt too.
    board, run = (
        LeaderboardService(league.store),
        sample_races.result("run-dan", "dan", race_id=race_id, kind="virtual"),
    )
    run = dataclasses.replace(run, finished_utc_ns=league.now_utc_ns)
    assert board.apply(run.webhook_id, encode_result(run), league.now_utc_ns).status == 201
    assert left() == (2, 0)
    assert "no attempts left in this race today" in dan.submit(race_id, model).text
    with league.store.write() as db:
        day = "2027-01-15"
        given = {"race_id": race_id, "kind": "virtual", "racer": "dan", "day": day, "attempts": 1}
        db.execute(sa.insert(GIVEN_BACK), given)
    assert left() == (3, 1)
    scored(league, submit(), "dan", race_id)
    assert left() == (2, 0)  # its result on the board is not counted once more
    league.now_utc_ns += DAY_NS
    assert left() == (2, 2)


def test_what_officials_do_is_told_and_kept(league: LeagueApp) -> None:
    eve = sender(league, "eve")
    race_id = virtual_race(league, "ruled", "eve")
    model = eve.upload(archive(4))
    submission_id = eve.submit(race_id, model).json()["submission_id"]
    olga, omar = (browser(league.app, league.store, f"account-{name}", league.now_utc_ns) for name in ("olga", "omar"))
    for each in (olga, omar):
        each.get(f"/races/{race_id}")

    def ruled(who: object, what: str, document: object) -> tuple[int, str]:
        answer = who.call("POST", f"/api/v1/submissions/{submission_id}/{what}", document)  # type: ignore[attr-defined]
        return answer.status_code, answer.text

    assert ruled(olga, "cancel", {})[0] == 422  # somebody else's: with a reason
    assert "only a submission" in ruled(omar, "disqualify", {"why": "why not"})[1].lower()
    scored(league, submission_id, "eve", race_id)
    assert "decided already" in ruled(olga, "cancel", {"why": "too late"})[1]
    assert ruled(olga, "disqualify", {"why": "a trick"})[0] == 403  # of officials only
    assert ruled(omar, "disqualify", {"why": ""})[0] == 422
    assert ruled(omar, "disqualify", {"why": "a trick"})[0] == 200
    found = detail(eve, submission_id)
    assert found["submission"]["sentence"] == "It is disqualified: a trick"  # type: ignore[index]
    assert found["history"][-1]["who"] == "official"  # type: ignore[index]
    standings = fields(call(league.app, "GET", f"/api/v1/races/{race_id}/standings"))["standings"]
    assert standings == []
    restored = omar.call("POST", f"/api/v1/attempts/submission-{submission_id}/restore", {"why": "no trick"})
    assert restored.status_code == 200
    assert detail(eve, submission_id)["submission"]["state"] == "scored"  # type: ignore[index]
    assert ruled(olga, "rerun", {"why": "the farm's clock was wrong"})[0] == 200
    found = detail(eve, submission_id)
    assert (found["submission"]["round"], found["place"] is not None) == (2, True)  # type: ignore[index]
    with league.store.read() as db:
        rows = audit.rows(db, race_id=race_id)
    assert [(row.what, row.after.get("state")) for row in rows][:3] == [
        ("submission.rerun", "queued"),
        ("attempt.rule", "ranked"),
        ("attempt.rule", "disqualified"),
    ]
    listed = olga.call("GET", f"/api/v1/races/{race_id}/submissions?every=true&state=queued").json()
    assert [each["submission_id"] for each in listed["submissions"]] == [submission_id]
    assert (listed["left"], olga.call("GET", f"/api/v1/races/{race_id}/submissions").json()["submissions"]) == (
        None,
        [],
    )
    # To others it is not there, and its racer rules nothing.
    fay = sender(league, "fay")
    assert fay.call("GET", f"/submissions/{submission_id}").status_code == 404
    assert fay.call("POST", f"/submissions/{submission_id}/cancel").status_code == 404
    assert fay.call("GET", f"/races/{race_id}/submissions?every=true").status_code == 403
    for what in ("rerun", "disqualify"):
        assert eve.call("POST", f"/submissions/{submission_id}/{what}", {"why": "me"}).status_code == 403
    for unknown in ("0" * 16, "a.b", "%00"):
        assert eve.call("GET", f"/submissions/{unknown}").status_code == 404


def test_pages_of_the_list_and_the_queue(league: LeagueApp) -> None:
    gus = sender(league, "gus")
    race_id = virtual_race(league, "long", "gus", in_work_per_racer=5)
    model = gus.upload(archive(5))
    made = [gus.submit(race_id, model).json()["submission_id"] for _ in range(3)]
    assert "3 submissions" not in gus.submit(race_id, model).text
    first = gus.call("GET", f"/races/{race_id}/submissions?limit=3").json()
    rest = gus.call("GET", f"/races/{race_id}/submissions?limit=3&after={first['next']}").json()
    listed = [each["submission_id"] for each in (*first["submissions"], *rest["submissions"])]
    assert (listed[-3:], rest["next"]) == (made[::-1], None)
    before = [detail(gus, each)["place"]["before"] for each in made]  # type: ignore[index]
    assert [b - before[0] for b in before] == [0, 1, 2]


def test_a_model_stays_while_a_race_may_drive_it(league: LeagueApp) -> None:
    hal = sender(league, "hal")
    race_id = virtual_race(league, "needed", "hal")
    model = hal.upload(archive(6))
    submission_id = hal.submit(race_id, model).json()["submission_id"]
    refused = hal.call("DELETE", f"/models/{model}")
    assert (refused.status_code, "not evaluated yet" in refused.text) == (422, True)
    scored(league, submission_id, "hal", race_id)
    assert "until its results are final" in hal.call("DELETE", f"/models/{model}").text
    with league.store.write() as db:
        race = race_rows.race(db, race_id)
        race_rows.change_race(db, dataclasses.replace(race, stage="final"))
    assert hal.call("DELETE", f"/models/{model}").status_code == 204
    omar = browser(league.app, league.store, "account-omar", league.now_utc_ns)
    omar.get(f"/races/{race_id}")
    final = omar.call("POST", f"/api/v1/submissions/{submission_id}/rerun", {"why": "once more"})
    assert (final.status_code, "are final" in final.text) == (422, True)
    with league.store.write() as db:
        race_rows.change_race(db, dataclasses.replace(race, stage="provisional"))
    gone = omar.call("POST", f"/api/v1/submissions/{submission_id}/rerun", {"why": "once more"})
    assert (gone.status_code, "has deleted this model" in gone.text) == (422, True)


def test_an_account_that_goes_takes_its_models_and_what_is_in_work(league: LeagueApp, tmp_path: pathlib.Path) -> None:
    page, told = league.sign_up("goes")
    account_id = told["account"]["account_id"]
    made = fields(page.call("POST", "/api/v1/keys", {"name": "T", "scopes": ["submissions:write"]}))
    who = ModelSender(league, "goes", made["key"])
    race_id = virtual_race(league, "left")
    with league.store.write() as db:
        entry = {"race_id": race_id, "racer": "goes", "name": "goes", "entered_utc_ns": 1, "account_id": account_id}
        db.execute(sa.insert(ENTRIES), entry)
    model = who.upload(archive(7))
    submission_id = who.submit(race_id, model).json()["submission_id"]
    assert who.begin(archive(8)).status_code == 201
    archive_names = {"models.json", "uploads.json", "submissions.json"}
    assert all(name.encode() in page.get("/api/v1/me/export").content for name in archive_names)
    assert page.call("DELETE", "/api/v1/me?confirm=goes").status_code == 204
    assert who.call("GET", "/models").status_code == 401
    league.app.state.services.submissions.upkeep.work()
    with league.store.read() as db:
        one = submission_rows.get(db, submission_id)
    assert (one.state, one.racer) == ("cancelled", "deleted racer 1")
    with pytest.raises(Exception, match="no model"):
        league.app.state.services.submissions.archives.file(model)


def test_keys_that_submit(league: LeagueApp) -> None:
    page, _ = league.sign_up("ivy")
    race_id = virtual_race(league, "bound", visibility="private")
    for scopes, races, status in (
        (["submissions:write"], [], 201),
        (["submissions:write", "results:write"], [], 403),
        (["submissions:write"], [race_id], 404),
        (["submissions:write"], ["ruled"], 201),
    ):
        made = page.call("POST", "/api/v1/keys", {"name": "Key", "scopes": scopes, "races": races})
        assert made.status_code == status, made.text
    bound = ModelSender(league, "ivy", fields(made)["key"])
    model = bound.upload(archive(9))
    assert "not entered" in bound.submit("ruled", model).text
    other = bound.submit("long", model)
    assert (other.status_code, "not for this race" in other.text) == (403, True)
    assert bound.call("GET", "/races/long/submissions").status_code == 403
    nobodys = call(league.app, "POST", "/api/v1/keys", {"name": "Key", "scopes": ["submissions:write"]}, TOKEN)
    assert (nobodys.status_code, "belongs to an account" in nobodys.text) == (422, True)
