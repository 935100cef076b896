"""Changes that concern all runs of a race at once: other rules, and another name of a racer.

Called by the event's commands (event/races.py, event/racers.py), which have checked that the change may be made. All
runs concerned are judged again: results that differ are due again with a higher revision.
"""

from dataclasses import dataclass

from shared.rules.ranking import RaceRules, Scored, best_of, rank, score_run
from station.core import facts as f
from station.core import inputs as e
from station.core.race.race import Race
from station.core.race.results import judge_all
from station.core.race.standings import uncertainty_of
from station.core.runs.laps import run_laps


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """A racer's place and score before and after a change; None: he has none."""

    racer: str
    place_before: int | None
    score_before_ms: int | None
    place_after: int | None
    score_after_ms: int | None

    @property
    def changes(self) -> bool:
        """Whether anything is different for the racer."""
        before = self.place_before, self.score_before_ms
        return before != (self.place_after, self.score_after_ms)


def change_race(race: Race, changed: e.OpenRace) -> list[f.Fact]:
    """The race is what `changed` says from now on; returns the facts of all its runs as they are judged now."""
    before, other_rules = race.standings.lines(), changed.rules != race.info.rules
    race.info = changed
    for run in race.runs.values():
        run.change_race(changed)
    return judge_all(race, race.runs.values(), before) if other_rules else []


def rule_change_effect(race: Race, rules: RaceRules) -> tuple[PlaceChange, ...]:
    """What other rules would do to the standings: each racer who has a place before or after. Changes nothing.

    In the order of the places after the change; then those who lose theirs.
    """
    now = {line.racer: line for line in race.standings.lines()}
    then = {line.racer: line for line in rank(best_of(_scored_by(race, rules)))}
    racers = [*then, *(racer for racer in now if racer not in then)]
    return tuple(
        PlaceChange(
            racer,
            now[racer].rank if racer in now else None,
            now[racer].score_ms if racer in now else None,
            then[racer].rank if racer in then else None,
            then[racer].score_ms if racer in then else None,
        )
        for racer in racers
    )


def _scored_by(race: Race, rules: RaceRules) -> list[Scored]:
    """The score of each finished run by these rules."""
    scored = []
    for run in race.runs.values():
        if run.phase == "finished" and run.submitted and run.counts and not run.disqualified:
            laps = run.book.laps()
            score = score_run(run_laps(laps), rules)
            if score is not None:
                uncertainty_ns = uncertainty_of(run.race, laps, score) if race.info.ties_by_uncertainty else 0
                scored.append(Scored(run.racer, score.score_ms, score.set_ns, uncertainty_ns))
    return scored


def rename_racer(race: Race, was: str, racer: str, command: e.Command) -> list[f.Fact]:
    """The racer `was` is `racer` from now on, in all runs of this race; returns the facts.

    If both have runs here they are one racer now, and their attempts are counted together.
    """
    spelled = race.spellings.known(was)
    if spelled is None or spelled == racer:
        return []
    before, runs = race.standings.lines(), race.registry.runs_of(spelled)
    race.registry.merge(spelled, racer)
    race.spellings.respell(spelled, racer)
    race.standings.merge(spelled, racer)
    _count_attempts(race, racer)
    facts: list[f.Fact] = [f.RunReassigned(run.run_id, racer, spelled, command.author, command.reason) for run in runs]
    return [*facts, *judge_all(race, runs, before)]


def _count_attempts(race: Race, racer: str) -> None:
    """Numbers the racer's attempts in the order of his runs, after runs of two names became his."""
    runs = race.registry.runs_of(racer)
    attempt = race.registry.attempts(racer) - sum(run.begun and run.counts for run in runs)
    for run in runs:
        run.attempt = attempt + 1
        attempt += run.begun and run.counts
