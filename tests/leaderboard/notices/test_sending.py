"""Notices on their way: from a posted result over the outbox to a receiver that checks them with the public library."""

import json
import pathlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from leaderboard.board import LeaderboardService
from leaderboard.build import open_board
from leaderboard.config import NoticeSettings
from leaderboard.core.access import ADMIN
from leaderboard.core.errors import UnknownSubscription
from leaderboard.notices.outbox import DueNotice
from leaderboard.notices.sender import CLAIM_S, NoticeSender
from leaderboard.notices.subscriptions import NewSubscription, NoticeSubscriptions
from leaderboard.store import audit
from shared.errors import Refused
from shared.protocol.results import PostDeferred, encode_result
from shared.units import NS_PER_S
from shared.web.http_exchange import Reply
from tests.leaderboard.sample_races import race, result

ALL = ("race.opened", "leader.changed", "record.set", "race.final")
LOCAL = NoticeSettings(allow_private_networks=True, allow_plain_http=True)
START_NS = 1_700_000_000 * NS_PER_S


class Receiver:
    """A program that takes notices over HTTP, checks them, and answers as it is told."""

    def __init__(self) -> None:
        self.secret, self.status = "", 200
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.forged = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: object) -> None:
                """Keeps the test's output clean."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer._take({name.lower(): value for name, value in self.headers.items()}, body)
                self.send_response(outer.status)
                self.send_header("content-length", "0")
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?x=1"

    def _take(self, headers: dict[str, str], body: bytes) -> None:
        try:
            webhook = Webhook(self.secret)
            webhook._Webhook__verify_timestamp = lambda at: datetime.fromtimestamp(float(at), tz=UTC)
            webhook.verify(body, headers)
        except WebhookVerificationError:
            self.forged += 1
            return
        if self.status == 200:
            self.taken.append((headers["webhook-id"], json.loads(body)))

    @property
    def kinds(self) -> list[str]:
        return [document["type"] for _, document in self.taken]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        self.now_ns = START_NS

    def __call__(self) -> int:
        return self.now_ns

    def on(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS_PER_S)


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
    assert receiver.forged == 0


@pytest.fixture
def held(tmp_path: pathlib.Path) -> Iterator[LeaderboardService]:
    board = open_board(tmp_path / "board.db")
    yield board
    board.close()


def _post(board: LeaderboardService, name: str, racer: str, first_ms: int, race_id: str = "cup") -> None:
    posted = result(name, racer, (first_ms, first_ms, first_ms), race_id=race_id)
    assert board.apply(posted.webhook_id, encode_result(posted), START_NS).status == 201


def test_from_a_result_to_a_receiver(held: LeaderboardService, receiving: Receiver) -> None:
    clock = Clock()
    subscriptions = NoticeSubscriptions(held.store, LOCAL)
    held.create_race(race("before"), START_NS)
    _post(held, "old", "old", 9000, "before")
    receiving.secret = subscriptions.add(NewSubscription(receiving.url, ALL), ADMIN, START_NS).secret
    sender = NoticeSender(held.store, LOCAL, clock)
    held.watch(sender.changed)
    assert not sender.step()  # what was before the first receiver is no news

    held.create_race(race(opens_utc_ns=START_NS + 60 * NS_PER_S, track="Loop"), START_NS)
    assert not sender.step()
    clock.on(60)
    while sender.step():
        clock.on(1)
    assert receiving.kinds == ["race.opened"]

    held.change_rules("cup", race().rules, 1)
    held.create_race(race("now", track="Loop"), clock())
    _post(held, "a", "anna", 9000, "now")
    _post(held, "b", "bo", 9100, "now")
    _post(held, "c", "cy", 8000, "now")
    while sender.step():
        clock.on(1)
    assert receiving.kinds == ["race.opened", "race.opened", "leader.changed", "record.set"]
    _post(held, "d", "dee", 8500, "now")
    assert not sender.step()
    assert len({webhook_id for webhook_id, _ in receiving.taken}) == len(receiving.taken)
    leader = receiving.taken[2][1]["data"]
    assert (leader["race_id"], leader["leader"]["racer"], leader["before"]) == ("now", "cy", None)


def test_a_receiver_that_is_away_gets_all_in_order_and_another_is_not_kept_waiting(
    held: LeaderboardService, receiving: Receiver
) -> None:
    clock = Clock()
    held.create_race(race(), START_NS)
    subscriptions = NoticeSubscriptions(held.store, LOCAL)
    receiving.secret = subscriptions.add(NewSubscription(receiving.url, ALL, "cup"), ADMIN, START_NS).secret
    dead = subscriptions.add(NewSubscription("http://127.0.0.1:9/", ALL, "cup"), ADMIN, START_NS)
    sender = NoticeSender(held.store, LOCAL, clock)
    held.watch(sender.changed)
    receiving.status = 503
    for number, racer in enumerate(("anna", "bo", "cy")):
        _post(held, racer, racer, 9000 - 100 * number)
        sender.step()
        clock.on(1)
    assert receiving.taken == []
    receiving.status = 200
    while len(receiving.taken) < 6:
        clock.on(30)
        assert sender.step()
    assert [document["data"]["leader"]["racer"] for _, document in receiving.taken] == [
        "anna",
        "anna",
        "bo",
        "bo",
        "cy",
        "cy",
    ]
    clock.on(4 * 86_400)
    sender.step()
    assert [each.row.stopped for each in subscriptions.list("cup")].count("") == 1
    given_up = next(each for each in subscriptions.list("cup") if each.row.stopped)
    assert given_up.row.subscription_id == dead.subscription_id
    assert "took nothing for 3 days:" in given_up.row.stopped
    assert subscriptions.pause(dead.subscription_id, False, ADMIN, clock()).stopped == ""


def test_a_process_that_dies_in_the_middle_sends_the_same_again(held: LeaderboardService) -> None:
    clock = Clock()
    held.create_race(race(), START_NS)
    NoticeSubscriptions(held.store, LOCAL).add(NewSubscription("http://127.0.0.1:9/", ALL, "cup"), ADMIN, START_NS)
    sent: list[int] = []

    def dies(delivery: DueNotice, _now_utc_ns: int) -> Reply | PostDeferred:
        sent.append(delivery.seq)
        raise KeyboardInterrupt

    def takes(delivery: DueNotice, _now_utc_ns: int) -> Reply | PostDeferred:
        sent.append(delivery.seq)
        return Reply(200, {}, b"")

    dying = NoticeSender(held.store, LOCAL, clock, dies)
    held.watch(dying.changed)
    _post(held, "a", "anna", 9000)
    with pytest.raises(KeyboardInterrupt):
        dying.step()
    living = NoticeSender(held.store, LOCAL, clock, takes)
    living.step()
    assert sent == [sent[0]]  # claimed: no other process sends it meanwhile
    clock.on(CLAIM_S)
    while living.step():
        clock.on(1)
    assert sent[:2] == [sent[0], sent[0]]
    assert len(sent) == len(set(sent)) + 1


def test_private_races_are_told_to_their_own_receivers_only(held: LeaderboardService) -> None:
    clock, told = Clock(), list[tuple[str, str]]()
    held.create_race(race("hidden", visibility="private"), START_NS)
    held.create_race(race("other", season_id="spring"), START_NS)
    subscriptions = NoticeSubscriptions(held.store, LOCAL)
    names = {
        subscriptions.add(
            NewSubscription("http://127.0.0.1:9/", ALL, race_id, season), ADMIN, START_NS
        ).subscription_id: name
        for name, race_id, season in (("all", "", ""), ("hidden", "hidden", ""), ("spring", "", "spring"))
    }

    def takes(delivery: DueNotice, _now_utc_ns: int) -> Reply | PostDeferred:
        told.append((names[delivery.subscription.subscription_id], json.loads(delivery.body)["data"]["race_id"]))
        return Reply(200, {}, b"")

    sender = NoticeSender(held.store, LOCAL, clock, takes)
    held.watch(sender.changed)
    _post(held, "a", "anna", 9000, "hidden")
    _post(held, "b", "bo", 9000, "other")
    while sender.step():
        clock.on(1)
    assert set(told) == {("hidden", "hidden"), ("all", "other"), ("spring", "other")}


def test_what_is_refused_and_what_the_audit_says(held: LeaderboardService) -> None:
    held.create_race(race(), START_NS)
    subscriptions = NoticeSubscriptions(held.store, NoticeSettings(per_race=1))
    with pytest.raises(Refused, match="only sent by https"):
        subscriptions.add(NewSubscription("http://a.example/", ALL, "cup"), ADMIN, 1)
    with pytest.raises(Refused, match=r"some of race\.opened, leader\.changed"):
        subscriptions.add(NewSubscription("https://a.example/", ("all",), "cup"), ADMIN, 1)
    row = subscriptions.add(NewSubscription("https://a.example/", ("race.final",), "cup"), ADMIN, 1)
    with pytest.raises(Refused, match="1 receivers already; at most 1"):
        subscriptions.add(NewSubscription("https://b.example/", ALL, "cup"), ADMIN, 1)
    subscriptions.pause(row.subscription_id, True, ADMIN, 2)
    subscriptions.test(row.subscription_id, 3)
    subscriptions.remove(row.subscription_id, ADMIN, 4)
    for call in (
        lambda: subscriptions.get(row.subscription_id),
        lambda: subscriptions.test("none", 1),
        lambda: subscriptions.remove("none", ADMIN, 1),
    ):
        with pytest.raises(UnknownSubscription):
            call()
    with held.store.read() as db:
        written = audit.rows(db, race_id="cup")
    assert [each.what for each in written if each.what.startswith("notices.")] == [
        "notices.remove", "notices.pause", "notices.add",
    ]  # fmt: skip
    assert row.secret not in str(written)
