"""/brackets/BRACKET/heats/NUMBER/replay: a heat that a farm drove, both cars on the drawn track, and why one won."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from leaderboard.core.errors import NotHere
from leaderboard.core.evaluations.heat_sentences import heat_sentence, run_sentence
from leaderboard.core.evaluations.replays import ReplayRun
from leaderboard.evaluations.brackets.heat_replays import FIRST, HeatReplays, WatchedHeat
from leaderboard.pages.replay.ghost import PPM, WHOLE_RUN
from leaderboard.pages.replay.views import LETTERS, ReplayCar, replay_car, replay_data, replay_outline, replay_view
from leaderboard.pages.site import LeaderboardSite
from shared.protocol.farm_shows import HeatRun
from shared.text import Sentence, text
from shared.traces.trace import DriveTrace
from shared.tracks.outline import TrackOutline
from shared.units import format_ms

RUN = "run"

_Place = Annotated[int, Query(ge=1, le=100)]
_Lap = Annotated[str, Query(max_length=8)]


@dataclass(frozen=True, slots=True)
class HeatSideView:
    """One of the two: its car's letter, what it is called, its time in the run that shows the result, and its files.

    `files`: where they are, "" for whoever may not take them.
    """

    letter: str
    name: str
    time: str
    won: bool
    files: str


@dataclass(frozen=True, slots=True)
class HeatRunView:
    """One run in the list: who won it and why, and who started in front."""

    place: int
    words: Sentence
    in_front: str


@dataclass(frozen=True, slots=True)
class HeatReplayView:
    """The head of the page."""

    address: str
    bracket_id: str
    bracket: str
    number: int
    words: Sentence
    sides: tuple[HeatSideView, ...]
    runs: tuple[HeatRunView, ...]


def router(heats: HeatReplays, site: LeaderboardSite) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)
    pages = HeatReplayPages(heats, site)

    @routes.get("/brackets/{bracket_id}/heats/{number}/replay")
    def page(request: Request, bracket_id: str, number: int, run: _Place = 1, lap: _Lap = RUN) -> Response:
        return pages.page(request, bracket_id, number, run, lap)

    @routes.get("/brackets/{bracket_id}/heats/{number}/replay/data")
    def data(request: Request, bracket_id: str, number: int, run: _Place = 1, lap: _Lap = RUN) -> Response:
        return pages.data(request, bracket_id, number, run, lap)

    return routes


class HeatReplayPages:
    """The replays of driven heats for whoever asks."""

    def __init__(self, heats: HeatReplays, site: LeaderboardSite) -> None:
        self._heats, self._site = heats, site

    def page(self, request: Request, bracket_id: str, number: int, place: int, lap: str) -> Response:
        """The page. Raises UnknownItem, NotHere."""
        caller = self._site.caller(request)
        heat = self._heats.heat(caller, bracket_id, number)
        run = self._heats.run(heat, place)
        outline = replay_outline(heat.race)
        cars = [] if outline is None else self._cars(heat, run, outline, lap)
        shown = heat_replay_view(heat, place, self._heats.taken_by(caller, heat))
        whole = not cars or cars[0].ghost.lap == WHOLE_RUN
        return self._site.page(
            request,
            "replay/heat.html",
            heat=shown,
            race=heat.race,
            place=place,
            lap=RUN if whole else str(cars[0].ghost.lap),
            replay=None if outline is None else replay_view(heat.race, outline, cars, cars[0].ghost.lap),
            ahead=whole,
        )

    def data(self, request: Request, bracket_id: str, number: int, place: int, lap: str) -> Response:
        """What the page's script moves the cars by. Raises UnknownItem, NotHere."""
        heat = self._heats.heat(self._site.caller(request), bracket_id, number)
        run, outline = self._heats.run(heat, place), replay_outline(heat.race)
        if outline is None:
            raise NotHere(text("There is no drawing of this race's track."))
        cars = self._cars(heat, run, outline, lap)
        document = replay_data(cars) | {"finish": finish_of(run, cars)}
        return JSONResponse(document, headers={"cache-control": "no-store"})

    def _cars(self, heat: WatchedHeat, run: HeatRun, outline: TrackOutline, lap: str) -> list[ReplayCar]:
        number = int(lap) if lap.isascii() and lap.isdecimal() else WHOLE_RUN
        traces = self._heats.traces(run)
        return [
            replay_car(ReplayRun(letter, name, None, sha256), without_rival(trace), outline, number)
            for letter, name, sha256, trace in zip(LETTERS, heat.names, run.traces, traces, strict=True)
        ]


def without_rival(trace: DriveTrace) -> DriveTrace:
    """The trace without the other car of the heat, which stands in it last: it is drawn from its own trace."""
    return replace(trace, others=trace.others[:-1])


def finish_of(run: HeatRun, cars: Sequence[ReplayCar]) -> dict[str, Any] | None:
    """Where a run is over, whose car was there first, and the gap of car B to car A: what lies beyond decides nothing.

    None of a run in which nobody drove all laps, and of single laps.
    """
    if run.reason != "first_to_finish" or run.winner is None or cars[0].ghost.lap != WHOLE_RUN:
        return None
    gap_ms = None if run.by_ms is None else run.by_ms * (1 if run.winner == FIRST else -1)
    return {"progress": PPM * len(cars[run.winner].ghost.parts_ms), "letter": LETTERS[run.winner], "gap": gap_ms}


def heat_replay_view(heat: WatchedHeat, place: int, taken: tuple[bool, bool]) -> HeatReplayView:
    """The head of the page. `taken`: whose files the reader may have, of the run of this place."""
    result, number = heat.heat.result, heat.heat.plan.number
    assert result is not None, "a heat that is watched has a result"
    here = f"/brackets/{heat.bracket.bracket_id}/heats/{number}"
    times = (result.first_score_ms, result.second_score_ms)
    sides = tuple(
        HeatSideView(
            letter,
            name,
            "" if time_ms is None else format_ms(time_ms),
            heat.winner == side,
            f"/api/v1{here}/runs/{place}/{('first', 'second')[side]}" if taken[side] else "",
        )
        for side, (letter, name, time_ms) in enumerate(zip(LETTERS, heat.names, times, strict=True))
    )
    runs = tuple(
        HeatRunView(number, run_sentence(run, heat.names), heat.names[run.in_front])
        for number, run in enumerate(heat.runs, 1)
    )
    words = heat_sentence(heat.runs, heat.winner, heat.names)
    return HeatReplayView(f"{here}/replay", heat.bracket.bracket_id, heat.bracket.name, number, words, sides, runs)
