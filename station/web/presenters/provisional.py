"""What a run that is on would be worth if it ended now: its place, its gap, and what the next lap needs to lead. Pure."""

from dataclasses import dataclass

from shared.rules.ranking import RaceRules, lap_time_ns, successful
from shared.text import Sentence, text
from shared.units import NS_PER_MS, format_ms
from station.core.runs.laps import run_laps
from station.views.race_views import RunView, StandingLine
from station.views.views import View


@dataclass(frozen=True, slots=True)
class Provisional:
    """`place` None: no score yet. `gap_ms`: to the leader, 0 for the one who would lead.

    `needs_ms`: the longest next lap that would still take the lead, None: no next lap could, or there is no leader.
    `improves`: the score so far is better than the racer's place now.
    """

    place: int | None
    gap_ms: int
    needs_ms: int | None
    improves: bool

    @property
    def words(self) -> Sentence:
        """In a few words, for the officials."""
        parts = []
        if self.place == 1:
            parts.append(text("would lead"))
        elif self.place is not None:
            parts.append(text("would be {place}, +{gap}", place=ordinal(self.place), gap=format_ms(self.gap_ms)))
        if self.needs_ms is not None and self.place != 1:
            parts.append(text("needs {lap} to lead", lap=format_ms(self.needs_ms)))
        return text("{parts}", parts=" · ".join(parts)) if parts else text("")


def provisional(view: View, run: RunView) -> Provisional:
    """What this run is worth so far, beside the standings of the race."""
    rules = view.race.rules if view.race is not None else RaceRules()
    others = [line for line in view.standing if line.racer != run.racer]
    own = next((line.score_ms for line in view.standing if line.racer == run.racer), None)
    leader = min((line.score_ms for line in others), default=None)
    needs = None if leader is None else _needs_ms(run, rules, leader)
    if run.score_ms is None:
        return Provisional(None, 0, needs, improves=False)
    gap = 0 if leader is None else max(0, run.score_ms - leader)
    return Provisional(_place(others, run.score_ms), gap, needs, improves=own is None or run.score_ms < own)


def ordinal(place: int) -> Sentence:
    """A place in words: 1st, 2nd, 3rd, 11th."""
    if place % 10 in (1, 2, 3) and place % 100 not in (11, 12, 13):
        return (text("{n}st", n=place), text("{n}nd", n=place), text("{n}rd", n=place))[place % 10 - 1]
    return text("{n}th", n=place)


def _place(others: list[StandingLine], score_ms: int) -> int:
    return 1 + sum(1 for line in others if line.score_ms <= score_ms)


def _needs_ms(run: RunView, rules: RaceRules, leader_ms: int) -> int | None:
    """The longest next lap, in ms, with which this run would score less than the leader; None: none would."""
    if run.phase != "running":
        return None
    count, target_ms = rules.consecutive_laps, leader_ms - 1
    laps = run_laps(run.laps)[-(count - 1) :] if count > 1 else []
    if len(laps) < count - 1 or not all(successful(lap, rules) for lap in laps):
        return None
    if rules.method == "best_lap":
        return target_ms
    before_ns = sum(lap_time_ns(lap, rules) for lap in laps)
    total_ms = target_ms * count if rules.method == "average" else target_ms
    needs_ms = total_ms - -(-before_ns // NS_PER_MS)
    return needs_ms if needs_ms > 1000 * rules.min_lap_s else None
