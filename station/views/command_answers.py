"""What the station answers to a command: done, with what a ruling changed, or refused with one sentence."""

from dataclasses import dataclass

from station.core.timing.readiness import OVERRIDE


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a run, and one lap of it, is worth at one moment; None: no such lap, no score, no place."""

    run_id: str
    racer: str
    lap: int | None
    lap_ms: int | None
    lap_counts: bool
    score_ms: int | None
    place: int | None


@dataclass(frozen=True, slots=True)
class RulingEffect:
    """A ruling's effect, also as the sentence that the page shows."""

    before: RunFigures
    after: RunFigures
    sentence: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command is done and stored as journal record `seq`; of a ruling also what it changed.

    `car` and `goal`: what it ordered of a car. Ordered is not done: only the car's own mode shows that. `note`: why the
    order cannot reach the car yet.
    """

    seq: int
    run_id: str = ""
    car: str = ""
    goal: str = ""
    note: str = ""
    effect: RulingEffect | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The command changed nothing; one sentence for the person who gave it."""

    sentence: str

    @property
    def may_be_overridden(self) -> bool:
        """An official may give it again with an `override_reason`."""
        return OVERRIDE in self.sentence
