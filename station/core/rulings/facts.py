"""Facts about crossings by other witnesses than the gate, and about runs and races as a whole."""

from dataclasses import dataclass

from station.core.moment import Fact
from station.core.rulings.commands import CrossingWitness


@dataclass(frozen=True, slots=True)
class CrossingReplaced(Fact):
    """The crossing that ended lap `number` (0: that began lap 1) is timed by this `witness` now.

    `by_ns`: how much later than before; `uncertainty_ns`: the witness's own.
    """

    run_id: str
    number: int
    witness: CrossingWitness
    by_ns: int
    uncertainty_ns: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProposalRestored(Fact):
    """What an official had dismissed for `at_ns` is asked again."""

    run_id: str
    at_ns: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunDisqualified(Fact):
    """The run has no score, whatever its laps are; `disqualified` False: it has one again."""

    run_id: str
    disqualified: bool
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResultsOfficial(Fact):
    """The results of the race, or of one run of it, are official; `official` False: they were opened again."""

    race_id: str
    run_id: str
    official: bool
    author: str
    confirmed_by: str
    reason: str
    utc_ns: int
