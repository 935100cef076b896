"""The cars, and what became of a stop of all cars, as the pages show them. Made by service/cars/."""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.messages import CarMode


@dataclass(frozen=True, slots=True)
class CarView:
    """One car as it last spoke. `alarm` is a sentence to show loudly ("" if all is well).

    `practice`: somebody drives it from a phone, outside of any run.
    """

    name: str
    online: bool
    mode: CarMode
    reason: str
    model: str
    model_sha256: str
    throttle_percent: int
    leased: bool
    steering: float | None
    throttle: float | None
    frame_age_p50_us: int | None
    frame_age_p99_us: int | None
    policy_p50_us: int | None
    frames: int | None
    dropped: int | None
    alarm: str
    practice: bool = False


StopOutcome = Literal["stopped", "ordered", "unreached"]


@dataclass(frozen=True, slots=True)
class CarStopView:
    """The outcome of a stop at one car. Only its own confirmation makes it `stopped`, `took_ms` after the order.

    `mode` as last reported; `heard_utc_ns`: when an unreached one was last heard, None if never. `other_boot`: all of
    this is of another machine that uses the name.
    """

    name: str
    outcome: StopOutcome
    mode: CarMode
    took_ms: int | None = None
    heard_utc_ns: int | None = None
    other_boot: str = ""


@dataclass(frozen=True, slots=True)
class StopView:
    """The stop of all cars: `on` until an official releases it; `cars` are all that the station knows.

    `connected`: the wire is up. Without it no order reaches a car, and every car's lease ends after `lease_ms`.
    """

    on: bool = False
    author: str = ""
    at_utc_ns: int = 0
    connected: bool = True
    lease_ms: int = 0
    cars: tuple[CarStopView, ...] = ()
