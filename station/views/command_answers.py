"""What the station answers to a command: done, with what a ruling changed, or refused with one sentence."""

from dataclasses import dataclass

from station.core.timing.readiness import OVERRIDE


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a run and one of its laps are worth at one moment; None: no such lap, no score, no place."""

    run_id: str
    racer: str
    lap: int | None
    lap_ms: int | None
    lap_counts: bool
    score_ms: int | None
    place: int | None


@dataclass(frozen=True, slots=True)
class RulingEffect:
    """What a ruling changes: the figures before and after it, and the sentence that the page shows.

    `laps_before`, `laps_after`: the published times in ms of the laps whose times differ, from lap `first_lap` on;
    there may be more or fewer of them after it.
    """

    before: RunFigures
    after: RunFigures
    sentence: str
    first_lap: int = 0
    laps_before: tuple[int | None, ...] = ()
    laps_after: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command is done and stored as journal record `seq`; `effect`: what it changed, if it is a ruling.

    `car` and `goal`: what a car was ordered to do. Ordered is not done: only the car's own mode shows that. `note`: why
    the order cannot reach the car yet. `race_id`: the race that was created.
    """

    seq: int
    run_id: str = ""
    car: str = ""
    goal: str = ""
    note: str = ""
    effect: RulingEffect | None = None
    race_id: str = ""


@dataclass(frozen=True, slots=True)
class Declined:
    """The command changed nothing; `sentence` tells the person who gave it why."""

    sentence: str

    @property
    def may_be_overridden(self) -> bool:
        """May an official give the command again with an `override_reason`?"""
        return OVERRIDE in self.sentence
