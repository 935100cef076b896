"""How a race is put in words and signs for people, the same on the pages of station and leaderboard.

A colour is never the only cue: each tone of a lap has a sign and words of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared.rules.ranking import RaceRules, RunLap
from shared.text import joined, ntext, text
from shared.text.sentence import Sentence
from shared.units import format_ms


@dataclass(frozen=True, slots=True)
class IncidentWords:
    """What happened to a car in a lap, as it is named: alone, with a count, and with its penalty."""

    one: Sentence
    counted: Callable[[int], Sentence]


@dataclass(frozen=True, slots=True)
class ToneWords:
    """A lap's colour, its sign and what both mean; `spoken`: the same in the middle of a sentence."""

    tone: str
    sign: str
    words: Sentence
    spoken: Sentence


# By the names of the messages; each counts in a field of the lap: off_tracks, collisions, resets.
INCIDENTS: dict[str, IncidentWords] = {
    "off_track": IncidentWords(text("off track"), lambda n: ntext("{n} off track", "{n} off tracks", n=n)),
    "collision": IncidentWords(text("collision"), lambda n: ntext("{n} collision", "{n} collisions", n=n)),
    "reset": IncidentWords(text("reset"), lambda n: ntext("{n} reset", "{n} resets", n=n)),
}

BEST_OF_RACE = ToneWords("purple", "◆", text("Best of the race"), text("best of the race"))
RACERS_BEST = ToneWords("green", "▲", text("Racer's best"), text("racer's best"))
BEST_OF_RUN = ToneWords("green", "▲", text("Best of run"), text("best of run"))
VALID = ToneWords("yellow", "●", text("Valid"), text("valid"))
NOT_COUNTED = ToneWords("red", "✕", text("Not counted"), text("not counted"))
VOID = ToneWords("red", "✕", text("Voided"), text("voided"))
IN_DOUBT = ToneWords("red", "⚑", text("In doubt"), text("in doubt"))


def incidents(lap: RunLap) -> list[Sentence]:
    """What happened in a lap: ['2 off tracks', '1 reset']."""
    counts = (lap.off_tracks, lap.collisions, lap.resets)
    return [named.counted(count) for named, count in zip(INCIDENTS.values(), counts, strict=True) if count]


def score_name(rules: RaceRules) -> Sentence:
    """The heading of the score: 'Average of 3', 'Total of 3', 'Best lap'."""
    if rules.consecutive_laps == 1 or rules.method == "best_lap":
        return text("Best lap")
    if rules.method == "average":
        return text("Average of {laps}", laps=rules.consecutive_laps)
    return text("Total of {laps}", laps=rules.consecutive_laps)


def ranked_by(rules: RaceRules) -> Sentence:
    """How the race is ranked, in one sentence."""
    laps = rules.consecutive_laps
    if rules.method == "best_lap":
        if laps == 1:
            return text("Ranked by the best lap.")
        return text("Ranked by the best lap, for runs with {laps} successful laps in a row.", laps=laps)
    if laps == 1:
        return text("Ranked by the best successful lap.")
    if rules.method == "average":
        return text("Ranked by the average of the best {laps} successful laps in a row.", laps=laps)
    return text("Ranked by the total time of the best {laps} successful laps in a row.", laps=laps)


def rules_in_words(rules: RaceRules) -> list[Sentence]:
    """All rules of the race, one sentence each; rules that do not bind are left out."""
    sentences = [ranked_by(rules)]
    if rules.lap_1_from == "signal":
        sentences.append(text("Lap 1 begins with the start signal."))
    if rules.max_laps is not None:
        sentences.append(ntext("At most {n} lap a run.", "At most {n} laps a run.", n=rules.max_laps))
    if rules.time_limit_s is not None:
        sentences.append(_time_limit(rules.time_limit_s, rules.at_time_limit == "finish_lap"))
    if rules.off_track_penalty_s:
        sentences.append(text("Each off track adds {seconds:g} s to its lap.", seconds=rules.off_track_penalty_s))
    if rules.collision_penalty_s:
        sentences.append(text("Each collision adds {seconds:g} s to its lap.", seconds=rules.collision_penalty_s))
    if rules.max_resets_per_lap is not None:
        sentences.append(_resets(rules.max_resets_per_lap))
    if rules.attempts_per_racer is not None:
        sentences.append(
            ntext(
                "The first {n} attempt of each racer counts.",
                "The first {n} attempts of each racer count.",
                n=rules.attempts_per_racer,
            )
        )
    else:
        sentences.append(text("As many attempts as you like; the best one counts."))
    sentences.append(text("A lap takes at least {seconds:g} s.", seconds=rules.min_lap_s))
    sentences.append(text("Equal scores: the one set earlier ranks first."))
    return sentences


def rules_line(rules: RaceRules) -> Sentence:
    """The race's rules in one line, for a page that has no room for sentences."""
    parts = [_ranked_in_short(rules)]
    if rules.lap_1_from == "signal":
        parts.append(text("lap 1 from the start signal"))
    parts += _limits(rules)
    if rules.off_track_penalty_s:
        parts.append(text("off track +{seconds:g} s", seconds=rules.off_track_penalty_s))
    if rules.collision_penalty_s:
        parts.append(text("collision +{seconds:g} s", seconds=rules.collision_penalty_s))
    return joined(parts, " · ")


def rules_in_short(rules: RaceRules) -> Sentence:
    """What is ranked and what ends a run, for the head of the big screen."""
    return joined([score_name(rules), *_limits(rules)], " · ")


def _limits(rules: RaceRules) -> list[Sentence]:
    parts: list[Sentence] = []
    if rules.max_laps is not None:
        parts.append(ntext("{n} lap at most", "{n} laps at most", n=rules.max_laps))
    if rules.time_limit_s is not None:
        time = format_ms(round(rules.time_limit_s * 1000)).removesuffix(".000")
        if rules.at_time_limit == "finish_lap":
            parts.append(text("{time} time limit, the lap in progress counts", time=time))
        else:
            parts.append(text("{time} time limit", time=time))
    return parts


def _ranked_in_short(rules: RaceRules) -> Sentence:
    laps = rules.consecutive_laps
    if laps == 1:
        return text("Best lap")
    if rules.method == "average":
        return text("Average of the best {laps} laps in a row", laps=laps)
    if rules.method == "best_lap":
        return text("Best lap in a stretch of {laps}", laps=laps)
    return text("Total of the best {laps} laps in a row", laps=laps)


def _resets(max_resets: int) -> Sentence:
    if max_resets == 0:
        return text("A lap with a reset does not count.")
    return ntext(
        "A lap with more than {n} reset does not count.",
        "A lap with more than {n} resets does not count.",
        n=max_resets,
    )


def _time_limit(seconds: float, finish_lap: bool) -> Sentence:
    time = _duration(seconds)
    if finish_lap:
        return text("A run ends after {time}; the lap in progress still counts.", time=time)
    return text("A run ends after {time}.", time=time)


def _duration(seconds: float) -> Sentence:
    minutes, rest = divmod(seconds, 60)
    parts = [ntext("{n} minute", "{n} minutes", n=round(minutes))] if minutes else []
    return joined([*parts, text("{seconds:g} s", seconds=rest)] if rest else parts)
