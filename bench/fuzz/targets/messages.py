"""Fuzz targets of what machines send one another: MQTT, results, offers, live messages, the farm's calls."""

import contextlib
import dataclasses
import json

from bench.fuzz.target import FuzzTarget, TargetTable
from shared.errors import RacedayError


def mqtt() -> FuzzTarget:
    import pathlib

    from shared.protocol import codec

    recorded = json.loads((pathlib.Path("tests") / "shared" / "protocol" / "messages_v1.json").read_text())
    topics = ("raceday/cars/car-1/lap", "raceday/to/car-1/order", "raceday/cars/car-1/state", "raceday/stations/s/gate")

    def call(data: bytes) -> None:
        message = codec.decode(data)
        assert codec.decode(codec.encode(message)) == message
        with contextlib.suppress(RacedayError):  # it is another topic's, mostly
            codec.decode_from(topics[len(data) % len(topics)], data)

    return FuzzTarget(call, [json.dumps(each).encode() for each in recorded])


def results() -> FuzzTarget:
    from leaderboard.core.acceptance import check_result
    from shared.protocol.results import decode_result, encode_result
    from shared.rules.ranking import RaceRules, score_run
    from tests.leaderboard.sample_races import result

    def call(data: bytes) -> None:
        decoded = decode_result(data)
        check_result(decoded)
        score_run(decoded.laps, RaceRules(consecutive_laps=1))
        assert decode_result(encode_result(decoded)) == decoded

    return FuzzTarget(call, [encode_result(result()), encode_result(result(racer="Zoë", qualified=False, score_ms=0))])


def offers() -> FuzzTarget:
    from shared.protocol.races import RaceOffer, decode_offer, encode_offer
    from shared.rules.ranking import RaceRules

    def call(data: bytes) -> None:
        offer = decode_offer(data)
        assert decode_offer(encode_offer(offer)) == offer

    return FuzzTarget(call, [encode_offer(RaceOffer("cup", "Cup", "Oval", RaceRules(max_laps=3, min_lap_s=4.4)))])


def live() -> FuzzTarget:
    from shared.protocol.live import LiveMessage, RivalCar, decode_live, encode_live

    def call(data: bytes) -> None:
        message = decode_live(data)
        assert decode_live(encode_live(message)) == message

    heat = LiveMessage("cup", "Ann", "b", 1, sectors=(900, None), track_share=0.5, rival=RivalCar("Bo"), ahead_m=1.5)
    return FuzzTarget(call, [encode_live(heat), encode_live(LiveMessage("cup", "Ann", "b", 0))])


def farm() -> FuzzTarget:
    from shared.protocol import farm as calls

    kinds = tuple(calls._ADAPTERS)

    def call(data: bytes) -> None:
        if data:
            calls.decode(data[1:], kinds[data[0] % len(kinds)])

    documents = [dict.fromkeys((each.name for each in dataclasses.fields(kind)), 1) for kind in kinds]
    return FuzzTarget(call, [bytes([number]) + json.dumps(each).encode() for number, each in enumerate(documents)])


def conditions() -> FuzzTarget:
    from shared.conditions.checks import conditions_from
    from shared.conditions.records import Conditions

    def call(data: bytes) -> None:
        found = conditions_from(data)
        assert conditions_from(found.canonical()) == found

    return FuzzTarget(call, [Conditions().canonical().encode(), b"{}"])


def signatures() -> FuzzTarget:
    from shared.webhooks import BadSignature, check, parse_secret, sign
    from tests.leaderboard.sample_races import SECRET

    key, now_s = parse_secret(SECRET), 1_700_000_000

    def call(data: bytes) -> None:
        webhook_id, timestamp, signed, body = (*data.split(b"\0", 3), b"", b"", b"", b"")[:4]
        headers = (webhook_id.decode("latin-1"), timestamp.decode("latin-1"), signed.decode("latin-1"))
        check([key], *headers, body, now_s * 10**9, 300)

    good = sign(key, "run-1.1", now_s, b"{}").encode()
    return FuzzTarget(call, [b"\0".join((b"run-1.1", str(now_s).encode(), good, b"{}"))], (BadSignature,))


def secrets() -> FuzzTarget:
    from shared.webhooks import parse_secret

    return FuzzTarget(lambda data: parse_secret(data.decode("latin-1")), [b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


def names() -> FuzzTarget:
    from shared.rules.person_names import name_key, name_within, person_name

    def call(data: bytes) -> None:
        written = data.decode("utf-8", "surrogatepass" if len(data) % 2 else "replace")
        name_key(written)
        within = name_within(written)
        assert not within or person_name(within) == within
        assert person_name(person_name(written)) == person_name(written)

    people = (
        "Ann",
        "José",
        "\u0627\u0646\u0627\u200c",
        "👩‍🚀",
        "王小明",
        "\u0e01\u0e33",
        "🏴\U000e0067\U000e0062\U000e007f",
    )
    return FuzzTarget(call, [name.encode() for name in people], (RacedayError, UnicodeDecodeError))


MESSAGES: TargetTable = {
    "mqtt": mqtt,
    "results": results,
    "offers": offers,
    "live": live,
    "farm": farm,
    "conditions": conditions,
    "signatures": signatures,
    "secrets": secrets,
    "names": names,
}
