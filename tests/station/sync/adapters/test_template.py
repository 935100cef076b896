"""The driver `template`: what it sends, what it believes, and which configs it refuses."""

import dataclasses
import json
import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError
from shared.protocol.results import AnswerLost, PostAccepted, PostDeferred, PostRejected, encode_result
from shared.web.http_exchange import Reply
from station.sync.adapters.template import TemplateLeaderboard
from station.sync.adapters.template_values import filled
from station.sync.schedule import OutboxRow
from tests.station.sync.sample_results import result
from tests.station.sync.test_syncer import drain, syncer

URL = "https://board.example/api/times?event=7"
BODY: dict[str, Any] = {
    "who": "{racer}",
    "text": "{racer}: {score_s} s {{best}}",
    "ms": "{score_ms}",
    "gone": "{withdrawn}",
    "fixed": 7,
    "laps": {"each": "laps", "item": {"n": "{number}", "s": "{lap_s}"}},
    "tags": ["{kind}", True],
}


class Peer:
    """Answers every request alike, and keeps what was sent."""

    def __init__(self, reply: Reply | PostDeferred) -> None:
        self.reply = reply
        self.sent: list[tuple[str, str, dict[str, str], bytes]] = []

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        self.sent.append((method, path, headers, body))
        return self.reply


def _board(reply: Reply | PostDeferred, **options: Any) -> tuple[TemplateLeaderboard, Peer]:
    peer = Peer(reply)
    return TemplateLeaderboard(URL, "s3cret", {"body": BODY} | options, lambda: 0.0, peer), peer


def test_what_is_sent() -> None:
    board, peer = _board(
        Reply(201, {}, b""),
        headers={"Authorization": "Bearer {secret}", "idempotency-key": "{webhook_id}", "x": "{racer}"},
    )
    assert board.post(result(revision=1, racer="Zoë")) == PostAccepted(10_000, None, 0)
    method, path, headers, body = peer.sent[0]
    assert (method, path) == ("POST", "/api/times?event=7")
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["idempotency-key"] == "race-1.run-1.1"
    assert headers["x"] == "Zo%C3%AB"
    assert json.loads(body) == {
        "who": "Zoë",
        "text": "Zoë: 10.0 s {best}",
        "ms": 10_000,
        "gone": False,
        "fixed": 7,
        "laps": [{"n": n, "s": 10.0} for n in (1, 2, 3)],
        "tags": ["physical", True],
    }


def test_runs_without_a_score_are_sent_if_the_endpoint_wants_them(tmp_path: pathlib.Path) -> None:
    short = dataclasses.replace(result(revision=1), v=2, score_ms=0, qualified=False)
    outbox = [OutboxRow(1, short.result_id, 1, encode_result(short))]
    body = {"ms": "{score_ms}", "counts": "{qualified}", "out": "{disqualified}", "gone": "{withdrawn}"}
    for unqualified in (False, True):
        board, peer = _board(Reply(201, {}, b""), body=body, unqualified=unqualified)
        logged: list[str] = []
        drain(syncer(tmp_path / f"{unqualified}.db", outbox, board, logged))
        assert ("takes only runs with a score" in logged[0]) is not unqualified
        sent = [json.loads(body) for _, _, _, body in peer.sent]
        assert sent == [{"ms": None, "counts": False, "out": False, "gone": False}] * unqualified


def test_a_run_that_lost_its_score_is_sent_in_any_case(tmp_path: pathlib.Path) -> None:
    board, peer = _board(Reply(201, {}, b""), body={"ms": "{score_ms}", "gone": "{withdrawn}"})
    lost = dataclasses.replace(result(revision=2), score_ms=0, qualified=False)
    drain(syncer(tmp_path / "sync.db", [OutboxRow(1, lost.result_id, 2, encode_result(lost))], board))
    assert json.loads(peer.sent[0][3]) == {"ms": None, "gone": True}


def test_a_form() -> None:
    board, peer = _board(Reply(200, {}, b""), form=True, body={"name": "{racer}", "ms": "{score_ms}"}, method="PUT")
    assert isinstance(board.post(result(racer="A & B")), PostAccepted)
    assert peer.sent[0][3] == b"name=A+%26+B&ms=10000"
    assert peer.sent[0][2]["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("reply", "options", "outcome"),
    [
        (Reply(204, {}, b""), {}, PostAccepted),
        (Reply(200, {"content-type": "text/html"}, b"<p>log in"), {}, PostDeferred),
        (Reply(200, {}, b'{"id": 4}'), {"answer_field": "id"}, PostAccepted),
        (Reply(200, {}, b'{"error": 4}'), {"answer_field": "id"}, PostDeferred),
        (Reply(200, {}, b"["), {"answer_field": "id"}, PostDeferred),
        (Reply(422, {}, b"no such racer"), {}, PostRejected),
        (Reply(404, {"content-type": "text/html; charset=x"}, b"<p>gone"), {}, PostDeferred),
        (Reply(404, {}, b"gone"), {"rejected": [422]}, PostDeferred),
        (Reply(503, {"retry-after": "7"}, b""), {}, PostDeferred),
        (Reply(302, {}, b""), {}, PostDeferred),
        (AnswerLost("lost"), {}, AnswerLost),
        (AnswerLost("lost"), {"repeat_after_lost_answer": False}, PostRejected),
        (PostDeferred("away"), {"repeat_after_lost_answer": False}, PostDeferred),
    ],
)
def test_what_is_believed(reply: Reply | PostDeferred, options: dict[str, Any], outcome: type) -> None:
    board, _ = _board(reply, **options)
    assert type(board.post(result())) is outcome


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"body": {}}, "`body` is empty"),
        ({"body": {"a": "{nobody}"}}, "names 'nobody'; there are: best_lap_ms"),
        ({"body": {"a": "{racer.__class__}"}}, "names 'racer.__class__'"),
        ({"body": {"a": "{racer!r}"}}, "names 'racer'"),
        ({"body": {"a": "{score_ms:>400000000}"}}, "names 'score_ms'"),
        ({"body": {"a": "{racer"}}, "is no template"),
        ({"body": {"a": {"each": "cars", "item": "x"}}}, 'each = "laps"'),
        ({"body": {"a": "{lap_ms}"}}, "names 'lap_ms'"),
        ({"body": {"a": "{secret}"}}, "names 'secret'"),
        ({"headers": {"a b": "x"}}, "cannot name a header"),
        ({"headers": {"a\r\nb": "x"}}, "cannot name a header"),
        ({"method": "GET"}, "method"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_is_refused_at_the_start(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=r"sync\.options") as refused:
        TemplateLeaderboard(URL, "", {"body": {"a": "{racer}"}} | options)
    assert words in str(refused.value)


def test_only_encrypted_addresses() -> None:
    with pytest.raises(ConfigError, match="https"):
        TemplateLeaderboard("http://board.example/x", "", {"body": {"a": "1"}})


@given(st.text())
def test_a_header_is_one_line_whatever_a_racer_is_called(racer: str) -> None:
    board, peer = _board(Reply(200, {}, b""), headers={"x": "{racer}"})
    board.post(result(racer=racer))
    assert peer.sent[0][2]["x"].isascii()
    assert peer.sent[0][2]["x"].isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_template_is_filled_or_refused(template: Any) -> None:
    try:
        json.dumps(filled(template, result()), allow_nan=False)
    except ConfigError:
        return
