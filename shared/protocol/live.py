"""The live message: what is happening on the track now, sent a few times a second to whoever shows it.

It is no evidence and no result: it may be lost, only the newest counts, and nothing of it is stored. Results are posted
on their own (results.py). docs/vendor.md describes both for other senders.
"""

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from shared.errors import BadInput, Refused
from shared.protocol.canonical_json import canonical
from shared.protocol.strict_json import read_json
from shared.rules.person_names import person_name

LIVE_VERSION = 1
MAX_LIVE_BYTES = 4096  # of a heat, with two names of 64 characters in any writing
LIVE_PER_SECOND = 5

RunStage = Literal["waiting", "countdown", "running", "finished"]
_Ms = Annotated[int, Field(ge=0, le=86_400_000)]
_Name = Annotated[str, Field(min_length=1, max_length=120)]
_Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[!-~]+$")]
_Count = Annotated[int, Field(ge=0, le=10_000)]


_LATER = {"later": True}


@dataclass(frozen=True, slots=True)
class RivalCar:
    """The other car of a heat at the same moment; the fields are those of `LiveMessage`."""

    racer: _Name
    lap: _Count = 1
    lap_ms: _Ms | None = None
    last_lap_ms: _Ms | None = None
    best_lap_ms: _Ms | None = None
    sectors: Annotated[tuple[_Ms | None, ...], Field(max_length=12)] = ()
    track_share: Annotated[float, Field(ge=0, le=1)] | None = None
    speed_mps: Annotated[float, Field(ge=0, le=100)] | None = None
    resets: _Count = 0
    through: bool = False


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """The racer on the track at one moment. `seq` rises with each message of one `boot` of the sender.

    `run_ms`: since the run began; `lap`: the lap in progress, from 1, and `lap_ms` since it began. `sectors`: of that
    lap, null for those still to drive. `track_share`: 0 to 1 of a lap from the start line, or `track_m` in metres along
    the track. `left_ms`: until the run's time is up. What is not known is null.

    Of a heat, two cars in one world, `rival` is the other car, and `ahead_m` says how far `racer` is ahead of it along
    the track (below 0: behind); `through`: the car has driven all its laps.
    """

    race_id: _Id
    racer: _Name
    boot: _Id
    seq: Annotated[int, Field(ge=0, le=2**53)]
    station: Annotated[str, Field(max_length=80, pattern=r"^[!-~]*$")] = ""
    stage: RunStage = "running"
    run_ms: _Ms | None = None
    lap: _Count = 1
    lap_ms: _Ms | None = None
    last_lap_ms: _Ms | None = None
    best_lap_ms: _Ms | None = None
    sectors: Annotated[tuple[_Ms | None, ...], Field(max_length=12)] = ()
    track_share: Annotated[float, Field(ge=0, le=1)] | None = None
    track_m: Annotated[float, Field(ge=0, le=1000)] | None = None
    speed_mps: Annotated[float, Field(ge=0, le=100)] | None = None
    resets: _Count = 0
    left_ms: _Ms | None = None
    through: bool = field(default=False, metadata=_LATER)
    rival: RivalCar | None = field(default=None, metadata=_LATER)
    ahead_m: Annotated[float, Field(ge=-10_000, le=10_000)] | None = field(default=None, metadata=_LATER)
    v: int = LIVE_VERSION

    @property
    def webhook_id(self) -> str:
        """The id under which it is signed."""
        return f"live.{self.boot}.{self.seq}"


_MESSAGE = TypeAdapter(LiveMessage)


def encode_live(message: LiveMessage) -> bytes:
    """The message as canonical JSON bytes, which are what is signed and what is sent."""
    return canonical(message).encode()


def decode_live(payload: bytes) -> LiveMessage:
    """A message from outside, checked; fields that we do not know are ignored. Raises BadInput with one sentence."""
    if len(payload) > MAX_LIVE_BYTES:
        raise BadInput(f"The live message has {len(payload)} bytes; at most {MAX_LIVE_BYTES} are read.")
    try:
        read_json(payload)
        message = _MESSAGE.validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"The live message is not valid at {where[:60]!r}: {first['msg']}.") from None
    except ValueError as error:
        raise BadInput(f"The live message is not JSON that every reader reads alike: {error}") from None
    if message.v < 1:
        raise BadInput(f"The live message's version `v` is {message.v}; versions count from 1.")
    if message.v > LIVE_VERSION:
        raise BadInput(
            f"The live message is of version {message.v}, up to {LIVE_VERSION} is read: upgrade the leaderboard."
        )
    try:
        rival = message.rival
        if rival is not None:
            rival = replace(rival, racer=person_name(rival.racer))
        return replace(message, racer=person_name(message.racer), rival=rival)
    except Refused as refusal:
        raise BadInput(f"The live message's `racer`: {refusal}") from None
