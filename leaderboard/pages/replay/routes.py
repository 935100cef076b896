"""/races/RACE/replay: one or two runs on the drawn track; the data that a script moves the cars by."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from leaderboard.core.errors import NotHere
from leaderboard.core.evaluations.replays import ReplayRun
from leaderboard.core.race import RaceRecord
from leaderboard.evaluations.traces import RunTraces, read_kept
from leaderboard.league.sight import RaceSight
from leaderboard.pages.replay.ghost import WHOLE_RUN, best_lap
from leaderboard.pages.replay.views import ReplayCar, replay_car, replay_data, replay_outline, replay_view, run_choices
from leaderboard.pages.site import LeaderboardSite
from shared.text import text

NOBODY = "none"  # instead of a second run
BEST, RUN = "best", "run"
MAX_KEY = 200

_Key = Annotated[str, Query(max_length=MAX_KEY)]


def router(runs: RunTraces, sight: RaceSight, site: LeaderboardSite) -> APIRouter:
    """The routes. A race in an address is one that exists for the caller: api/sight.py has asked."""
    routes = APIRouter(include_in_schema=False)
    pages = ReplayPages(runs, sight, site)

    @routes.get("/races/{race_id}/replay")
    def page(
        request: Request,
        race_id: str,
        run: _Key = "",
        other: Annotated[str, Query(alias="with", max_length=MAX_KEY)] = "",
        lap: Annotated[str, Query(max_length=8)] = BEST,
    ) -> Response:
        return pages.page(request, race_id, run, other, lap)

    @routes.get("/races/{race_id}/replay/data")
    def data(
        request: Request,
        race_id: str,
        run: _Key,
        other: Annotated[str, Query(alias="with", max_length=MAX_KEY)] = NOBODY,
        lap: Annotated[str, Query(max_length=8)] = BEST,
    ) -> Response:
        return pages.data(request, race_id, run, other, lap)

    return routes


class ReplayPages:
    """The replay of one race's runs for whoever asks."""

    def __init__(self, runs: RunTraces, sight: RaceSight, site: LeaderboardSite) -> None:
        self._runs, self._sight, self._site = runs, sight, site

    def page(self, request: Request, race_id: str, run: str, other: str, lap: str) -> Response:
        """The page. Without a run: the leader's beside the second. Raises UnknownRace, NotHere."""
        caller = self._site.caller(request)
        race = self._sight.race(caller, race_id)
        listed = self._runs.runs(race, caller)
        outline = replay_outline(race)
        if not listed or outline is None:
            return self._site.page(request, "replay/replay.html", race=race, runs=(), replay=None, drawn=bool(outline))
        keys = [each.key for each in listed]
        run = run or keys[0]
        other = other or next((key for key in keys if key != run), NOBODY)
        cars = self._cars(race, listed, (run, other), lap)
        return self._site.page(
            request,
            "replay/replay.html",
            race=race,
            drawn=True,
            runs=run_choices(listed),
            replay=replay_view(race, outline, cars, cars[0].ghost.lap),
            chosen=run,
            other=other,
            lap=lap if lap in (BEST, RUN) else str(cars[0].ghost.lap),
        )

    def data(self, request: Request, race_id: str, run: str, other: str, lap: str) -> Response:
        """What the page's script moves the cars by. Raises UnknownRace, NotHere."""
        caller = self._site.caller(request)
        race = self._sight.race(caller, race_id)
        cars = self._cars(race, self._runs.runs(race, caller), (run, other), lap)
        return JSONResponse(replay_data(cars), headers={"cache-control": "no-store"})

    def _cars(self, race: RaceRecord, listed: Sequence[ReplayRun], keys: Sequence[str], lap: str) -> list[ReplayCar]:
        """The chosen runs with their traces; the first is there, the second if there is one. Raises NotHere."""
        outline = replay_outline(race)
        by_key = {each.key: each for each in listed}
        cars: list[ReplayCar] = []
        for key in dict.fromkeys(keys):
            if key == NOBODY and cars:
                continue
            if key not in by_key or outline is None:
                raise NotHere(text("There is no such run to replay in this race."))
            trace = read_kept(self._runs.file(by_key[key]))
            number = best_lap(trace) if lap == BEST else WHOLE_RUN
            number = int(lap) if lap.isascii() and lap.isdecimal() else number
            cars.append(replay_car(by_key[key], trace, outline, number or WHOLE_RUN))
        return cars
