"""The offer of a race: what a station tells a leaderboard of a race that it holds, so that both rank by the same rules.

The station sends it, signed as results are, before the first run and after each change of the rules; the leaderboard
creates the race, changes it, or says what differs. `differences` compares rules, field by field, for both.
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput, ConfigError
from shared.protocol.canonical_json import canonical
from shared.protocol.strict_json import read_json
from shared.rules.ranking import RaceRules, check_rules

OFFER_VERSION = 1
MAX_OFFER_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class RaceOffer:
    """A race as the station holds it. `rules_version` counts the changes of its rules, from 1."""

    race_id: str
    name: str
    track: str
    rules: RaceRules
    kind: Literal["physical", "virtual"] = "physical"
    rules_version: int = 1
    station: str = ""
    v: int = OFFER_VERSION

    @property
    def webhook_id(self) -> str:
        """The id under which it is signed; the same offer may be sent as often as one likes."""
        return f"race.{self.race_id}.{self.rules_version}"


_OFFER = TypeAdapter(RaceOffer)


def encode_offer(offer: RaceOffer) -> bytes:
    """The offer as canonical JSON bytes, which are what is signed and what is sent."""
    return canonical(offer).encode()


def decode_offer(payload: bytes) -> RaceOffer:
    """An offer from outside, checked. Raises BadInput with one sentence."""
    if len(payload) > MAX_OFFER_BYTES:
        raise BadInput(f"The offer of a race has {len(payload)} bytes; at most {MAX_OFFER_BYTES} are read.")
    try:
        read_json(payload)
        offer = _OFFER.validate_json(payload, strict=True)
        check_rules(offer.rules)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"The offer of a race is not valid at {where[:60]!r}: {first['msg']}.") from None
    except ConfigError as error:
        raise BadInput(str(error)) from None
    except ValueError as error:
        raise BadInput(f"The offer of a race is not JSON that every reader reads alike: {error}") from None
    if offer.v < 1:
        raise BadInput(f"The offer's version `v` is {offer.v}; versions count from 1.")
    if offer.v > OFFER_VERSION:
        raise BadInput(f"The offer is of version {offer.v}, up to {OFFER_VERSION} is read: upgrade the leaderboard.")
    return offer


def differences(theirs: RaceRules, ours: RaceRules) -> tuple[str, ...]:
    """Each rule that differs, in the form "min_lap_s: 4.4 there, 5.0 here"; none if both rank alike."""
    found = []
    for field in dataclasses.fields(RaceRules):
        there, here = getattr(theirs, field.name), getattr(ours, field.name)
        if there != here:
            found.append(f"{field.name}: {_value(there)} there, {_value(here)} here")
    return tuple(found)


def _value(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
