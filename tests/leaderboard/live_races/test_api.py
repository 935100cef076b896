"""The queue and the live feed over HTTP, in process: statuses, shapes, signatures, the limit."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from leaderboard.app import create_app
from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.protocol.live import MAX_LIVE_BYTES, LiveMessage, encode_live
from shared.units import NS_PER_S
from shared.webhooks import parse_secret
from tests.leaderboard import sample_races
from tests.leaderboard.by_hand import enter
from tests.shared.web.test_error_pages import Answer, TestClient

NOW_S = 1_700_000_000
BEARER = {"authorization": f"Bearer {sample_races.TOKEN}"}


class Api:
    """The application in process, at a time that the test sets."""

    def __init__(self, board: LeaderboardService) -> None:
        self.now_utc_ns = NOW_S * NS_PER_S
        keys = {parse_secret(sample_races.SECRET): "", parse_secret("whsec_" + "QUJD" * 11): "station-2"}
        credentials = Credentials(tuple(keys), sample_races.TOKEN, keys)
        app = create_app(board, credentials, LeaderboardConfig(), lambda: self.now_utc_ns)[0]
        self.client = TestClient(app)

    def do(self, path: str, headers: dict[str, str] | None = None, **body: Any) -> Answer:
        content = json.dumps(body).encode()
        return self.client.request("POST", f"/api/v1/races/cup/{path}", BEARER | (headers or {}), content=content)

    def queue(self, race_id: str = "cup", headers: dict[str, str] | None = None) -> Any:
        return self.client.get(f"/api/v1/races/{race_id}/queue", headers).json()

    def tell(self, message: LiveMessage, secret: str = sample_races.SECRET, race_id: str = "cup") -> Answer:
        body = encode_live(message)
        signed = sample_races.headers(message.webhook_id, body, self.now_utc_ns // NS_PER_S, secret)
        return self.client.request("POST", f"/api/v1/races/{race_id}/live", signed, content=body)


@pytest.fixture
def api(tmp_path: pathlib.Path) -> Iterator[Api]:
    board = open_board(tmp_path / "board.db")
    board.create_race(sample_races.race(live=True), 1)
    board.create_race(sample_races.race("secret", live=True, visibility="private"), 1)
    for racer in ("anna", "tom"):
        enter(board, "cup", racer, racer.title(), 1)
    yield Api(board)
    board.close()


def test_a_run_from_queue_to_winner(api: Api) -> None:
    first = api.do("queue", entries=True)
    assert first.status_code == 200
    anna, tom = (turn["item"] for turn in first.json()["queue"])
    moved = api.do("queue/move", version=1, item=tom, place=1).json()
    assert [(turn["name"], turn["place"]) for turn in moved["queue"]] == [("Tom", 1), ("Anna", 2)]
    assert api.do("queue/settings", version=2, run_time_s=60, entries_open=True).status_code == 200
    turn = api.do("queue/launch", version=3).json()["queue"][0]
    assert (turn["state"], turn["starts_at"], turn["ends_at"]) == (
        "countdown",
        "2023-11-14T22:13:30Z",
        "2023-11-14T22:14:30Z",
    )
    assert api.do("queue/speed", multiplier=1.25).json()["queue"][0]["multiplier"] == 1.25
    assert api.do("winner", version=5, racer="tom").status_code == 422
    api.now_utc_ns += 30 * NS_PER_S
    assert api.queue()["queue"][0]["state"] == "running"
    assert api.do("queue/fail", version=5, item=tom, reason="battery").json()["queue"][0]["reason"] == "battery"
    assert api.do("queue/relaunch", version=6, item=tom, reason="").status_code == 200
    assert api.do("queue/cancel", version=7, item=tom).status_code == 200
    assert api.do("queue/skip", version=8, item=tom).status_code == 200
    assert api.do("queue/return", version=9, item=tom).json()["queue"][1]["name"] == "Tom"
    assert api.do("queue/remove", version=10, item=anna).status_code == 200
    assert api.do("winner", version=11, racer="tom").json()["winner"] == "Tom"
    assert api.do("queue/clear", version=12).json() == {
        "race_id": "cup", "version": 13, "entries_open": True, "run_time_s": 60,
        "winner": "", "queue": [], "track": None,
    }  # fmt: skip


BAD: tuple[tuple[str, dict[str, Any], int, str], ...] = (
    ("queue/launch", {"version": 7}, 409, "at version 1, you saw 7"),
    ("queue/launch", {}, 422, "version"),
    ("queue/launch", {"version": "1"}, 422, "version"),
    ("queue/skip", {"version": 1, "item": "nothing"}, 422, "not in the queue any more"),
    ("queue/skip", {"version": 1, "item": "x", "reason": "y" * 201}, 422, "at most 200"),
    ("queue/skip", {"version": 1, "item": "x", "reason": "a\0b"}, 422, "cannot be shown"),
    ("queue/move", {"version": 1, "item": "x", "place": 1.5}, 422, "place"),
    ("queue/settings", {"version": 1, "run_time_s": 59}, 422, "1 to 10 minutes"),
    ("queue/speed", {"multiplier": 1.6}, 422, "0.5 to 1.5"),
    ("queue/speed", {"multiplier": 1e300}, 422, "0.5 to 1.5"),
    ("queue/speed", {"multiplier": 1}, 422, "Nobody is on the track"),
    ("queue", {"racers": ["a\u202eb"]}, 422, "U+202E"),
    ("queue", {"racers": ["anna"]}, 422, "in the queue already"),
    ("queue", {"unknown": 1}, 422, "unknown"),
    ("queue", {"heat": ["anna", "tom"]}, 422, "type head to head"),
    ("queue", {"heat": ["anna"]}, 422, "heat"),
    ("queue", {"heat": ["anna", "tom"], "entries": True}, 422, "by itself"),
    ("queue", {"bracket": "none", "entries": True}, 422, "by themselves"),
    ("queue", {"bracket": "none"}, 404, "bracket"),
    ("queue/pair", {"version": 1}, 422, "type head to head"),
    ("queue/pair", {"version": 1, "item": "x"}, 422, "both turns"),
    ("queue/part", {"version": 1, "item": "x"}, 422, "not in the queue any more"),
)


def test_bad_input_gets_a_sentence_and_changes_nothing(api: Api) -> None:
    api.do("queue", entries=True)
    for path, body, status, word in BAD:
        answer = api.do(path, **body)
        assert (answer.status_code, word in answer.json()["detail"]) == (status, True), (path, body, answer.text)
    assert api.queue()["version"] == 1


def test_nobody_may_and_private_races_are_not_there(api: Api) -> None:
    for path in ("queue", "queue/launch", "queue/speed", "winner"):
        assert api.client.request("POST", f"/api/v1/races/cup/{path}", content=b"{}").status_code == 401
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/launch"), ("POST", "/speed")):
        hidden, never = (
            api.client.request(method, f"/api/v1/races/{race_id}/queue{path}", content=b"{}")
            for race_id in ("secret", "secrex")
        )
        # What bears a body is asked who sends it before anything is looked up.
        assert hidden.status_code == never.status_code == (404 if method == "GET" else 401)
        assert hidden.content.replace(b"secret", b"secrex") == never.content
    assert api.queue("secret", BEARER)["queue"] == []


def test_a_signed_message_is_shown_to_all(api: Api) -> None:
    answer = api.tell(LiveMessage("cup", "Anna", "b", 7, "station-1", sectors=(3000, None, None), track_share=0.4))
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "newest": True,
            "racer": "",
            "state": None,
            "multiplier": 1.0,
            "starts_at": None,
            "ends_at": None,
            "turn": "",
            "launch": 0,
            "rival": "",
            "rival_multiplier": 1.0,
        },
    )
    track = api.queue()["track"]
    assert (track["racer"], track["levels"], track["fresh"]) == ("Anna", ["best", "pending", "pending"], True)
    api.now_utc_ns += 60 * NS_PER_S
    assert not api.queue()["track"]["fresh"]
    assert api.tell(LiveMessage("cup", "Tom", "b", 6, "station-1")).json()["newest"] is False


def test_who_may_send_live_messages(api: Api) -> None:
    message = LiveMessage("cup", "Anna", "b", 1)
    body = encode_live(message)

    def post(headers: dict[str, str], path: str = "cup") -> int:
        return api.client.request("POST", f"/api/v1/races/{path}/live", headers, content=body).status_code

    assert post({}) == 401
    assert post({"authorization": "Bearer wrong-token-of-nobody"}) == 401
    assert post(sample_races.headers(message.webhook_id, body + b" ", NOW_S)) == 401
    assert post(sample_races.headers(message.webhook_id, body, NOW_S - 400)) == 401
    assert post(BEARER, "secret") == 422  # the address names another race than the message
    assert post(BEARER) == 200
    other = "whsec_" + "QUJD" * 11
    assert api.tell(LiveMessage("cup", "Anna", "b", 2, "station-2")).status_code == 422  # it has a secret of its own
    assert api.tell(LiveMessage("cup", "Anna", "b", 2, "station-2"), other).status_code == 200
    assert api.tell(LiveMessage("never", "Anna", "b", 2), race_id="never").status_code == 404
    assert api.tell(LiveMessage("secret", "Anna", "b", 2), race_id="secret").status_code == 200


def test_the_limits_of_the_feed(api: Api) -> None:
    for seq in range(5):
        assert api.tell(LiveMessage("cup", "Anna", "b", seq)).status_code == 200
    refused = api.tell(LiveMessage("cup", "Anna", "b", 5))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert "At most 5" in refused.json()["detail"]
    api.now_utc_ns += NS_PER_S
    assert api.tell(LiveMessage("cup", "Anna", "b", 6)).json()["newest"]
    too_big = b"x" * (MAX_LIVE_BYTES + 1)
    assert api.client.request("POST", "/api/v1/races/cup/live", BEARER, content=too_big).status_code == 413
