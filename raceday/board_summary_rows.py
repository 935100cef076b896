"""Finds rows of a published leaderboard that summarise others (total, mean, record). Used by rank.py.

A row is known by its name, in the languages of spreadsheets. Where the name may well be a person's (Max, Soma) the
figures decide, and where it says nothing, only sums of laps and times alike. A row with a UserId is a racer's.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from shared.boards.board_file import ACCOUNT, LAPS, RACER, BoardRow, count, milliseconds

_ENGLISH = (
    "total totals subtotal grandtotal sum sums average averages avg mean median record records trackrecord laprecord "
    "minimum maximum count stdev stddev deviation variance percentile quartile overall"
)
_GERMANIC = (
    "summe gesamt gesamtsumme zwischensumme durchschnitt mittelwert rekord streckenrekord bahnrekord rundenrekord "
    "anzahl totaal gemiddelde gemiddeld mediaan aantal baanrecord snitt medelvärde summa gennemsnit gjennomsnitt"
)
_ROMANCE = "somme moyenne médiane totale somma mediana promedio média récord"
_OTHERS = (
    "итого всего сумма среднее медиана рекорд razem łącznie średnia celkem průměr összesen átlag toplam ortalama "
    "keskiarvo yhteensä 合計 総計 平均 平均値 中央値 总计 合计 總計 平均值 中位数 합계 총계 평균 중앙값 σ ∑ ø ⌀ μ"
)
SUMMARIES = frozenset(f"{_ENGLISH} {_GERMANIC} {_ROMANCE} {_OTHERS}".split())

_OF_WHAT = "of lap laps time times score scores result results racers drivers ms sec seconds zeit runden"
_WHERE = "all for per in grand sub running standard field track course circuit race event session season day top number"
_MEASURES = frozenset(_OF_WHAT.split())  # next to one of these a name is not a person's
_BESIDE = _MEASURES | frozenset(_WHERE.split())


def _mean(values: Sequence[int]) -> int:
    return sum(values) // len(values)


# These are given names or nicknames as well: a summary only if the figure matches the other rows.
_FIGURES: dict[str, Callable[[Sequence[int]], int]] = {
    "max": max,
    "min": min,
    "best": min,
    "fastest": min,
    "worst": max,
    "slowest": max,
    "all": sum,
    "som": sum,
    "soma": sum,
    "suma": sum,
    "media": _mean,
    "mittel": _mean,
    "schnitt": _mean,
}
# The least number of rows that a summary covers: if its name shows it, and if only its figures do.
_MIN_ROWS_BY_NAME, _MIN_ROWS_BY_FIGURES = 2, 3
_HEAD_ENDS = re.compile(r"[:=(\[]|\s[-\u2013\u2014]\s")


def summaries(rows: Sequence[BoardRow], column: str) -> Iterator[BoardRow]:
    """The rows that summarise others; `column` holds the score."""
    scores = [milliseconds(row.cells[column]) or 0 for row in rows]
    laps = [count(row.cells.get(LAPS, "")) or 0 for row in rows]
    all_ms, all_laps, above_ms, above_laps = sum(scores), sum(laps), 0, 0
    for place, row in enumerate(rows):
        own_ms, own_laps = scores[place], laps[place]
        sums = (place, above_ms, above_laps), (len(rows) - 1, all_ms - own_ms, all_laps - own_laps)
        above_ms, above_laps = above_ms + own_ms, above_laps + own_laps
        if row.cells.get(ACCOUNT):
            continue
        if _has_summary_name(row.cells[RACER], scores, place) or any(
            summed >= _MIN_ROWS_BY_FIGURES
            and own_laps == of_laps > 0
            and abs(own_ms - of_ms) <= summed  # each is truncated to a ms
            for summed, of_ms, of_laps in sums
        ):
            yield row


def _has_summary_name(name: str, scores: Sequence[int], place: int) -> bool:
    """Is it the name of a summary? If it may be a person's as well, the figure must match the other rows."""
    words = _words(name)
    if any(word in SUMMARIES for word in words):
        return all(word in SUMMARIES or word in _BESIDE or word in _FIGURES for word in words)
    figures = [word for word in words if word in _FIGURES]
    measures = [word for word in words if word in _MEASURES]
    if not figures or len(figures) + len(measures) < len(words):
        return False
    return bool(measures) or any(_is_figure(_FIGURES[word], scores, place) for word in figures)


def _is_figure(figure: Callable[[Sequence[int]], int], scores: Sequence[int], place: int) -> bool:
    """Is the row's score that figure of all others, or, of sums, of those above (others of the kind may be below)?"""
    others = [ms for at, ms in enumerate(scores) if ms and at != place]
    above = [ms for ms in scores[:place] if ms]
    extreme = figure in (max, min)
    figures = [figure(of) for of in ((others,) if extreme else (above, others)) if len(of) >= _MIN_ROWS_BY_NAME]
    return any(abs(scores[place] - ms) <= (0 if extreme else len(others)) for ms in figures)


def _words(name: str) -> list[str]:
    """The words of a name in lower case, without signs, numbers and additions ("Average (3 laps)")."""
    plain = unicodedata.normalize("NFKC", name).strip(" *_-#.,;:=()[]<>\"'")
    head = _HEAD_ENDS.split(plain)[0].replace("_", " ")
    lower = head.strip().casefold()
    parted = lower if lower in SUMMARIES else re.sub(r"(?<=[a-z])(?=[A-Z])", " ", head).casefold()
    return [word for word in re.findall(r"\w+|[\u2211\u2300]", parted) if not word.isdecimal()]
