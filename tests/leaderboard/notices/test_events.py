"""Which notices follow from a race as it was and is, when one is sent again, and where one may be sent: tables."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.notices.addresses import is_public, receiver
from leaderboard.notices.events import (
    BestScore,
    Leader,
    RaceMark,
    is_record,
    mark_of,
    notices_between,
    record_key,
    record_notice,
)
from leaderboard.notices.retries import outcome
from shared.errors import Refused
from shared.protocol.results import AnswerLost, PostDeferred
from shared.units import NS_PER_S
from shared.web.http_exchange import Reply
from tests.leaderboard.sample_races import race

ANNA, TOM = Leader("anna", "Anna", 9100, "run-1"), Leader("tom", "Tom", 9000, "run-2")
FASTER_ANNA = Leader("anna", "Anna", 8000, "run-3")
DAY_NS = 86_400 * NS_PER_S


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        (RaceMark(), RaceMark(), []),
        (RaceMark(), RaceMark(opened=True), ["race.opened"]),
        (RaceMark(opened=True), RaceMark(opened=True, leaders={"physical": ANNA}), ["leader.changed"]),
        (RaceMark(leaders={"physical": ANNA}), RaceMark(leaders={"physical": FASTER_ANNA}), []),
        (RaceMark(leaders={"physical": ANNA}), RaceMark(leaders={"physical": TOM}), ["leader.changed"]),
        (RaceMark(leaders={"physical": ANNA}), RaceMark(), []),
        (RaceMark(), RaceMark(leaders={"physical": ANNA, "virtual": TOM}), ["leader.changed", "leader.changed"]),
        (RaceMark(), RaceMark(final=True), ["race.final"]),
        (RaceMark(final=True), RaceMark(final=True), []),
        (RaceMark(final=True), RaceMark(), []),
        (RaceMark(), RaceMark(True, True, {"physical": ANNA}), ["race.opened", "leader.changed", "race.final"]),
    ],
)
def test_what_is_told(before: RaceMark, now: RaceMark, kinds: list[str]) -> None:
    found = notices_between(race(season_id="spring"), before, now, 5 * NS_PER_S)
    assert [each.kind for each in found] == kinds
    for each in found:
        document = json.loads(each.body)
        assert (document["type"], document["timestamp"]) == (each.kind, "1970-01-01T00:00:05Z")
        assert document["data"]["race_id"] == "cup"
        assert document["data"]["season_id"] == "spring"


def test_the_leader_before_is_named() -> None:
    (notice,) = notices_between(race(), RaceMark(leaders={"physical": ANNA}), RaceMark(leaders={"physical": TOM}), 0)
    data = json.loads(notice.body)["data"]
    assert (data["leader"]["name"], data["leader"]["score"], data["before"]["name"]) == ("Tom", "9.000", "Anna")


def test_a_race_stays_opened_and_is_final_each_time_anew() -> None:
    opens = race(opens_utc_ns=10, closes_utc_ns=20)
    marks = [mark_of(opens, {}, RaceMark(), at) for at in (5, 10, 20)]
    assert [mark.opened for mark in marks] == [False, True, False]
    assert mark_of(opens, {}, marks[1], 20).opened
    assert mark_of(race(stage="final"), {}, RaceMark(), 0).final
    assert not mark_of(race(stage="provisional"), {}, RaceMark(final=True), 0).final


def test_records_compare_what_is_comparable() -> None:
    keys = {
        record_key(each, table)
        for each in (race(), race(direction="clockwise"), race(track="Loop"), race(race_type="object_avoidance"))
        for table in ("physical", "virtual")
    }
    assert len(keys) == 8
    assert record_key(race(), "physical") == record_key(race("other", name="Other"), "physical")
    assert is_record(TOM, None)
    assert is_record(TOM, BestScore(9001, "old", "ann"))
    assert not is_record(TOM, BestScore(9000, "old", "ann"))
    data = json.loads(record_notice(race(), "physical", TOM, BestScore(9001, "old", "ann"), 0).body)["data"]
    assert data["before"] == {"score_ms": 9001, "race_id": "old", "racer": "ann"}


@pytest.mark.parametrize(
    ("reply", "attempts", "since", "state", "wait_s", "stopped"),
    [
        (Reply(200, {}, b""), 1, None, "delivered", 0, False),
        (Reply(204, {}, b""), 9, 5, "delivered", 0, False),
        (Reply(302, {}, b""), 1, None, "pending", 5, False),
        (Reply(500, {}, b""), 2, 0, "pending", 30, False),
        (Reply(429, {"retry-after": "90"}, b""), 1, None, "pending", 90, False),
        (Reply(429, {"retry-after": "9" * 9}, b""), 1, None, "pending", 43_200, False),
        (Reply(429, {"retry-after": "soon"}, b""), 1, None, "pending", 5, False),
        (Reply(410, {}, b""), 1, None, "pending", 0, True),
        (PostDeferred("away."), 99, 0, "pending", 10_800, False),
        (AnswerLost("lost."), 1, None, "pending", 5, False),
        (PostDeferred("away."), 99, -3 * DAY_NS, "pending", 0, True),
    ],
)
def test_when_it_is_sent_again(
    reply: Reply | PostDeferred, attempts: int, since: int | None, state: str, wait_s: int, stopped: bool
) -> None:
    found = outcome(reply, attempts, since, 0, 3)
    assert (found.state, found.not_before_utc_ns, bool(found.stop)) == (state, wait_s * NS_PER_S, stopped)


@pytest.mark.parametrize(
    ("ip", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:0a00:0001::", False),
        ("not an address", False),
    ],
)
def test_public_addresses(ip: str, public: bool) -> None:
    assert is_public(ip) is public


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://hooks.example/a?b=c", ""),
        ("https://hooks.example:8443/", ""),
        ("http://hooks.example/", "only sent by https"),
        ("ftp://hooks.example/", "is no address"),
        ("https://user:word@hooks.example/", "is no address"),
        ("https://hooks.example/#part", "is no address"),
        ("https:///path", "is no address"),
        ("https://hooks.example:0/", "is no address"),
        ("https://hooks.example:99999/", "is no address"),
        ("https://[::1", "is no address"),
        ("https://hooks.example/\n", "is no address"),
        ("https://hööks.example/", "is no address"),
        ("https://" + "a" * 600, "is no address"),
        ("https://127.0.0.1/", "private networks"),
        ("https://[::1]/", "private networks"),
        ("https://169.254.169.254/latest", "private networks"),
        ("https://localhost/", "private networks"),
        ("https://board.internal/", "private networks"),
    ],
)
def test_addresses_that_are_taken(url: str, words: str) -> None:
    if not words:
        assert receiver(url, allow_plain_http=False, allow_private=False).geturl() == url
        return
    with pytest.raises(Refused, match=words):
        receiver(url, allow_plain_http=False, allow_private=False)


@given(st.text())
def test_any_text_is_an_address_or_refused(url: str) -> None:
    try:
        parts = receiver(url, allow_plain_http=True, allow_private=True)
    except Refused:
        return
    assert parts.hostname
