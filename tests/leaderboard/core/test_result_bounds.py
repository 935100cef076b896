"""Results whose numbers prove nothing, or that two readers read differently, are refused in a sentence."""

import json
from dataclasses import replace
from typing import Any

import pytest

from leaderboard.api.schemas import ErrorShape, parse, utc_ns
from leaderboard.core.acceptance import check_result
from shared.errors import BadInput, Refused
from shared.protocol.codec import decode
from shared.protocol.live import decode_live
from shared.protocol.races import decode_offer
from shared.protocol.results import Evidence, decode_result, encode_result
from shared.rules.ranking import RunLap
from tests.leaderboard.sample_races import result

S = 1_000_000_000


def evidence(**changes: Any) -> Evidence:
    return replace(result().evidence, **changes)


def laps(*ends_s: float, valid: tuple[bool, ...] = ()) -> tuple[RunLap, ...]:
    flags = valid or (True,) * len(ends_s)
    return tuple(
        RunLap(number, 9 * S, round(end_s * S), valid=flag)
        for number, (end_s, flag) in enumerate(zip(ends_s, flags, strict=True), 1)
    )


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"evidence": evidence(uncertainty_ns=2**62)}, "no longer than its shortest lap"),
    ({"evidence": evidence(uncertainty_ns=9 * S + 1), "laps": laps(9, 18)}, "no longer than its shortest lap"),
    ({"evidence": evidence(uncertainty_ns=3 * S), "laps": laps(9, 18, valid=(False, False))}, "no longer than"),
    ({"evidence": evidence(uncertainty_ns=-1)}, "must be 0 or more"),
    ({"evidence": evidence(first_seq=-1)}, "numbers of records"),
    ({"evidence": evidence(last_seq=2**63)}, "numbers of records"),
    ({"evidence": evidence(model_changes=-1)}, "out of range"),
    ({"laps": laps(9, 1)}, "ended before the lap before it"),
    ({"laps": laps(9, 18, 17.999999999)}, "ended before the lap before it"),
    ({"finished_utc_ns": 2**63 - 1}, "before 2262"),
    ({"racer": "Z" + "\u0301" * 150}, "marks on one letter"),
])  # fmt: skip
def test_numbers_that_no_run_has(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_result(result(**changes))


@pytest.mark.parametrize("changes", [
    {"evidence": evidence(uncertainty_ns=2 * S), "laps": (RunLap(1, S, S),)},
    {"evidence": evidence(uncertainty_ns=9 * S), "laps": laps(9, 18)},
    {"evidence": evidence(first_seq=0, last_seq=0)},
    {"laps": laps(9, 9)},
    {"laps": laps(100, 3, 12, valid=(True, False, True))},  # a restart of the station: another clock from there on
    {"racer": "Ann\u0061\u0301"},
])  # fmt: skip
def test_numbers_that_a_run_may_have(changes: dict[str, Any]) -> None:
    check_result(result(**changes))


def with_version(body: bytes, version: int) -> bytes:
    return json.dumps(json.loads(body) | {"v": version}).encode()


OFFER = b'{"race_id":"r","name":"R","track":"T","rules":{}}'


@pytest.mark.parametrize("version", [0, -1])
@pytest.mark.parametrize(("decoded", "body"), [(decode_result, encode_result(result())), (decode_offer, OFFER)])
def test_a_version_counts_from_one(decoded: Any, body: bytes, version: int) -> None:
    decoded(body)
    with pytest.raises(BadInput, match=f"`v` is {version}; versions count from 1"):
        decoded(with_version(body, version))


@pytest.mark.parametrize("decoded", [
    decode_result, decode_offer, decode_live, decode, lambda body: parse(body, ErrorShape),
])  # fmt: skip
def test_a_name_that_stands_twice_and_utf_16_are_refused_before_anything_else(decoded: Any) -> None:
    for body in (b'{"racer":"Ann","racer":"Bob"}', '{"racer":"Ann"}'.encode("utf-16")):
        with pytest.raises(BadInput, match=r"every reader reads alike|not JSON as we write it"):
            decoded(body)


@pytest.mark.parametrize("written", [
    "2262-04-11T23:47:17Z", "2262-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
])  # fmt: skip
def test_a_time_that_63_bits_of_nanoseconds_cannot_hold_is_refused_in_a_sentence(written: str) -> None:
    with pytest.raises(BadInput, match=r"beyond the year|not a time"):
        utc_ns(written)
    assert 0 < utc_ns("2261-12-31T23:59:59-23:59") < 2**63
