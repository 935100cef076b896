"""How a race is put in words and signs for people, the same on the pages of station and leaderboard.

A colour is never the only cue: each tone of a lap has a sign and words of its own.
"""

from dataclasses import dataclass

from shared.rules.ranking import RaceRules, RunLap
from shared.units import format_ms


@dataclass(frozen=True, slots=True)
class IncidentWords:
    """What happened to a car in a lap, as it is named."""

    one: str
    many: str

    def counted(self, count: int) -> str:
        """The count in words: '1 off track', '2 off tracks'."""
        return f"{count} {self.one if count == 1 else self.many}"


@dataclass(frozen=True, slots=True)
class ToneWords:
    """A lap's colour, its sign and what both mean."""

    tone: str
    sign: str
    words: str


# By the names of the messages; each counts in a field of the lap: off_tracks, collisions, resets.
INCIDENTS: dict[str, IncidentWords] = {
    "off_track": IncidentWords("off track", "off tracks"),
    "collision": IncidentWords("collision", "collisions"),
    "reset": IncidentWords("reset", "resets"),
}

BEST_OF_RACE = ToneWords("purple", "◆", "Best of the race")
RACERS_BEST = ToneWords("green", "▲", "Racer's best")
BEST_OF_RUN = ToneWords("green", "▲", "Best of run")
VALID = ToneWords("yellow", "●", "Valid")
NOT_COUNTED = ToneWords("red", "✕", "Not counted")
VOID = ToneWords("red", "✕", "Void")
IN_DOUBT = ToneWords("red", "⚑", "In doubt")


def plural(count: int, one: str, many: str = "") -> str:
    """A count in words: '1 racer', '3 racers'; `many` is the plural, where it is not `one` and an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def incidents(lap: RunLap) -> list[str]:
    """What happened in a lap: ['2 off tracks', '1 reset']."""
    counts = (lap.off_tracks, lap.collisions, lap.resets)
    return [named.counted(count) for named, count in zip(INCIDENTS.values(), counts, strict=True) if count]


def score_name(rules: RaceRules) -> str:
    """The heading of the score: 'Average of 3', 'Total of 3', 'Best lap'."""
    if rules.consecutive_laps == 1 or rules.method == "best_lap":
        return "Best lap"
    return f"{'Average' if rules.method == 'average' else 'Total'} of {rules.consecutive_laps}"


def ranked_by(rules: RaceRules) -> str:
    """How the race is ranked, in one sentence."""
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
    sentences = [ranked_by(rules)]
    if rules.lap_1_from == "signal":
        sentences.append("Lap 1 begins with the start signal.")
    if rules.max_laps is not None:
        sentences.append(f"At most {plural(rules.max_laps, 'lap')} a run.")
    if rules.time_limit_s is not None:
        last = "; the lap in progress still counts" if rules.at_time_limit == "finish_lap" else ""
        sentences.append(f"A run ends after {_duration(rules.time_limit_s)}{last}.")
    for seconds, what in ((rules.off_track_penalty_s, "off_track"), (rules.collision_penalty_s, "collision")):
        if seconds:
            sentences.append(f"Each {INCIDENTS[what].one} adds {_seconds(seconds)} to its lap.")
    if rules.max_resets_per_lap is not None:
        sentences.append(_resets(rules.max_resets_per_lap))
    if rules.attempts_per_racer is not None:
        sentences.append(f"The first {plural(rules.attempts_per_racer, 'attempt')} of each racer {_counts(rules)}.")
    else:
        sentences.append("As many attempts as you like; the best one counts.")
    sentences.append(f"A lap takes at least {_seconds(rules.min_lap_s)}.")
    sentences.append("Equal scores: the one set earlier ranks first.")
    return sentences


def rules_line(rules: RaceRules) -> str:
    """The race's rules in one line, for a page that has no room for sentences."""
    words = {
        "average": "average of the best {n} laps in a row",
        "best_lap": "best lap in a stretch of {n}",
        "total_time": "total of the best {n} laps in a row",
    }[rules.method if rules.consecutive_laps > 1 else "best_lap"]
    words = words.format(n=rules.consecutive_laps) if rules.consecutive_laps > 1 else "best lap"
    parts = [words[0].upper() + words[1:]]
    if rules.lap_1_from == "signal":
        parts.append("lap 1 from the start signal")
    if rules.max_laps is not None:
        parts.append(f"{rules.max_laps} laps at most")
    if rules.time_limit_s is not None:
        limit = f"{format_ms(round(rules.time_limit_s * 1000)).removesuffix('.000')} time limit"
        parts.append(f"{limit}, the lap in progress counts" if rules.at_time_limit == "finish_lap" else limit)
    if rules.off_track_penalty_s:
        parts.append(f"{INCIDENTS['off_track'].one} +{_seconds(rules.off_track_penalty_s)}")
    if rules.collision_penalty_s:
        parts.append(f"{INCIDENTS['collision'].one} +{_seconds(rules.collision_penalty_s)}")
    return " · ".join(parts)


def _resets(max_resets: int) -> str:
    if max_resets == 0:
        return "A lap with a reset does not count."
    return f"A lap with more than {plural(max_resets, 'reset')} does not count."


def _counts(rules: RaceRules) -> str:
    return "counts" if rules.attempts_per_racer == 1 else "count"


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    parts = [plural(round(minutes), "minute")] if minutes else []
    return " ".join([*parts, _seconds(rest)] if rest else parts)
