"""Compares what this station posted with what the leaderboard shows. Pure; for `raceday sync status`.

A standing holds each racer's best run, whoever timed it. So of our results only those can be seen there that are their
racer's best; the others are compared by that they may not be better than what is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.protocol.results import Result
from shared.rules.person_names import name_key
from shared.text import Sentence, text
from shared.units import format_ms


@dataclass(frozen=True, slots=True)
class ShownScore:
    """A row of the leaderboard's standing."""

    racer: str
    score_ms: int
    result_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class RaceComparison:
    """A race at both sides. `ours`: our racers that should be in the standing; `others`: rows of other stations."""

    race_id: str
    ours: int
    theirs: int
    others: int
    differences: tuple[Sentence, ...]


def shown_scores(rows: Any) -> list[ShownScore] | None:
    """The rows of a standing from the leaderboard's JSON; None if they have not the form of the contract."""
    if not isinstance(rows, list):
        return None
    scores = [_shown(row) for row in rows]
    return None if any(score is None for score in scores) else [score for score in scores if score is not None]


def compare(race_id: str, posted: Iterable[Result], shown: Sequence[ShownScore]) -> RaceComparison:
    """Compare a race. `posted`: the newest revision of each result that the leaderboard has confirmed."""
    counting = {result.result_id: result for result in posted if result.race_id == race_id}
    best = _best(counting.values())
    rows = {name_key(row.racer): row for row in shown}
    found: list[Sentence] = []
    for key, result in best.items():
        found += _of_racer(result, rows.get(key), counting)
    withdrawn = [row for row in shown if _scoreless(counting.get(row.result_id)) and name_key(row.racer) not in best]
    found += [
        text("{racer}: {result_id} is withdrawn here, and counts there.", racer=row.racer, result_id=row.result_id)
        for row in withdrawn
    ]
    others = sum(row.result_id not in counting for row in shown)
    return RaceComparison(race_id, len(best), len(shown), others, tuple(found))


def _of_racer(ours: Result, theirs: ShownScore | None, counting: Mapping[str, Result]) -> list[Sentence]:
    if theirs is None:
        return [text("{racer} is not in the standing there.", racer=ours.racer)]
    known = counting.get(theirs.result_id)
    if known is not None and known.revision != theirs.revision:
        return [
            text(
                "{racer}: {result_id} is of revision {theirs} there, {ours} here.",
                racer=ours.racer,
                result_id=theirs.result_id,
                theirs=theirs.revision,
                ours=known.revision,
            )
        ]
    if known is not None and known.score_ms != theirs.score_ms:
        return [_other_score(known, theirs)]
    if theirs.score_ms > ours.score_ms:
        return [
            text(
                "{racer}: {here} s here is better than {there} s there: do attempts count there that we do not know?",
                racer=ours.racer,
                here=format_ms(ours.score_ms),
                there=format_ms(theirs.score_ms),
            )
        ]
    return []


def _other_score(ours: Result, theirs: ShownScore) -> Sentence:
    return text(
        "{racer}: {result_id} is {there} s there, {here} s here: compare the race's rules.",
        racer=ours.racer,
        result_id=ours.result_id,
        there=format_ms(theirs.score_ms),
        here=format_ms(ours.score_ms),
    )


def _best(results: Iterable[Result]) -> dict[str, Result]:
    best: dict[str, Result] = {}
    for result in sorted(results, key=lambda each: (each.score_ms, each.finished_utc_ns)):
        if not _scoreless(result):
            best.setdefault(name_key(result.racer), result)
    return best


def _scoreless(result: Result | None) -> bool:
    return result is not None and result.score_ms == 0


def _shown(row: Any) -> ShownScore | None:
    if not isinstance(row, dict):
        return None
    racer, score_ms = row.get("racer"), row.get("score_ms")
    result_id, revision = row.get("result_id", ""), row.get("revision", 0)
    fine = isinstance(racer, str) and isinstance(score_ms, int) and not isinstance(score_ms, bool)
    if not fine or not isinstance(result_id, str) or not isinstance(revision, int):
        return None
    assert isinstance(racer, str)
    assert isinstance(score_ms, int)
    return ShownScore(racer, score_ms, result_id, revision)
