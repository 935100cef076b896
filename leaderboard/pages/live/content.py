"""The moving content of a LIVE race's pages, drawn for all who watch, and the tick that lets clocks run out."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from typing import Literal

from jinja2 import Template

from leaderboard.board import LeaderboardService
from leaderboard.core import access
from leaderboard.core.errors import UnknownRacer
from leaderboard.live_races.service import LiveRaces
from leaderboard.live_stream import LiveContent
from leaderboard.pages.live.story import LiveStory, live_story
from leaderboard.pages.live.views import NEXT, LiveView, TurnView, live_view
from leaderboard.pages.templates import PageTemplates
from leaderboard.snapshots import RacerRuns
from shared.text.reader import language

TICK_S = 1.0
_TURNS_HELD = 4096
StreamPage = Literal["control", "show", "comment"]
_SIGN = "#live"  # no id of a race holds it
_SHOW = ("car", "levels", "racing", "figures", "sector_bar", "top", "next", "line", "lower", "podium")
_CONTROL = ("version", "now", "whose", "decision", "counts")
_COMMENT = ("racing", "figures", "sector_bar", "top")


def stream_key(race_id: str) -> str:
    """The key of the streams of a LIVE race's pages, among those of all races' standings."""
    return race_id + _SIGN


def is_live_stream(key: str) -> bool:
    """Whether this is such a key, and not the id of a race."""
    return key.endswith(_SIGN)


def watch_live(live: LiveRaces, board: LeaderboardService, changed: Callable[[str], None]) -> None:
    """Let each change of a queue, of the track and of a standing wake the streams; `changed` takes their key."""

    def wake(race_id: str) -> None:
        changed(stream_key(race_id))

    live.watch(wake)
    board.watch(wake)


class LiveContents:
    """Draws what streams of LIVE races send, by the keys of `stream_key`."""

    def __init__(
        self, live: LiveRaces, board: LeaderboardService, templates: PageTemplates, utc_ns: Callable[[], int]
    ) -> None:
        self._live, self._board, self._utc_ns = live, board, utc_ns
        self._parts, self._turn = templates.get("live/parts.html"), templates.get("live/turn.html")
        self._story = templates.get("live/story.html")
        # A run changes nothing in most rows: each is drawn once for a language, while it is as it was.
        self._drawn_turn = functools.lru_cache(_TURNS_HELD)(self._draw_turn)

    def drawing(self, others: Callable[[str, str], LiveContent]) -> Callable[[str, str], LiveContent]:
        """What draws all streams: those of LIVE races here, the others by `others`."""

        def draw(key: str, table: str) -> LiveContent:
            return self.content(key, table) if is_live_stream(key) else others(key, table)

        return draw

    def view(self, race_id: str) -> LiveView:
        """What the pages show now. Raises UnknownRace."""
        now_utc_ns = self._utc_ns()
        return live_view(self._live.state(race_id, now_utc_ns), now_utc_ns)

    def story(self, race_id: str) -> LiveStory:
        """What a commentator says now. Raises UnknownRace."""
        state = self._live.state(race_id, self._utc_ns())
        on_track = state.queue.on_track
        runs = [] if on_track is None else [self._runs(race_id, car.racer) for car in on_track.cars]
        soon = [car for each in state.queue.waiting[:NEXT] for car in each.cars]
        coming = [(car.name, self._live.score_ms(race_id, car.racer)) for car in soon]
        return live_story(state, runs, coming)

    def content(self, key: str, page: str) -> LiveContent:
        """The content of a page's stream, of the race with this key. Raises UnknownRace."""
        race_id = key.removesuffix(_SIGN)
        now_utc_ns = self._utc_ns()
        state = self._live.state(race_id, now_utc_ns)
        view = live_view(state, now_utc_ns)
        if page == "control":
            in_language = language()
            rows = {turn.key: self._drawn_turn(turn, in_language) for turn in view.lines}
            return LiveContent(view.version, tuple(rows), rows, _drawn(self._parts, _CONTROL, view), public=False)
        if page == "comment":
            story = self.story(race_id)
            parts = _drawn(self._parts, _COMMENT, view) | _drawn(self._story, ("story", "coming"), story)
            return LiveContent(view.version, (), {}, parts, public=False)
        return LiveContent(view.version, (), {}, _drawn(self._parts, _SHOW, view), public=access.public(state.race))

    def _draw_turn(self, turn: TurnView, _language: str) -> str:
        return self._turn.render(turn=turn)

    def _runs(self, race_id: str, racer: str) -> RacerRuns | None:
        try:
            return self._board.racer_runs(race_id, racer)
        except UnknownRacer:
            return None


def _drawn(template: Template, names: tuple[str, ...], shown: LiveView | LiveStory) -> dict[str, str]:
    """The macros of these names, drawn of what is shown."""
    module = template.make_module()
    return {name: str(getattr(module, name)(shown)) for name in names}


@contextlib.asynccontextmanager
async def ticking(live: LiveRaces, changed: Callable[[str], None], utc_ns: Callable[[], int]) -> AsyncIterator[None]:
    """While this is open, streams are drawn anew each second in which somebody is on a track: its clocks run out."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for race_id in live.moving(utc_ns()):
                changed(stream_key(race_id))

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
