"""The contract over real HTTP: statuses, signatures before parsing, limits, admin, simultaneous repeats."""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import pathlib
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from leaderboard.app import create_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from shared.config import parse
from shared.errors import ConfigError
from shared.protocol.results import MAX_RESULT_BYTES, RESULT_PATH, decode_accepted, encode_result
from tests.leaderboard.sample_races import Running, headers, result
from tests.shared.web.test_error_pages import TestClient


@pytest.mark.slow
def test_first_time_repeat_conflict(running: Running) -> None:
    one = result("contract-1", "anna")
    first, second = running.post(one), running.post(one)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.content == second.content
    assert decode_accepted(first.content).best
    other = running.post(dataclasses.replace(one, racer="tom"))
    assert other.status_code == 409
    assert "another body" in other.json()["error"]


def test_repeats_at_once_have_one_effect(running: Running) -> None:
    running.new_race("at-once")
    one = result("at-once", race_id="at-once")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: running.post(one), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert running.get("/api/v1/races/at-once/standings").json()["results"] == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"webhook-signature": "v1,AAAA"}, 401),
        ({"webhook-signature": ""}, 401),
        ({"webhook-id": "other.1"}, 401),
        ({"webhook-timestamp": "1"}, 401),
    ],
)
def test_unsigned_is_refused_before_it_is_read(running: Running, changed: dict[str, str], status: int) -> None:
    answer = running.post(b"this is not even JSON", "x.1", **changed)
    assert answer.status_code == status
    assert set(answer.json()) == {"type", "title", "status", "detail", "error"}


def test_stale_posts_are_refused(running: Running) -> None:
    body = encode_result(result("stale"))
    for at_s in (int(time.time()) - 400, int(time.time()) + 400):
        answer = requests.post(running.url + RESULT_PATH, data=body, headers=headers("stale.1", body, at_s), timeout=60)
        assert answer.status_code == 401
        assert "webhook-timestamp" in answer.json()["error"]


def test_unknown_race_and_unacceptable(running: Running) -> None:
    assert running.post(result("x", race_id="nowhere")).status_code == 404
    assert running.post(result("x", score_ms=5)).status_code == 422
    assert running.post(b"{}", "x.1").status_code == 422


def test_bodies_have_a_limit_however_they_are_sent(running: Running) -> None:
    big = b"x" * (MAX_RESULT_BYTES + 1)
    assert running.post(big).status_code == 413

    def in_parts() -> Iterator[bytes]:
        yield from (big[:9000], big[9000:])

    signed = headers("x.1", big, int(time.time()))
    answer = requests.post(running.url + RESULT_PATH, data=in_parts(), headers=signed, timeout=60)
    assert answer.status_code == 413
    # Without the headers of a signature not even its beginning is read.
    assert requests.post(running.url + RESULT_PATH, data=in_parts(), timeout=60).status_code == 401


def test_nonsense_on_the_socket_is_answered_or_dropped(running: Running) -> None:
    parts = urlsplit(running.url)
    for nonsense in (b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST " + b"/" * 40_000):
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as peer:
            peer.sendall(nonsense)
            peer.shutdown(socket.SHUT_WR)
            assert peer.recv(4096)[:9] in (b"HTTP/1.1 ", b"")
    assert running.get("/healthz").json()["ok"] is True


@pytest.mark.parametrize("token", ["", "wrong", "an-admin-token-of-the-tests-012", "é"])
def test_admin_calls_need_the_token(running: Running, token: str) -> None:
    credentials = {"authorization": f"Bearer {token}".encode()}
    for method, path in (("POST", "/races"), ("POST", "/races/cup/entries"), ("PATCH", "/races/cup")):
        url = f"{running.url}/api/v1{path}"
        answer = requests.request(method, url, data=b"{}", headers=credentials, timeout=60)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"name": "Sommer-Cup Zürich", "track": "Oval"}, 201, ""),
        ({"name": "Sommer-Cup Zürich", "track": "Oval"}, 200, ""),
        ({"name": "Sommer-Cup Zürich", "track": "Vegas"}, 409, "Another race has the id 'sommer-cup-zurich'"),
        ({"name": "???", "track": "Oval"}, 422, "cannot name a race"),
        ({"name": "A", "track": "Oval", "colour": "red"}, 422, "colour"),
        ({"name": "A"}, 422, "track"),
        ({"name": "A", "track": "Oval", "kind": "private"}, 422, "kind"),
        ({"name": "A", "track": "Oval", "rules": {"method": "fastest"}}, 422, "method"),
        ({"name": "A", "track": "Oval", "rules": {"consecutive_laps": 11}}, 422, "allowed is 1 to 10"),
        ({"name": "A", "track": "Oval", "rules": {"consecutive_laps": "3"}}, 422, "consecutive_laps"),
        ({"name": "A", "track": "Oval", "rules": {"laps": 3}}, 422, "unknown rule `laps`"),
        ({"name": "A", "track": "Oval", "rules": {"min_lap_s": float("nan")}}, 422, "NaN is no number"),
        ({"name": "A", "track": "Oval", "opens_at": "soon"}, 422, "with its zone"),
        ({"name": "A", "track": "Oval", "opens_at": "2026-03-05T14:00:00"}, 422, "with its zone"),
        ({"name": "A\u202e", "track": "Oval"}, 422, "invisible"),
        ([], 422, "body"),
    ],
)
def test_creating_races(running: Running, body: object, status: int, sentence: str) -> None:
    answer = running.admin("POST", "/races", body)
    assert answer.status_code == status, answer.text
    assert sentence in answer.json().get("error", "")


def test_a_race_of_registered_racers_opened_and_closed(running: Running) -> None:
    running.new_race("closed-shop", entry="registered", kind="league", opens_at="2020-01-01T00:00:00+01:00")
    one = result("shop-1", "anna", race_id="closed-shop")
    assert running.post(one).status_code == 422
    assert running.admin("POST", "/races/closed-shop/entries", {"racer": "anna", "name": "Anna"}).status_code == 201
    assert running.admin("POST", "/races/closed-shop/entries", {"racer": "anna", "name": "Anna"}).status_code == 200
    assert running.admin("POST", "/races/closed-shop/entries", {"racer": "anna"}).status_code == 409
    assert running.admin("POST", "/races/none/entries", {"racer": "anna"}).status_code == 404
    assert running.post(one).status_code == 201
    closed = running.admin("PATCH", "/races/closed-shop", {"closed": True})
    assert closed.json()["state"] == "closed"
    late = result("shop-2", "anna", race_id="closed-shop", finished_utc_ns=time.time_ns() + 10**12)
    assert running.post(late).status_code == 422
    assert running.admin("PATCH", "/races/closed-shop", {"closed": False}).json()["state"] == "open"
    assert running.admin("PATCH", "/races/closed-shop", {"closed": "yes"}).status_code == 422


WINDOW_ENDS = [
    ("9999-12-31T23:59:59Z", ""),
    ("9999-12-31T23:59:59-14:00", ""),
    ("2300-01-01T00:00:00Z", ""),
    ("2262-04-11T23:47:17Z", ""),  # a second after what 63 bits of nanoseconds can hold
    ("2262-01-01T00:00:00+14:00", ""),
    ("2261-12-31T23:59:59Z", "2261-12-31T23:59:59Z"),
    ("2261-12-31T23:59:59-14:00", "2262-01-01T13:59:59Z"),
]


@pytest.mark.parametrize(("at", "stored"), WINDOW_ENDS)
def test_a_time_that_cannot_be_kept_is_refused_with_what_to_do(running: Running, at: str, stored: str) -> None:
    race_id = "long-" + "".join(filter(str.isdigit, at))
    running.new_race(f"{race_id}-p")
    body = {"race_id": race_id, "name": race_id, "track": "Oval"}
    answers = [
        running.admin("PATCH", f"/races/{race_id}-p", {"closes_at": at}),
        running.admin("POST", "/races", body | {"opens_at": at}),
        running.admin("POST", "/races", body | {"race_id": f"{race_id}-c", "closes_at": at}),
    ]
    for answer in answers:
        assert answer.status_code in ((200, 201) if stored else (422,))
        if not stored:
            assert "is beyond the year 2261" in answer.json()["error"]
            assert "leave it out" in answer.json()["error"]
    if stored:
        assert (
            answers[0].json()["closes_at"] == answers[1].json()["opens_at"] == answers[2].json()["closes_at"] == stored
        )
    race = running.admin("PATCH", f"/races/{race_id}-p", {"closes_at": ""}).json()
    assert (race["state"], race["closes_at"]) == ("open", None)


def test_standings_tell_everything(running: Running) -> None:
    running.new_race("told")
    running.post(result("told-1", "anna", (9000, 9100, 9200), race_id="told"))
    running.post(result("told-2", "tom", (9000, 9000, 9000), race_id="told"))
    answer = running.get("/api/v1/races/told/standings").json()
    first, second = answer["standings"]
    assert (first["racer"], first["score"], first["gap_ms"], first["moved"]) == ("tom", "9.000", 0, None)
    assert (second["racer"], second["gap_ms"], second["interval_ms"], second["moved"]) == ("anna", 100, 100, -1)
    assert [lap["lap_ms"] for lap in second["laps"]] == [9000, 9100, 9200]
    assert len(running.get("/api/v1/races/told/standings?limit=1").json()["standings"]) == 1
    assert running.get("/api/v1/races/told/standings?limit=0").status_code == 422
    page = running.get("/api/v1/races/told/standings?limit=1").json()
    behind = running.get(f"/api/v1/races/told/standings?limit=1&after={page['next']}").json()
    assert (behind["standings"], behind["next"]) == ([second], None)
    for asked in ("around=ANNA&limit=1", "q=ann"):
        assert running.get(f"/api/v1/races/told/standings?{asked}").json()["standings"] == [second]
    assert running.get("/api/v1/races/told/standings?around=nobody").status_code == 404
    for wrong, sentence in (("after=x", "`next`"), ("after=x&q=y", "one of"), ("kind=virtual", "table")):
        refused = running.get(f"/api/v1/races/told/standings?{wrong}")
        assert refused.status_code == 422
        assert sentence in refused.json()["error"]
    assert "told" in [one["race"]["race_id"] for one in running.get("/api/v1/races").json()]
    assert running.get("/api/v1/races/told").json()["rules"]["off_track_penalty_s"] == 1


@pytest.mark.parametrize("path", ["/api/v1/races/none", "/api/v1/races/none/standings", "/api/v1/none"])
def test_unknown_addresses_of_the_api(running: Running, path: str) -> None:
    answer = running.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"type", "title", "status", "detail", "error"}


def test_openapi_declares_what_is_answered(running: Running) -> None:
    document = running.get("/openapi.json").json()
    post = document["paths"][RESULT_PATH]["post"]
    assert set(post["responses"]) == {"200", "201", "401", "403", "404", "408", "409", "413", "422", "503"}
    assert {one["name"] for one in post["parameters"]} == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert "laps" in post["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert document["paths"]["/api/v1/races"]["post"]["security"] == [{"admin": []}]


def test_every_reference_of_the_openapi_document_leads_to_a_definition(running: Running) -> None:
    document = running.get("/openapi.json").json()
    named = document["components"]["schemas"]
    references = list(_references(document))
    assert len(references) > 100
    assert {one for one in references if one.removeprefix("#/components/schemas/") not in named} == set()


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def test_every_answer_carries_the_safe_headers(running: Running) -> None:
    for path in ("/", "/races/cup", "/api/v1/races", "/nowhere", "/static/board.css"):
        sent = running.get(path).headers
        assert "default-src 'none'" in sent["content-security-policy"]
        assert sent["x-content-type-options"] == "nosniff"
        assert sent["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in sent["permissions-policy"]
        assert "server" not in sent


def test_a_slow_live_reader_does_not_hold_up_posts(running: Running) -> None:
    parts = urlsplit(running.url)
    lazy = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    lazy.request("GET", "/races/cup/live")
    assert lazy.getresponse().status == 200
    for number in range(30):
        assert running.post(result(f"lazy-{number}", f"racer {number}")).status_code == 201
    lazy.close()


def test_json_answers_are_json(running: Running) -> None:
    answer = running.post(result("json-1"))
    assert answer.headers["content-type"] == "application/json"
    assert set(json.loads(answer.content)) == {"score_ms", "rank", "racers", "best"}


@contextlib.contextmanager
def in_process(folder: pathlib.Path, *allowed_hosts: str) -> Iterator[TestClient]:
    """The application without a server of its own."""
    names = "".join(f"{name!r}, " for name in allowed_hosts)
    config = parse(f"[server]\nallowed_hosts = [{names}]", LeaderboardConfig)
    board = open_board(folder / "board.db")
    try:
        yield TestClient(create_app(board, Credentials((), ""), config, lambda: 1)[0])
    finally:
        board.close()


def test_it_answers_to_any_host_that_a_proxy_passes_on(tmp_path: pathlib.Path) -> None:
    with in_process(tmp_path) as client:
        for host in ("board.example", "10.0.0.5:8090", "localhost"):
            assert client.get("/api/v1/races", headers={"host": host}).status_code == 200


def test_with_names_of_its_own_it_answers_to_no_other(tmp_path: pathlib.Path) -> None:
    with in_process(tmp_path, "Board.example") as client:
        for host in ("board.example", "board.example:443", "127.0.0.1:8090", "board", "board.local"):
            assert client.get("/api/v1/races", headers={"host": host}).status_code == 200
        refused = client.get("/api/v1/races", headers={"host": "elsewhere.example"})
        assert refused.status_code == 421
        assert "This leaderboard does not answer to the name 'elsewhere.example'" in refused.json()["error"]


def test_a_host_that_cannot_be_one_is_refused_with_the_config() -> None:
    with pytest.raises(ConfigError, match=r"`server\.allowed_hosts` holds 'https://board\.example'"):
        parse('[server]\nallowed_hosts = ["https://board.example"]', LeaderboardConfig)
