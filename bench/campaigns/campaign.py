"""A campaign: many trials in parts, each part by a seed of its own, and what must hold of all that they count.

Pure. runner.py runs one; each module beside it makes one, as a function of whether it is to be quick.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

MAX_SENTENCES = 20


@dataclass(frozen=True, slots=True)
class PartOutcome:
    """What one part counted. `times`: by a name with its unit, every value; `broken`: a sentence for each promise."""

    counts: Mapping[str, int]
    times: Mapping[str, Sequence[float]] = field(default_factory=dict)
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignPart:
    """A part that needs no other; `run()` takes some minutes at most, since a part that is cut off is run again."""

    name: str
    run: Callable[[], PartOutcome]


@dataclass(frozen=True, slots=True)
class Campaign:
    """`trials`: the count that says how many there were. `zero`: counts that must be 0; `above_zero`: that must not.

    The second kind shows that the campaign could have failed: that there was load, and that its sabotage was caught.
    """

    name: str
    title: str
    seed: int
    trials: str
    planned: int
    parts: tuple[CampaignPart, ...]
    zero: tuple[str, ...]
    above_zero: tuple[str, ...] = ()


@dataclass(slots=True)
class CampaignTotals:
    """The sum of all parts that were run."""

    counts: Counter[str] = field(default_factory=Counter)
    times: dict[str, list[float]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, outcome: PartOutcome) -> None:
        self.counts.update(outcome.counts)
        for name, values in outcome.times.items():
            self.times.setdefault(name, []).extend(values)
        self.broken = [*self.broken, *outcome.broken][:MAX_SENTENCES]


def totals_of(outcomes: Iterable[PartOutcome]) -> CampaignTotals:
    """The sum of the outcomes, in order."""
    totals = CampaignTotals()
    for outcome in outcomes:
        totals.add(outcome)
    return totals


def failures(campaign: Campaign, totals: CampaignTotals) -> list[str]:
    """Why the campaign is not clean; empty if it is. To be asked when all its parts were run."""
    found = [f"{totals.counts[name]} {name}, which must be 0" for name in campaign.zero if totals.counts[name]]
    found += [
        f"no {name}: the campaign could not have failed, so it proves nothing"
        for name in campaign.above_zero
        if not totals.counts[name]
    ]
    if (trials := totals.counts[campaign.trials]) < campaign.planned:
        found.append(f"{trials} {campaign.trials} of {campaign.planned} that were planned")
    return found + totals.broken


@dataclass(frozen=True, slots=True)
class Spread:
    """How values lie: their number, and half, 99 of 100 and all of them are at most these."""

    values: int
    p50: float
    p99: float
    longest: float


def spread_of(values: Sequence[float]) -> Spread:
    """Raises ValueError if there is none."""
    if not values:
        raise ValueError("no values have no spread")
    ordered = sorted(values)
    last = len(ordered) - 1
    return Spread(len(ordered), ordered[len(ordered) // 2], ordered[min(last, len(ordered) * 99 // 100)], ordered[-1])
