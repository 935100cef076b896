"""Probes of bodies and of the endpoint's manners: sizes, unknown fields, nonsense, slow senders, races."""

import contextlib
import json
from dataclasses import replace

from shared.protocol.races import RaceOffer, encode_offer
from shared.protocol.results import CONTRACT_HEADER, MAX_RESULT_BYTES, PostDeferred
from station.vendor.endpoint import Endpoint, changed, object_of
from station.vendor.made_results import ResultMaker
from station.vendor.probe import Broken, NotOffered, Probe, accepted, answer, expect, refused

_REQUEST, _BODY, _ANSWERS, _RACE = "The request", "The body", "The answers", "The race"
_STALLED = 50
_PAUSE_S = 1.0
_REFUSED = (400, 422)


def _largest(endpoint: Endpoint, make: ResultMaker) -> None:
    result = make.of_size("largest", MAX_RESULT_BYTES)
    accepted(endpoint.post(result), f"a body of {MAX_RESULT_BYTES} bytes", (201,))


def _too_large(endpoint: Endpoint, make: ResultMaker) -> None:
    result = make.of_size("too large", MAX_RESULT_BYTES + 1)
    expect(endpoint.post(result), (413,), f"a body of {MAX_RESULT_BYTES + 1} bytes")


def _unknown_fields(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("unknown fields"))
    evidence = json.loads(post.body)["evidence"] | {"of_a_newer_station": True}
    newer = changed(post, of_a_newer_station={"weather": ["rain", 3]}, evidence=evidence)
    accepted(endpoint.post(newer), "a body with fields that the contract does not know", (201,))


def _newer_version(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("newer version"))
    refused(endpoint.post(changed(post, v=1_000_000)), (422,), "a body of a higher version")


def _unknown_race(endpoint: Endpoint, make: ResultMaker) -> None:
    race_id = f"no-such-race-{make.mark}"
    post = changed(endpoint.signed(make.result("unknown race")), race_id=race_id)
    sentence = refused(endpoint.post(post), (404,), "a result of a race that is not there")
    again = endpoint.post(changed(post, race_id=make.race_id))
    accepted(again, "the same webhook-id with a race that is there, after a refusal", (201,))
    if race_id not in sentence and "race" not in sentence.casefold():
        raise Broken(f"The sentence for an unknown race does not name it: {sentence!r}.")


def _wrong_score(endpoint: Endpoint, make: ResultMaker) -> None:
    result = make.result("wrong score")
    reply = answer(endpoint.post(replace(result, score_ms=result.score_ms - 1000)))
    if reply.status == 422:
        refused(reply, (422,), "a score that the laps do not make")
        return
    reported = accepted(reply, "a score that the laps do not make")
    if reported["score_ms"] != result.score_ms:
        raise Broken(
            f"Laps that make {result.score_ms} ms are counted as {reported['score_ms']} ms, as the post claims."
        )


def _too_few_laps(endpoint: Endpoint, make: ResultMaker) -> None:
    if make.rules.consecutive_laps == 1:
        raise NotOffered("Every lap qualifies in this race.")
    laps = make.result("too few laps", laps=make.rules.consecutive_laps - 1)
    claimed = replace(laps, score_ms=make.result("too few laps").score_ms)
    refused(endpoint.post(claimed), (422,), "a run without enough laps in a row")


def _nonsense(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("nonsense"))
    for body, what in _NONSENSE:
        refused(endpoint.post(replace(post, body=body)), _REFUSED, what)
    for fields, what in _IMPOSSIBLE:
        refused(endpoint.post(changed(post, **fields)), _REFUSED, what)
    accepted(endpoint.post(post), "the right body after all of them", (201,))


_NONSENSE = (
    (b"{", "half a JSON object"),
    (b"[]", "a JSON list"),
    (b"\xff\xfe{}", "a body that is not UTF-8"),
    (b"[" * 9_000, "9,000 nested lists"),
)
_IMPOSSIBLE: tuple[tuple[dict[str, object], str], ...] = (
    ({"racer": ""}, "an empty racer"),
    ({"racer": "A\u202eB"}, "a racer with a sign that turns the direction of text"),
    ({"laps": "none"}, "laps that are no list"),
    ({"score_ms": 1.5}, "a score that is no integer"),
    ({"finished_utc_ns": 10**30}, "a time that fits no integer column"),
)


def _slow(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("slow"))
    accepted(endpoint.post_in_two_parts(post, _PAUSE_S), f"a body with a pause of {_PAUSE_S:g} s in it", (201,))


def _stalled(endpoint: Endpoint, make: ResultMaker) -> None:
    with contextlib.ExitStack() as opened:
        try:
            for stalled in endpoint.stall(_STALLED):
                opened.callback(stalled.close)
        except OSError:
            raise NotOffered(f"It does not take {_STALLED} connections from one address.") from None
        accepted(endpoint.post(make.result("beside stalled")), f"a post beside {_STALLED} stalled ones", (201,))


def _other_methods(endpoint: Endpoint, _make: ResultMaker) -> None:
    for method in ("GET", "DELETE"):
        reply = answer(endpoint.request(method, "/api/v1/results"))
        if reply.status < 400:
            raise Broken(f"{method} /api/v1/results was answered {reply.status}: results are only posted.")


def _manners(endpoint: Endpoint, make: ResultMaker) -> None:
    reply = answer(endpoint.post(make.result("manners")))
    if reply.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise Broken("The answer is compressed, though the post asks for `identity`.")
    if CONTRACT_HEADER not in reply.headers:
        raise Broken(f"The answer lacks the header `{CONTRACT_HEADER}`: then few of your refusals are believed.")


def _race(endpoint: Endpoint, make: ResultMaker) -> None:
    reply = endpoint.get(f"/api/v1/races/{make.race_id}")
    if isinstance(reply, PostDeferred) or reply.status != 200:
        raise NotOffered("GET /api/v1/races/ID is optional, and not there.")
    document = object_of(reply)
    if document is None or document.get("race_id") != make.race_id:
        raise Broken('GET of the race is not answered with {"race_id": ID, ...}.')
    refused(endpoint.get(f"/api/v1/races/no-such-race-{make.mark}"), (404,), "GET of a race that is not there")


def _offer(endpoint: Endpoint, make: ResultMaker) -> None:
    document = endpoint.race(make.race_id)
    if document is None:
        raise NotOffered("GET /api/v1/races/ID is optional, and not there.")
    name, track = str(document.get("name", make.race_id)), str(document.get("track", ""))
    offer = RaceOffer(make.race_id, name, track, make.rules, station=make.station)
    reply = answer(endpoint.put_offer(offer, encode_offer(offer)))
    if reply.status in (403, 404, 405, 501):
        raise NotOffered("PUT /api/v1/races/ID is optional, and not taken.")
    expect(reply, (200,), "the offer of a race that is there, with its own rules")


PROBES = (
    Probe("largest-body", _REQUEST, "a JSON body of at most 19,000 bytes", _largest),
    Probe("too-large-body", _ANSWERS, "413: too large", _too_large),
    Probe("unknown-fields", _BODY, "ignore fields that you do not know", _unknown_fields),
    Probe("newer-version", _BODY, "v: refuse a higher one with 422", _newer_version),
    Probe("unknown-race", _ANSWERS, "404: no such race; store nothing for a refusal", _unknown_race),
    Probe("wrong-score", _BODY, "score_ms: compute it again from laps by the race's rules", _wrong_score),
    Probe("too-few-laps", _ANSWERS, "422: not acceptable", _too_few_laps),
    Probe("nonsense", _ANSWERS, "400, 422: not a request of the contract, with one sentence for a person", _nonsense),
    Probe("slow-body", _ANSWERS, "an answer has 10 s: a slow sender is no reason to refuse", _slow),
    Probe("stalled-senders", _ANSWERS, "senders that stall do not keep others waiting", _stalled),
    Probe("other-methods", _REQUEST, "POST /api/v1/results", _other_methods),
    Probe("manners", _ANSWERS, "raceday-contract with every answer, not compressed", _manners),
    Probe("race", _RACE, "GET /api/v1/races/ID, optional: 200 with race_id, or 404 with error", _race),
    Probe("offer", _RACE, "PUT /api/v1/races/ID, optional: 200 if you have it and it ranks by these rules", _offer),
)
