"""The live content of the racers' page: one row for each racer, and how many have come."""

import hashlib
from dataclasses import dataclass

from shared.rules.person_names import name_key
from shared.text import Sentence, ntext, text
from station.views.event_view import RacerLine
from station.views.views import View
from station.web.page import PageContent


@dataclass(frozen=True, slots=True)
class RacerRow:
    """One racer. `key`: the id of the row's element."""

    key: str
    racer: RacerLine
    transponders: str
    has_runs: bool
    runs: Sentence


@dataclass(frozen=True, slots=True)
class RacersModel:
    """What the page shows. `unlisted`: racers with runs who are not on the list."""

    racers: list[RacerRow]
    count: Sentence
    unlisted: tuple[str, ...]


def racers_model(view: View) -> RacersModel:
    """The racers' page for this view."""
    racers = view.event.racers
    here = sum(racer.checked_in for racer in racers)
    return RacersModel(
        racers=[racer_row(racer) for racer in racers],
        count=ntext("{n} racer, {here} checked in", "{n} racers, {here} checked in", n=len(racers), here=here),
        unlisted=view.event.unlisted,
    )


def racer_row(racer: RacerLine) -> RacerRow:
    """One racer as a row."""
    runs = ntext("{n} run", "{n} runs", n=racer.runs) if racer.runs else text("–")
    return RacerRow(racer_key(racer.alias), racer, ", ".join(racer.transponders), racer.runs > 0, runs)


def racer_key(alias: str) -> str:
    """The id of a racer's row: the same for all spellings, and fit for HTML whatever the name holds."""
    return f"racer-{hashlib.sha256(name_key(alias).encode()).hexdigest()[:16]}"


RACERS = PageContent(
    racers_model, parts=("racers_count", "racers_unlisted"), lists={"racers": "racer_row"}, macros="event_parts.html"
)
