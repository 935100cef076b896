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


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score_ms": "10"}, "'score_ms'"),
        ({"laps": [{"number": 1}]}, "'laps.0"),
        ({"v": 2}, "upgrade the leaderboard"),
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
