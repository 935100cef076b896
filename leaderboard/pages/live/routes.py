"""The pages of a LIVE race, the form of its control, and their streams."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, Response

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict
from leaderboard.core.live.turn import FULL_PERCENT, MAX_PERCENT, MAX_RUN_S, MIN_PERCENT, MIN_RUN_S
from leaderboard.core.race import RaceRecord
from leaderboard.evaluations.brackets.live_heats import LiveBrackets
from leaderboard.live_races.service import LiveRaces
from leaderboard.live_stream import Feed
from leaderboard.pages.live.content import LiveContents, StreamPage, stream_key
from leaderboard.pages.live.control import press, press_own
from leaderboard.pages.live.views import own_turn
from leaderboard.pages.routes import still_allowed
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.event_stream import EventStreamResponse
from leaderboard.web.forms import PostedForm
from leaderboard.web.identity import check
from shared.errors import Refused
from shared.rules.wording import rules_line
from shared.text import ntext
from shared.web.error_pages import wants_page

_RUN_TIMES = tuple(
    (seconds, ntext("{n} minute", "{n} minutes", n=seconds // 60)) for seconds in range(MIN_RUN_S, MAX_RUN_S + 1, 60)
)
_SPEEDS = tuple((each, f"×{each / FULL_PERCENT:.2f}") for each in range(MIN_PERCENT, MAX_PERCENT + 1, 5))
_BACKGROUNDS = ("transparent", "green", "black")
# What a page's stream needs of whoever opens it (core/access.py).
_ACTIONS: dict[StreamPage, str] = {"control": "live.run", "show": "race.see", "comment": "live.comment"}


def live_pages(
    live: LiveRaces,
    brackets: LiveBrackets,
    contents: LiveContents,
    site: LeaderboardSite,
    feed: Feed,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The routes, over one leaderboard; `feed` is drawn by `contents`."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = LiveRacePages(live, brackets, contents, site, utc_ns)
    routes.get("/races/{race_id}/live-control")(pages.control)
    routes.get("/races/{race_id}/queue")(pages.queue)
    routes.get("/races/{race_id}/broadcast")(pages.broadcast)
    routes.get("/races/{race_id}/podium")(pages.podium)
    routes.get("/races/{race_id}/overlay")(pages.overlay)
    routes.get("/races/{race_id}/commentator")(pages.commentator)

    @routes.post("/races/{race_id}/live-control")
    def pressed(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.pressed(request, race_id, form)

    @routes.post("/races/{race_id}/queue")
    def pressed_own(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.pressed_own(request, race_id, form)

    @routes.get("/races/{race_id}/live-stream/{page}")
    async def stream(request: Request, race_id: str, page: StreamPage) -> EventStreamResponse:
        await run_in_threadpool(pages.allowed, request, race_id, _ACTIONS[page])
        allowed = still_allowed(lambda: pages.allowed_now(request, race_id, _ACTIONS[page]))
        last_event_id = request.headers.get("last-event-id", "")
        return EventStreamResponse(await feed.open(stream_key(race_id), page, last_event_id, allowed))

    return routes


class LiveRacePages:
    """The handlers of the pages. Each asks first whether the caller may see the race, and then the page."""

    def __init__(
        self,
        live: LiveRaces,
        brackets: LiveBrackets,
        contents: LiveContents,
        site: LeaderboardSite,
        utc_ns: Callable[[], int],
    ) -> None:
        self._live, self._brackets, self._contents = live, brackets, contents
        self._site, self._utc_ns = site, utc_ns

    def allowed(self, request: Request, race_id: str, action: str) -> RaceRecord:
        """The race, in which the caller may do this. Raises UnknownRace, Unauthorized, NotAllowed."""
        return self._allowed(self._site.caller(request), race_id, action)

    def allowed_now(self, request: Request, race_id: str, action: str) -> RaceRecord:
        """The same, of whom the session or key of the request is by now: for streams, which stay open."""
        return self._allowed(self._site.caller_now(request), race_id, action)

    def _allowed(self, caller: Caller, race_id: str, action: str) -> RaceRecord:
        race = self._live.race_for(caller, race_id)
        check(caller, action, race)
        return race

    def control(self, request: Request, race_id: str) -> HTMLResponse:
        """Race control."""
        self.allowed(request, race_id, "live.run")
        return self._control(request, race_id)

    def pressed(self, request: Request, race_id: str, form: PostedForm) -> Response:
        """What a button of race control does.

        A script gets the queue's version as it left it, for the next press, or a refusal as JSON; a form gets the page.
        """
        self.allowed(request, race_id, "live.run")
        try:
            queue = press(self._live, self._brackets, self._site.caller(request), race_id, form, self._utc_ns())
        except Refused as refusal:
            if not wants_page(request.scope):
                raise
            return self._control(request, race_id, 409 if isinstance(refusal, Conflict) else 422, str(refusal))
        if not wants_page(request.scope):
            return JSONResponse({"version": queue.version}, headers={"cache-control": "no-store"})
        return self._site.done(request, f"/races/{race_id}/live-control")

    def queue(self, request: Request, race_id: str) -> HTMLResponse:
        """The queue for everybody, with what a racer may do."""
        self.allowed(request, race_id, "race.see")
        return self._queue(request, race_id)

    def pressed_own(self, request: Request, race_id: str, form: PostedForm) -> Response:
        """A racer joins the queue, or sets the speed of the own car."""
        self.allowed(request, race_id, "race.see")
        caller = self._site.account(request)
        try:
            press_own(self._live, caller, race_id, form, self._utc_ns())
        except Refused as refusal:
            return self._queue(request, race_id, 422, str(refusal))
        return self._site.done(request, f"/races/{race_id}/queue")

    def broadcast(self, request: Request, race_id: str) -> HTMLResponse:
        """What a hall's screen or a stream shows."""
        return self._show(request, race_id, "live/broadcast.html", "hall show-page")

    def podium(self, request: Request, race_id: str) -> HTMLResponse:
        """The first three, once the winner is declared."""
        return self._show(request, race_id, "live/podium.html", "show-podium")

    def overlay(self, request: Request, race_id: str, bg: str = "transparent") -> HTMLResponse:
        """1920 x 1080 over a video; `bg`: transparent, or green or black to be keyed out."""
        ground = bg if bg in _BACKGROUNDS else "transparent"
        return self._show(request, race_id, "live/overlay.html", f"overlay ground-{ground}")

    def commentator(self, request: Request, race_id: str) -> HTMLResponse:
        """The facts about who is on the track and who comes."""
        race = self.allowed(request, race_id, "live.comment")
        shown, story = self._contents.view(race_id), self._contents.story(race_id)
        rules = rules_line(race.rules)
        return self._site.page(request, "live/commentator.html", live=shown, story=story, rules=rules, look="live-page")

    def _queue(self, request: Request, race_id: str, status: int = 200, refusal: str = "") -> HTMLResponse:
        caller, own = self._site.caller(request), None
        account_id, runs = caller.account_id, access.may(caller, "live.run", self._live.race_for(caller, race_id))
        if account_id:
            queue = self._live.state(race_id, self._utc_ns()).queue
            own = own_turn(queue, account_id, entered=self._live.is_entered(race_id, account_id))
        shown = self._contents.view(race_id)
        values = {"live": shown, "own": own, "runs": runs, "refusal": refusal, "speeds": _SPEEDS}
        return self._site.page(request, "live/queue.html", status, look="live-page", **values)

    def _show(self, request: Request, race_id: str, template: str, look: str) -> HTMLResponse:
        self.allowed(request, race_id, "race.see")
        return self._site.page(request, template, live=self._contents.view(race_id), look=look)

    def _control(self, request: Request, race_id: str, status: int = 200, refusal: str = "") -> HTMLResponse:
        shown = self._contents.view(race_id)
        brackets = self._brackets.open_in(self._site.caller(request), race_id) if shown.heats else ()
        values = {"live": shown, "refusal": refusal, "run_times": _RUN_TIMES, "brackets": brackets}
        return self._site.page(request, "live/control.html", status, look="live-page", **values)
