"""The history of a place as a step line and the rows of its table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.history import PlaceStep
from leaderboard.pages.wording import minute_text
from leaderboard.profiles.history import RacerHistory
from leaderboard.scored_laps import utc_text
from shared.text import Sentence, ntext, text
from shared.units import format_ms

WIDTH, HEIGHT = 600, 120
_EDGE = 8
_ROWS = 50  # of the table


@dataclass(frozen=True, slots=True)
class StepView:
    """A row of the table. `rank` "": the racer has no place any more."""

    at: str
    at_text: str
    rank: str
    of: Sentence
    score: str
    why: Sentence


@dataclass(frozen=True, slots=True)
class HistoryView:
    """The drawing (`line` "" for a single step) and its table, the newest row first. `words` say what it shows."""

    line: str
    marks: str
    best: int
    worst: int
    words: Sentence
    rows: tuple[StepView, ...]


def history_view(history: RacerHistory, now_utc_ns: int) -> HistoryView | None:
    """The history of a place; None where there is nothing to tell."""
    steps = history.steps
    ranks = [step.rank for step in steps if step.rank is not None]
    if not ranks:
        return None
    best, worst = min(ranks), max(ranks)
    line, marks = _drawn(steps, best, worst, now_utc_ns) if len(steps) > 1 else ("", "")
    return HistoryView(
        line=line,
        marks=marks,
        best=best,
        worst=worst,
        words=text("Places over time: best {best}, worst {worst}.", best=best, worst=worst),
        rows=tuple(_row(step) for step in reversed(steps[-_ROWS:])),
    )


def _drawn(steps: Sequence[PlaceStep], best: int, worst: int, now_utc_ns: int) -> tuple[str, str]:
    """The steps as two paths: the line, and a dot at each result of the racer's own."""
    begin = steps[0].at_utc_ns
    # As long as the last place has stood, at most as long again as all before: a finished race is not all one line.
    passed = steps[-1].at_utc_ns - begin
    end = max(min(now_utc_ns, steps[-1].at_utc_ns + passed // 4), begin + 1)
    line, marks, pen = [], [], False
    for step, until in zip(steps, [*(each.at_utc_ns for each in steps[1:]), end], strict=True):
        if step.rank is None:
            pen = False
            continue
        left, right = (
            round(_EDGE + (at - begin) / (end - begin) * (WIDTH - 2 * _EDGE)) for at in (step.at_utc_ns, until)
        )
        down = round(_EDGE + (step.rank - best) / max(worst - best, 1) * (HEIGHT - 2 * _EDGE))
        line.append(f"{'L' if pen else 'M'}{left} {down}H{right}")
        if step.own:
            marks.append(f"M{left} {down}h0")
        pen = True
    return "".join(line), "".join(marks)


def _row(step: PlaceStep) -> StepView:
    at = utc_text(step.at_utc_ns)
    return StepView(
        at=at,
        at_text=minute_text(step.at_utc_ns),
        rank="" if step.rank is None else str(step.rank),
        of=ntext("of {n} racer", "of {n} racers", n=step.racers),
        score="" if step.score_ms is None else format_ms(step.score_ms),
        why=text("by an own result") if step.own else text("by another racer's result"),
    )
