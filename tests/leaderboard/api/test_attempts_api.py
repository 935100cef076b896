"""The calls about attempts, in process: who sees which, and what officials' rulings do to the standing."""

import dataclasses
from collections.abc import Iterator

import pytest

from leaderboard.store import audit, race_rows
from shared.protocol.results import encode_result
from shared.rules.ranking import RaceRules
from tests.leaderboard.hall import NOW, Hall, open_hall
from tests.leaderboard.in_process import call
from tests.leaderboard.sample_races import result


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("hall")) as opened:
        yield opened


def test_each_racer_sees_the_own_attempts_and_officials_all(hall: Hall) -> None:
    cup = hall.new_race()
    hall.post("anna", "a", 9000, 9000)
    hall.post("anna", "b", 9000, 9000, 9000, at_s=1)
    hall.post("ben", "c", 8000, 8000, 8000, at_s=2)
    status, seen = hall.ask("anna", "GET", f"{cup}/attempts")
    assert status == 200
    assert [(each["state"], each["reason"], each["score_ms"]) for each in seen["attempts"]] == [
        ("ranked", "", 9000),
        ("unqualified", "2 of 3 laps in a row", None),
    ]
    assert [len(each["laps"]) for each in seen["attempts"]] == [3, 2]
    assert hall.ask("anna", "GET", f"{cup}/attempts?racer=ben")[1] == {"attempts": [], "next": None}
    for who in ("otto", "olga"):
        page = hall.ask(who, "GET", f"{cup}/attempts?limit=2")[1]
        assert [each["racer"] for each in page["attempts"]] == ["ben", "anna"]
        rest = hall.ask(who, "GET", f"{cup}/attempts?limit=2&after={page['next']}")[1]
        assert ([each["state"] for each in rest["attempts"]], rest["next"]) == (["unqualified"], None)
    assert len(hall.ask("otto", "GET", f"{cup}/attempts?state=ranked")[1]["attempts"]) == 2
    assert call(hall.app, "GET", f"{cup}/attempts").status_code == 401
    assert hall.ask("otto", "GET", f"{cup}/attempts?after=bm9uc2Vuc2U=")[0] == 422
    # Somebody else who entered under a name owns its attempts, whatever other accounts are called.
    assert hall.ask("ben", "POST", f"{cup}/entries")[0] in (201, 409)


def test_a_ruling_changes_the_standing_at_once_and_is_audited(hall: Hall) -> None:
    cup = hall.new_race()
    best = hall.post("anna", "best", 8000, 8000, 8000)
    hall.post("anna", "other", 9000, 9000, 9000, at_s=1)
    hall.post("ben", "c", 8500, 8500, 8500, at_s=2)
    path = f"/api/v1/attempts/{best}"
    for who, status in (("anna", 403), ("olga", 403)):
        assert hall.ask(who, "POST", f"{path}/disqualify", {"why": "x"})[0] == status
    assert hall.ask("otto", "POST", f"{path}/disqualify", {"why": " "})[0] == 422
    status, ruled = hall.ask("otto", "POST", f"{path}/disqualify", {"why": "two batteries"})
    assert (status, ruled["state"], ruled["reason"], ruled["score_ms"]) == (200, "disqualified", "two batteries", 8000)
    assert hall.places() == [("ben", 8500), ("anna", 9000)]
    assert {row.placed.racer: row.moved for row in hall.board.snapshot(hall.race_id).rows} == {"ben": 1, "anna": -1}
    assert hall.ask("anna", "GET", f"{cup}/attempts")[1]["attempts"][1]["reason"] == "two batteries"
    refused = hall.ask("otto", "POST", f"{path}/disqualify", {"why": "again"})
    assert (refused[0], refused[1]["error"]) == (422, "The attempt is disqualified: it cannot be disqualified now.")
    assert hall.ask("otto", "POST", f"{path}/restore", {"why": "measured again"})[1]["state"] == "ranked"
    assert hall.places() == [("anna", 8000), ("ben", 8500)]
    assert hall.ask("otto", "POST", f"{path}/restore", {"why": "once more"})[0] == 422
    with hall.board.store.read() as db:
        rows = [row for row in audit.rows(db, race_id=hall.race_id) if row.what == "attempt.rule"]
    assert [(row.actor, row.after["state"], row.why) for row in rows] == [
        ("account-otto", "ranked", "measured again"),
        ("account-otto", "disqualified", "two batteries"),
    ]
    assert hall.ask("otto", "POST", "/api/v1/attempts/none/disqualify", {"why": "x"})[0] == 404


def test_a_disqualification_outlives_corrections_and_one_from_the_track_is_lifted_there(hall: Hall) -> None:
    hall.new_race()
    best = hall.post("anna", "best", 8000, 8000, 8000)
    hall.ask("otto", "POST", f"/api/v1/attempts/{best}/disqualify", {"why": "wrong car"})
    better = result(best, "anna", (7000,) * 3, race_id=hall.race_id, revision=2, finished_utc_ns=NOW)
    hall.board.apply(better.webhook_id, encode_result(better), NOW)
    assert hall.places() == []
    ruled = dataclasses.replace(better, revision=3, score_ms=0, qualified=False, disqualified=True)
    hall.board.apply(ruled.webhook_id, encode_result(ruled), NOW)
    assert hall.ask("otto", "POST", f"/api/v1/attempts/{best}/restore", {"why": "x"})[1]["state"] == "disqualified"
    status, refused = hall.ask("otto", "POST", f"/api/v1/attempts/{best}/restore", {"why": "x"})
    assert (status, "officials at the track" in refused["error"]) == (422, True)


def test_attempts_given_back_count_at_once(hall: Hall) -> None:
    cup = hall.new_race(rules=RaceRules(attempts_per_racer=1), attempts_per_day=1, zone="Europe/London")
    hall.post("anna", "a", 9000, 9000)
    hall.post("anna", "b", 8000, 8000, 8000, at_s=1)
    assert hall.places() == []
    back = {"racer": "ANNA", "attempts": 1, "why": "the gate was dead"}
    assert hall.ask("anna", "POST", f"{cup}/attempts/give-back", back)[0] == 403
    status, left = hall.ask("otto", "POST", f"{cup}/attempts/give-back", back)
    assert (status, left) == (200, {"in_all": 0, "today": 0})
    assert hall.places() == [("anna", 8000)]
    # Another day's attempts raise the whole quota, and not today's.
    assert hall.ask("otto", "POST", f"{cup}/attempts/give-back", back | {"day": "2023-11-16"})[1] == {
        "in_all": 1,
        "today": 0,
    }
    for wrong, status in (
        ({"racer": "nobody"}, 404),
        ({"attempts": 0}, 422),
        ({"attempts": 10**6}, 422),
        ({"day": "2023-02-30"}, 422),
        ({"day": "20231116"}, 422),
        ({"kind": "virtual"}, 422),
        ({"why": ""}, 422),
    ):
        assert hall.ask("otto", "POST", f"{cup}/attempts/give-back", back | wrong)[0] == status, wrong
    unlimited = hall.new_race()
    hall.post("anna", "a", 9000, 9000)
    assert "limits no attempts" in hall.ask("otto", "POST", f"{unlimited}/attempts/give-back", back)[1]["error"]


def test_the_attempts_of_a_private_race_do_not_exist_for_strangers(hall: Hall) -> None:
    hall.new_race(visibility="private", owner="account-olga")
    inside = hall.post("ben", "a", 9000, 9000, 9000)
    for method, path in (
        ("GET", f"/api/v1/races/{hall.race_id}/attempts"),
        ("POST", f"/api/v1/attempts/{inside}/restore"),
    ):
        status, there = hall.ask("anna", method, path, {"why": "x"} if method == "POST" else None)
        absent = path.replace(hall.race_id, "x" * len(hall.race_id))
        again, never = hall.ask("anna", method, absent, {"why": "x"} if method == "POST" else None)
        assert (status, again) == (404, 404)
        assert there["error"].replace(hall.race_id, "") == never["error"].replace("x" * len(hall.race_id), "")


def test_final_results_are_ruled_on_no_more(hall: Hall) -> None:
    hall.new_race()
    one = hall.post("anna", "a", 9000, 9000, 9000)
    with hall.board.store.write() as db:
        race_rows.change_race(db, dataclasses.replace(race_rows.race(db, hall.race_id), stage="final"))
    status, refused = hall.ask("otto", "POST", f"/api/v1/attempts/{one}/disqualify", {"why": "x"})
    assert (status, refused["error"]) == (422, "The results of this race are final: an official unlocks them first.")
