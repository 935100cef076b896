"""Rules and figures as people say them."""

from shared.ranking import RaceRules
from shared.units import format_ms

_METHOD_NAMES = {"average": "Average", "best_lap": "Best lap", "total_time": "Total time"}


def plural(count: int, one: str, many: str = "") -> str:
    """'1 racer', '3 racers'."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def score_name(rules: RaceRules) -> str:
    """The heading of the score: 'Average of 3'."""
    name = _METHOD_NAMES[rules.method]
    return name if rules.method == "best_lap" or rules.consecutive_laps == 1 else f"{name} of {rules.consecutive_laps}"


def ranked_by(rules: RaceRules) -> str:
    """The one sentence that every spectator asks for."""
    laps = rules.consecutive_laps
    if rules.method == "best_lap":
        demand = "" if laps == 1 else f", for runs with {laps} successful laps in a row"
        return f"Ranked by the best lap{demand}."
    if laps == 1:
        return "Ranked by the best successful lap."
    what = "average" if rules.method == "average" else "total time"
    return f"Ranked by the {what} of the best {laps} successful laps in a row."


def rules_in_words(rules: RaceRules) -> list[str]:
    """All rules of the race, one sentence each; rules that do not bind are left out."""
    said = [ranked_by(rules)]
    if rules.max_laps is not None:
        said.append(f"At most {plural(rules.max_laps, 'lap')} a run.")
    if rules.time_limit_s is not None:
        said.append(f"A run ends after {_duration(rules.time_limit_s)}.")
    for seconds, what in ((rules.off_track_penalty_s, "off-track"), (rules.collision_penalty_s, "collision")):
        if seconds:
            said.append(f"Each {what} adds {_seconds(seconds)} to its lap.")
    if rules.max_resets_per_lap is not None:
        said.append(_resets(rules.max_resets_per_lap))
    if rules.attempts_per_racer is not None:
        said.append(f"The first {plural(rules.attempts_per_racer, 'attempt')} of each racer {_counts(rules)}.")
    else:
        said.append("As many attempts as you like; the best one counts.")
    said.append(f"A lap takes {_seconds(rules.min_lap_s)} at least.")
    said.append("Equal scores: the one set earlier ranks first.")
    return said


def gap(milliseconds: int, rank: int) -> str:
    """'+0.123'; a dash for the leader, who has nobody ahead."""
    return "–" if rank == 1 else f"+{format_ms(milliseconds)}"


def _resets(most: int) -> str:
    if most == 0:
        return "A lap with a reset does not count."
    return f"A lap with more than {plural(most, 'reset')} does not count."


def _counts(rules: RaceRules) -> str:
    return "counts" if rules.attempts_per_racer == 1 else "count"


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    parts = [plural(round(minutes), "minute")] if minutes else []
    return " ".join([*parts, _seconds(rest)] if rest else parts)
