"""Profiles: what is known of each kind of car, as middle values with the spread from one car to the next.

A profile is chosen by name where worlds are drawn; `raceday world fit` fits one to recorded drives, and prints what it
is off by beside simpler models.
"""

import math
import random
from dataclasses import dataclass, replace

from shared.errors import BadInput
from simulator.world.car import CarParameters

PHYSICAL = "physical"


@dataclass(frozen=True, slots=True)
class Spread:
    """One drawn quantity: between `low` and `high`, never under `minimum`, for all `fields` alike."""

    fields: tuple[str, ...]
    low: float
    high: float
    minimum: float = -math.inf
    in_degrees: bool = False

    def draw(self, rng: random.Random, spread: float) -> dict[str, float]:
        """Draw it; `spread` 1 is the usual difference between cars."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        value = max(self.minimum, middle + rng.uniform(-half, half) * spread)
        return dict.fromkeys(self.fields, math.radians(value) if self.in_degrees else value)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a profile is off by one second ahead, on recorded drives that it was not fitted to."""

    drives: str
    windows: int
    median_m: float
    p90_m: float


@dataclass(frozen=True, slots=True)
class CarProfile:
    """One kind of car: its middle values, what varies between cars, and where the figures come from."""

    name: str
    middle: CarParameters
    spreads: tuple[Spread, ...]
    source: str
    measured: Measured | None = None

    def draw(self, seed: int, spread: float) -> CarParameters:
        """Draw car number `seed` of this kind."""
        rng = random.Random(f"car-{seed}")
        drawn: dict[str, float] = {}
        for each in self.spreads:
            drawn |= each.draw(rng, spread)
        return replace(self.middle, **drawn)


# The stock car, as Raceday's demo has it: fitted to recorded DeepRacer evaluations as a car that rolls.
_PHYSICAL = CarProfile(
    PHYSICAL,
    CarParameters(),
    (
        Spread(("speed_gain",), 0.91, 0.95),
        Spread(("speed_lag_s", "slowing_lag_s"), 0.16, 0.45, minimum=0.05),
        Spread(("steering_gain",), 0.59, 0.71),
        Spread(("steering_lag_s",), 0.01, 0.04, minimum=0.005),
        Spread(("steering_trim_rad",), -0.6, 0.6, in_degrees=True),
        Spread(("steering_delay_s", "throttle_delay_s"), 0.04, 0.06, minimum=0.0),
    ),
    "recorded evaluations of the field, fitted as a car that rolls; the spread is that of cars on their wheels",
)


def _simulated(name: str, middle: CarParameters, source: str, measured: Measured | None) -> CarProfile:
    """Return a car of the field's simulator: all are alike but for the simulator's timing, so the spread is small."""
    return CarProfile(
        name,
        middle,
        (
            Spread(("speed_gain",), middle.speed_gain - 0.01, middle.speed_gain + 0.01),
            Spread(("speed_lag_s",), middle.speed_lag_s * 0.9, middle.speed_lag_s * 1.1, minimum=0.005),
            Spread(("slowing_lag_s",), middle.slowing_lag_s * 0.9, middle.slowing_lag_s * 1.1, minimum=0.005),
            Spread(("steering_gain",), middle.steering_gain * 0.97, middle.steering_gain * 1.03),
            Spread(("steering_lag_s",), middle.steering_lag_s * 0.9, middle.steering_lag_s * 1.1, minimum=0.005),
            Spread(("throttle_delay_s",), middle.throttle_delay_s - 0.01, middle.throttle_delay_s + 0.01, minimum=0.0),
            Spread(("steering_delay_s",), middle.steering_delay_s - 0.01, middle.steering_delay_s + 0.01, minimum=0.0),
        ),
        source,
        measured,
    )


PROFILES: dict[str, CarProfile] = {
    each.name: each
    for each in (
        _simulated(
            "console-2022",
            CarParameters(
                speed_gain=1.015,
                speed_lag_s=0.172,
                slowing_lag_s=0.158,
                braking_lag_s=0.158,
                acceleration_mps2=3.15,
                deceleration_mps2=15.0,
                throttle_delay_s=0.0664,
                steering_gain=1.002,
                steering_lag_s=0.0765,
                steering_delay_s=0.0148,
                grip_mps2=13.9,
                slip_mps=0.811,
                gyration_m=0.241,
            ),
            "even iterations of training on the AWS console, 2022 (deepracer-analysis), fitted as a car that slides",
            Measured("the 10 odd iterations", 6_653, 0.095, 0.214),
        ),
        _simulated(
            "league-2023",
            CarParameters(
                speed_gain=1.005,
                speed_lag_s=0.147,
                slowing_lag_s=0.133,
                braking_lag_s=0.133,
                acceleration_mps2=3.41,
                deceleration_mps2=15.0,
                throttle_delay_s=0.0941,
                steering_gain=1.503,
                steering_lag_s=0.0325,
                steering_delay_s=0.0294,
                grip_mps2=9.95,
                slip_mps=0.271,
                gyration_m=0.234,
                scrub_m=0.081,
            ),
            "two evaluations in the AWS League's simulator, 2023, fitted as a car that slides",
            Measured("each evaluation, fitted to the other", 1_503, 0.128, 0.339),
        ),
        # Lags, steering gain and delay were measured by others; 0.045 s after a line is 0.112 s after its command.
        # The rest follows from its description: see decision 87.
        _simulated(
            "droa-2026",
            CarParameters(
                speed_gain=0.98,
                speed_lag_s=0.035,
                slowing_lag_s=0.035,
                braking_lag_s=0.035,
                throttle_delay_s=0.112,
                steering_gain=0.60,
                steering_lag_s=0.13,
                steering_delay_s=0.112,
                reference_m=0.137,
            ),
            "figures of DeepRacer on AWS, 2026, and the description of its car (deepracer-simapp); a car that rolls",
            None,
        ),
        _PHYSICAL,
    )
}


def profile_names() -> list[str]:
    """The names of all profiles."""
    return list(PROFILES)


def car_profile(name: str) -> CarProfile:
    """Return the profile `name`; raises BadInput, one sentence, if there is none."""
    if name not in PROFILES:
        raise BadInput(f"There is no car profile {name!r}: the profiles are {', '.join(PROFILES)}.")
    return PROFILES[name]


def draw_car(seed: int, spread: float = 1.0, profile: str = PHYSICAL) -> CarParameters:
    """Draw car number `seed`; `spread` 1 is the usual difference between cars, more is harsher (for training)."""
    return car_profile(profile).draw(seed, spread)
