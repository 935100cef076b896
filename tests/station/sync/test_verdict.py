"""Who answered? Only an answer in the contract's form settles a result; from anything in between it means "not now"."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.races import RaceOffer
from shared.protocol.results import AnswerLost, PostAccepted, PostDeferred, PostRejected, encode_accepted
from shared.rules.ranking import RaceRules
from shared.web.http_exchange import Reply
from station.sync.leaderboard_check import target_from_reply
from station.sync.schedule import PostedWithOtherScore
from station.sync.verdict import verdict
from tests.station.sync.sample_results import result

HTML = b"<html><body>Please accept the terms</body></html>"
NO = b'{"error": "There is no race like that."}'
MARK = {"raceday-contract": "results/1"}
JSON = {"content-type": "application/json"}

PRACTICE = RaceOffer("practice", "Practice", "", RaceRules())


@pytest.mark.parametrize(
    "body",
    [
        HTML,
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"error"',
        b'{"message":"Forbidden"}',
        b'{"error":{"code":403,"message":"Forbidden"}}',
        b'{"error":"Not Found"}',
        b'{"error":"Method Not Allowed."}',
        b'{"error":"not_found"}',
        b'{"error":""}',
        b'{"error":null}',
        b'{"timestamp":1,"status":404,"error":"Not Found","path":"/api/v1/results"}',
        b'{"error":"Access denied by the web application firewall.","id":"ab12"}',
        b'{"errors":["There is no race like that."]}',
        b'{"error":"There is no race like that."',
        b"\x1f\x8b\x08\x00",
    ],
)
def test_a_strangers_answer_settles_nothing(body: bytes) -> None:
    for status in range(202, 1000):
        for headers in ({}, {"content-type": "text/html"}, {"location": "http://login.hall/h\xf6tel"}, JSON):
            assert isinstance(verdict(result(), Reply(status, headers, body), 0.0), PostDeferred), (status, headers)


@pytest.mark.parametrize("status", [302, 401, 403, 405, 406, 407, 423, 429, 451, 500, 503, 511])
def test_even_a_sentence_does_not_settle_with_a_status_of_firewalls(status: int) -> None:
    assert isinstance(verdict(result(), Reply(status, JSON, NO), 0.0), PostDeferred)


@pytest.mark.parametrize("status", [400, 404, 409, 410, 413, 422])
@pytest.mark.parametrize("headers", [{}, JSON, {"content-type": "text/plain; charset=utf-8"}])
def test_the_documented_refusal_settles(status: int, headers: dict[str, str]) -> None:
    assert verdict(result(), Reply(status, headers, NO), 0.0) == PostRejected("There is no race like that.", status)


STRANGERS = [
    (404, "Page not found"),
    (404, "no Route matched with those values"),
    (404, "The requested URL was not found on this server."),
    (404, "requested path is invalid"),
    (404, "Stack trace is hidden in production"),
    (404, "The backend grace-7 is not here, embrace the wait"),
    (410, "This page is gone for good."),
    (400, "Request blocked by security policy"),
    (400, "Your request has been blocked. Contact the administrator."),
    (400, "Blocked as a result of rule 949110: Inbound Anomaly Score Exceeded"),
    (413, "Request body is too large for this gateway."),
]


@pytest.mark.parametrize(("status", "sentence"), STRANGERS)
@pytest.mark.parametrize("headers", [{}, JSON, {"content-type": "text/plain"}])
def test_a_gateways_own_sentence_settles_nothing(status: int, sentence: str, headers: dict[str, str]) -> None:
    body = json.dumps({"error": sentence}).encode()
    assert isinstance(verdict(result(), Reply(status, headers, body), 0.0), PostDeferred)
    assert target_from_reply(PRACTICE, Reply(status, headers, body)).readiness == "unreachable"
    assert verdict(result(), Reply(status, MARK, body), 0.0) == PostRejected(sentence, status)


@pytest.mark.parametrize("status", [400, 404, 409, 410, 413, 422])
@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "Text/HTML", "application/xhtml+xml"])
@pytest.mark.parametrize("body", [NO, b'{"error":"Please log in to the network"}'])
def test_a_page_is_never_the_contracts_unless_it_says_so(status: int, kind: str, body: bytes) -> None:
    assert isinstance(verdict(result(), Reply(status, {"content-type": kind}, body), 0.0), PostDeferred)
    marked = verdict(result(), Reply(status, {"content-type": kind, **MARK}, body), 0.0)
    assert isinstance(marked, PostRejected)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "There is no race 'practice' here."),
        (404, "Unknown race."),
        (404, "RACE not found"),
        (404, "'practice' gibt es hier nicht."),
        (410, "Race practice has been removed."),
        (400, "`laps` is missing in the body."),
        (400, "The webhook-id is not result_id.revision."),
        (413, "A result of the race practice has at most 19000 bytes."),
        (409, "This webhook-id was used with another body."),
        (422, "The run does not qualify."),
        (422, "Ce tour ne compte pas."),
    ],
)
def test_what_an_honest_leaderboard_says_without_the_header_settles(status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    posted = dataclasses.replace(result(), race_id="practice")
    assert verdict(posted, Reply(status, JSON, body), 0.0) == PostRejected(sentence, status)


@given(
    st.sampled_from([400, 404, 410, 413]),
    st.lists(st.sampled_from(["the", "page", "url", "route", "request", "path", "not", "found", "blocked", "policy"])),
)
def test_no_words_of_the_web_settle_anything(status: int, words: list[str]) -> None:
    body = json.dumps({"error": " ".join(words)}).encode()
    assert isinstance(verdict(result(), Reply(status, JSON, body), 0.0), PostDeferred)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 415, 422])
def test_with_the_contracts_header_any_refusal_settles(status: int) -> None:
    body = json.dumps({"error": "No.", "code": 7}).encode()
    assert verdict(result(), Reply(status, MARK, body), 0.0) == PostRejected("No.", status)


def test_the_header_alone_makes_no_refusal() -> None:
    assert isinstance(verdict(result(), Reply(404, MARK, HTML), 0.0), PostDeferred)


@pytest.mark.parametrize(
    "body",
    [
        *(HTML, b"", b"{}", b"[]", NO, b'{"score_ms":"10000","rank":1,"racers":1}', b'{"score_ms":10000}'),
        *(b'{"score_ms":%d,"rank":1,"racers":1}' % n for n in (2**63, 10**400, -1)),
        b'{"score_ms":10000,"rank":1,"racers":%d}' % 2**80,
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_a_portal_that_says_200_to_everything_has_no_result(status: int, body: bytes) -> None:
    assert isinstance(verdict(result(), Reply(status, JSON, body), 0.0), AnswerLost)


def test_an_encoded_answer_is_not_guessed_at() -> None:
    well = encode_accepted(PostAccepted(10_000, 1, 1))
    assert isinstance(verdict(result(), Reply(200, {"content-encoding": "gzip"}, well), 0.0), AnswerLost)
    assert verdict(result(), Reply(200, {"content-encoding": "identity"}, well), 0.0) == PostAccepted(10_000, 1, 1)


@pytest.mark.parametrize("theirs", [9_999, 10_001, 0, None])
def test_a_score_that_is_not_ours_is_told(theirs: int | None) -> None:
    answer = verdict(result(), Reply(201, {}, encode_accepted(PostAccepted(theirs, 1, 1))), 0.0)
    assert answer == PostedWithOtherScore(theirs, 1, 1, True, 10_000)


def test_a_result_that_was_withdrawn_has_no_score() -> None:
    withdrawn = dataclasses.replace(result(revision=2), score_ms=0)
    assert verdict(withdrawn, Reply(200, {}, encode_accepted(PostAccepted(None, None, 3))), 0.0) == PostAccepted(
        None, None, 3
    )


def test_a_stranger_may_not_ask_for_an_hour() -> None:
    portal = verdict(result(), Reply(503, {"retry-after": "3600"}, HTML), 0.0)
    board = verdict(result(), Reply(503, {"retry-after": "3600"}, NO), 0.0)
    assert isinstance(portal, PostDeferred)
    assert isinstance(board, PostDeferred)
    assert (portal.after_s, board.after_s) == (300.0, 3600.0)


@given(
    st.integers(200, 999),
    st.dictionaries(
        st.sampled_from(["retry-after", "location", "content-type", "content-encoding", "raceday-contract"]),
        st.text(st.characters(max_codepoint=255), max_size=40),
    ),
    st.binary(max_size=80) | st.sampled_from([HTML, NO, b'{"score_ms": 1e400, "rank": 1, "racers": 1}']),
)
def test_any_reply_has_a_meaning(status: int, headers: dict[str, str], body: bytes) -> None:
    answer = verdict(result(), Reply(status, headers, body), 1e9)
    assert isinstance(answer, PostDeferred | PostRejected | PostAccepted)
    if not isinstance(answer, PostAccepted):
        assert answer.reason.isprintable()
    assert target_from_reply(PRACTICE, Reply(status, headers, body)).sentence.isprintable()


@pytest.mark.parametrize(
    ("reply", "readiness"),
    [
        (Reply(200, JSON, b'{"race_id":"practice","name":"P"}'), "ready"),
        (Reply(200, JSON, b'{"race_id":"other"}'), "unreachable"),
        (Reply(200, {}, HTML), "unreachable"),
        (Reply(404, JSON, NO), "missing"),
        (Reply(404, MARK, b'{"error":"No race."}'), "missing"),
        (Reply(404, {}, HTML), "unreachable"),
        (Reply(404, {}, b'{"error":"Not Found"}'), "unreachable"),
        (Reply(405, MARK, b'{"error":"Method Not Allowed."}'), "unstated"),
        (Reply(302, {"location": "x"}, b""), "unreachable"),
        (Reply(403, {}, HTML), "unreachable"),
        (PostDeferred("The leaderboard cannot be reached: no connection."), "unreachable"),
    ],
)
def test_a_race_is_unknown_only_by_the_leaderboards_word(reply: Reply | PostDeferred, readiness: str) -> None:
    assert target_from_reply(PRACTICE, reply).readiness == readiness
