"""The table of faults: what can go wrong, at which rate, and how often it was injected."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.errors import ConfigError
from shared.units import NS_PER_S

Per = Literal["meeting", "hour", "passing", "packet", "post"]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault: `rate` is how many an hour of race, or the chance for each meeting, passing, packet or post."""

    name: str
    per: Per
    rate: float
    what: str


FAULTS: tuple[FaultKind, ...] = (
    FaultKind("double_trigger", "passing", 0.03, "a beam flickers while or after the car is in it"),
    FaultKind("missed_edge", "passing", 0.004, "one of the two sensors does not detect the car"),
    FaultKind("lost_edge", "passing", 0.002, "a numbered edge is lost in the gate's queue"),
    FaultKind("missed_crossing", "passing", 0.003, "no sensor detects the car"),
    FaultKind("car_blind", "passing", 0.01, "no frame of the car shows the gate: it reports one long lap"),
    FaultKind(
        "side_by_side", "meeting", 0.35, "the gate's two strips lie side by side: a wheel presses either first, or one"
    ),
    FaultKind("sensor_noise", "hour", 3.0, "a pulse where no car is"),
    FaultKind("lost_message", "packet", 0.004, "a packet is lost (with QoS 1 the connection breaks)"),
    FaultKind("late_message", "packet", 0.02, "a packet is up to 5 s late"),
    FaultKind("repeated_message", "packet", 0.02, "a QoS 1 packet arrives twice"),
    FaultKind("partition", "hour", 1.0, "a car is cut off for up to two minutes"),
    FaultKind("broker_restart", "hour", 1.0, "the broker is killed, forgets everything, and is back seconds later"),
    FaultKind("car_restart", "hour", 1.0, "the car's computer restarts; its outbox is on disk"),
    FaultKind("car_trip", "hour", 1.0, "the car stops itself in mid-lap until an official resumes it"),
    FaultKind("cloned_car", "hour", 1.0, "a second machine with a copied SD card uses the name of a car"),
    FaultKind("station_restart", "hour", 2.0, "the station is killed at any step and starts again"),
    FaultKind("station_reboot", "hour", 0.3, "the station's machine reboots: a new boot, a new clock"),
    FaultKind("disk_full", "hour", 0.6, "the journal's disk is full for a while"),
    FaultKind("clock_step", "hour", 1.0, "UTC jumps by up to an hour, either way"),
    FaultKind(
        "untrusted_clock", "meeting", 0.35, "the station's clock starts in 1970, or days off, until NTP is found"
    ),
    FaultKind("sync_restart", "hour", 2.0, "the sync process is killed at any step and starts again"),
    FaultKind("leaderboard_down", "hour", 0.5, "the leaderboard is unreachable for up to 20 minutes"),
    FaultKind("leaderboard_restart", "hour", 0.3, "the leaderboard is killed and starts again"),
    FaultKind("leaderboard_500", "post", 0.05, "a post is answered 500 without effect"),
    FaultKind("leaderboard_500_after_apply", "post", 0.05, "applied, then the answer was 500"),
    FaultKind("leaderboard_timeout", "post", 0.05, "no answer in time; it is applied later, or never"),
    FaultKind("portal", "post", 0.05, "a login page, a firewall or a proxy answers in the leaderboard's place"),
    FaultKind("duplicate_post", "post", 0.05, "the same post arrives twice"),
)
BY_NAME: dict[str, FaultKind] = {kind.name: kind for kind in FAULTS}


def chosen(words: str) -> frozenset[str]:
    """The fault kinds that `--faults` selects: 'all', 'none' or comma-separated names. Raises ConfigError."""
    if words in ("all", "none"):
        return frozenset(BY_NAME) if words == "all" else frozenset()
    names = [word.strip() for word in words.split(",") if word.strip()]
    for name in names:
        if name not in BY_NAME:
            raise ConfigError(f"--faults: there is no fault {name!r}; allowed are all, none, {', '.join(BY_NAME)}.")
    return frozenset(names)


class FaultSource:
    """Decides at random which faults occur, and counts them. Each kind has its own random source.

    Switching a kind off leaves the others' random numbers unchanged, so that a failing seed can be narrowed down.
    """

    def __init__(self, seed: str, kinds: Iterable[str]) -> None:
        self.seed = seed
        self.kinds = frozenset(kinds)
        self.counts: Counter[str] = Counter()
        self._sources = {kind.name: random.Random(f"{seed}/{kind.name}") for kind in FAULTS}

    def source(self, name: str) -> random.Random:
        """The random source of one kind, for the fault's details."""
        return self._sources[name]

    def occurs(self, name: str) -> bool:
        """Decide whether this meeting, pass, packet or post has the fault; count it if so."""
        hit = self._sources[name].random() < BY_NAME[name].rate and name in self.kinds
        if hit:
            self.counts[name] += 1
        return hit

    def count(self, name: str) -> None:
        """Count one occurrence of an hourly fault."""
        self.counts[name] += 1

    def instants(self, name: str, until_ns: int) -> list[int]:
        """The times before `until_ns` at which an hourly fault occurs (a Poisson process)."""
        if name not in self.kinds:
            return []
        instants, at_s = [], 0.0
        while (at_s := at_s + self._sources[name].expovariate(BY_NAME[name].rate / 3600.0)) * NS_PER_S < until_ns:
            instants.append(round(at_s * NS_PER_S))
        return instants
