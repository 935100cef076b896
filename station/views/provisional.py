"""What a run on the track would be worth if it ended now, and what it needs to take the lead. Pure; for all live pages.

Figures are the published ones. A score that equals the leader's does not take the lead: the earlier one ranks first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.rules.ranking import RaceRules, RunLap, lap_time_ns, successful
from shared.text import Sentence, joined, text
from shared.units import NS_PER_MS, format_ms, seconds_to_ns
from station.core.runs.laps import run_laps
from station.views.race_views import RunView, StandingLine
from station.views.views import View


@dataclass(frozen=True, slots=True)
class Provisional:
    """`place`: what the run's score so far would be worth; None: it has none. `gap_ms`: to the leader, 0 if it leads.

    `improves`: the score so far beats the racer's own place. `needs_laps`: how many laps in a row would take the lead,
    each of at most `needs_ms` (for the best lap: one of them); 0 and None: none could, the racer leads, or nobody does.
    """

    place: int | None
    gap_ms: int
    improves: bool
    needs_laps: int = 0
    needs_ms: int | None = None

    @property
    def words(self) -> Sentence:
        """In one line: "would be 2nd, +0.112 · needs 9.214 to lead"."""
        parts = [part for part in (self.place_words, self.needs_words) if part]
        return joined(parts, " · ")

    @property
    def place_words(self) -> Sentence:
        """ "would be 2nd, +0.112"; empty before the first score."""
        if self.place is None:
            return text("")
        if self.place == 1:
            return text("would lead")
        return text("would be {place}, +{gap}", place=ordinal(self.place), gap=format_ms(self.gap_ms))

    @property
    def needs_words(self) -> Sentence:
        """ "needs 9.214 to lead"; empty if no lap could."""
        if self.needs_ms is None:
            return text("")
        if self.needs_laps == 1:
            return text("needs {lap} to lead", lap=format_ms(self.needs_ms))
        return text("needs {laps} laps of {lap} to lead", laps=self.needs_laps, lap=format_ms(self.needs_ms))


def provisional(view: View, run: RunView) -> Provisional:
    """What this run is worth so far, beside the standings of the race."""
    rules = view.race.rules if view.race is not None else RaceRules()
    others = [line for line in view.standing if line.racer != run.racer]
    own_ms = next((line.score_ms for line in view.standing if line.racer == run.racer), None)
    leader_ms = min((line.score_ms for line in others), default=None)
    needs_laps, needs_ms = 0, None
    leads = leader_ms is None or any(ms is not None and ms < leader_ms for ms in (own_ms, run.score_ms))
    if run.phase != "finished" and leader_ms is not None and not leads:
        needs_laps, needs_ms = laps_to_beat(run_laps(run.laps), rules, leader_ms)
    if run.score_ms is None:
        return Provisional(None, 0, False, needs_laps, needs_ms)
    gap_ms = 0 if leader_ms is None else max(0, run.score_ms - leader_ms)
    improves = own_ms is None or run.score_ms < own_ms
    return Provisional(place_of(others, run.score_ms), gap_ms, improves, needs_laps, needs_ms)


def place_of(others: Sequence[StandingLine], score_ms: int) -> int:
    """The place of a score beside those of the others, which were set earlier."""
    return 1 + sum(line.score_ms <= score_ms for line in others)


def laps_to_beat(laps: Sequence[RunLap], rules: RaceRules, score_ms: int) -> tuple[int, int | None]:
    """How many more laps, and of how many ms each at most, give the run a score below `score_ms`; (0, None): none do.

    As few laps as possible, but none faster than the rules allow.
    """
    left = None if rules.max_laps is None else rules.max_laps - len(laps)
    in_a_row = _successful_at_the_end(laps, rules)
    for more in range(max(1, rules.consecutive_laps - len(in_a_row)), rules.consecutive_laps + 1):
        if left is not None and more > left:
            return 0, None
        window = in_a_row[len(in_a_row) - (rules.consecutive_laps - more) :]
        lap_ns = _slowest_ns([lap_time_ns(lap, rules) for lap in window], more, rules, score_ms)
        # Published times are truncated, so a lap published as this many ms may take almost one more.
        lap_ms = (lap_ns + 1) // NS_PER_MS - 1
        if lap_ms * NS_PER_MS >= seconds_to_ns(rules.min_lap_s):
            return more, lap_ms
    return 0, None


def _successful_at_the_end(laps: Sequence[RunLap], rules: RaceRules) -> list[RunLap]:
    """The newest laps that may begin the next window, the oldest first."""
    found: list[RunLap] = []
    for lap in reversed(laps):
        if not successful(lap, rules) or (found and lap.number != found[-1].number - 1):
            break
        found.append(lap)
    return found[::-1]


def _slowest_ns(window_ns: Sequence[int], more: int, rules: RaceRules, score_ms: int) -> int:
    """The longest that each of `more` laps may take after those of the window."""
    if rules.method == "best_lap":
        return score_ms * NS_PER_MS - 1
    laps = rules.consecutive_laps if rules.method == "average" else 1
    return (score_ms * NS_PER_MS * laps - 1 - sum(window_ns)) // more


def ordinal(place: int) -> Sentence:
    """A place in words: 1st, 2nd, 3rd, 11th."""
    if place % 100 in (11, 12, 13) or place % 10 not in (1, 2, 3):
        return text("{n}th", n=place)
    return (text("{n}st", n=place), text("{n}nd", n=place), text("{n}rd", n=place))[place % 10 - 1]
