"""The cars, and the outcome of a stop of all cars, as the pages show them. Made by service/cars/."""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.messages import CarMode, Promise


@dataclass(frozen=True, slots=True)
class CarView:
    """One car as it last reported. `alarm` is a sentence to show as an alarm ("" if all is well).

    `doubt`: a sentence about something to look at when there is time ("" if there is nothing).
    `practice`: somebody drives it from a phone, outside any run. `battery_percent` None: it does not report it.
    `promise`: what stops it when nothing reaches it any more.
    `colour`: "#rrggbb" of its own lights, "" for none.
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
    battery_percent: int | None = None
    promise: Promise = "lease"
    colour: str = ""
    doubt: str = ""


StopOutcome = Literal["stopped", "ordered", "unreached"]


@dataclass(frozen=True, slots=True)
class CarStopView:
    """The outcome of a stop at one car. Only its own confirmation makes it `stopped`, `took_ms` after the order.

    `mode`: as last reported. `heard_utc_ns`: when an unreached car last reported, None if never. `other_boot`: if not
    "", the outcome is that of another machine that uses the car's name, with this boot.
    """

    name: str
    outcome: StopOutcome
    mode: CarMode
    took_ms: int | None = None
    heard_utc_ns: int | None = None
    other_boot: str = ""


@dataclass(frozen=True, slots=True)
class StopView:
    """The stop of all cars: `on` until an official releases it; `cars`: all cars that the station knows.

    `connected`: whether the station is connected to the broker. If not, no order reaches a car, but every car's lease
    ends after `lease_ms`.
    """

    on: bool = False
    author: str = ""
    at_utc_ns: int = 0
    connected: bool = True
    lease_ms: int = 0
    cars: tuple[CarStopView, ...] = ()
