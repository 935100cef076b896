"""Results as JSON: exact both ways, and untrusted until checked."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.protocol.results import (
    Evidence,
    PostAccepted,
    Result,
    decode_accepted,
    decode_result,
    encode_accepted,
    encode_result,
)
from shared.rules.ranking import RunLap

RESULT = Result(
    "summit.r1", 2, "summit", "ann", "r1", "car-1", "demo", "ab" * 32,
    (RunLap(1, 10**10, 10**10), RunLap(2, 10**10, 2 * 10**10, off_tracks=1)), 10_000, 1_700_000_000_000_000_000,
    Evidence("station-1", "cd" * 32, 1, 99, 20_000, {"raceday": "0.1.0"}),
)  # fmt: skip


def test_a_result_survives_and_its_key_is_stable() -> None:
    assert decode_result(encode_result(RESULT)) == RESULT
    assert RESULT.webhook_id == "summit.r1.2"
    assert encode_result(RESULT) == encode_result(dataclasses.replace(RESULT))


# As a station of version 1 posted it, byte for byte.
VERSION_1 = (
    b'{"car":"car-1","evidence":{"first_seq":1,"journal_head":"ab","last_seq":9,"public_key":"","signature":"",'
    b'"station":"station-1","uncertainty_ns":50000,"versions":{}},"finished_utc_ns":1700000000000000000,'
    b'"kind":"physical","laps":[{"collisions":0,"ended_ns":9000000000,"lap_ns":9000000000,"number":1,"off_tracks":0,'
    b'"penalty_ns":0,"resets":0,"valid":true}],"model":"apex","model_sha256":"","race_id":"cup","racer":"Anna",'
    b'"result_id":"a","revision":1,"run_id":"run-7","score_ms":9000,"v":1}'
)


def test_version_2_only_adds() -> None:
    old = decode_result(VERSION_1)
    assert (old.v, old.qualified, old.disqualified, old.evidence.conditions_sha256) == (1, True, False, "")
    assert encode_result(old) == VERSION_1, "a run that qualified is posted as ever, so that every leaderboard reads it"
    never = dataclasses.replace(old, qualified=False, score_ms=0, v=2)
    assert decode_result(encode_result(never)) == never
    assert json.loads(encode_result(never)) == {**json.loads(VERSION_1), "qualified": False, "score_ms": 0, "v": 2}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score_ms": "10"}, "'score_ms'"),
        ({"laps": [{"number": 1}]}, "'laps.0"),
        ({"v": 3}, "upgrade the leaderboard"),
        ({"kind": "dream"}, "'kind'"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, object], sentence: str) -> None:
    document = {**json.loads(encode_result(RESULT)), **change}
    with pytest.raises(BadInput, match=sentence):
        decode_result(json.dumps(document).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_sentence(payload: bytes) -> None:
    with pytest.raises(BadInput):
        decode_result(payload)
    with pytest.raises(BadInput):
        decode_accepted(payload)


def test_the_answer_survives() -> None:
    posted = PostAccepted(10_000, 3, 12, best=False)
    assert decode_accepted(encode_accepted(posted)) == posted


def test_a_result_fits_a_webhook() -> None:
    full = dataclasses.replace(RESULT, laps=tuple(RunLap(n, 10**10, n * 10**10) for n in range(1, 101)))
    assert len(encode_result(full)) < 20_000
