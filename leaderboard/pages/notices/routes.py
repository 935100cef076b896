"""/races/RACE/notices: receivers of a race's notices, what became of them, and forms to add, pause, try and end one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.board import LeaderboardService
from leaderboard.core.errors import UnknownSubscription
from leaderboard.core.race import RaceRecord
from leaderboard.notices.events import NOTICE_TYPES
from leaderboard.notices.outbox import DeliveryRow, SubscriptionRow
from leaderboard.notices.subscriptions import NewSubscription, NoticeSubscriptions, SubscriptionStatus
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.wording import minute_text
from leaderboard.scored_laps import utc_text
from leaderboard.web.forms import PostedForm
from shared.errors import Refused
from shared.text import Sentence, ntext, recorded, text

KINDS: dict[str, Sentence] = {
    "race.opened": text("The race opens"),
    "leader.changed": text("Somebody else leads"),
    "record.set": text("A record of the track is set"),
    "race.final": text("The results are final"),
    "test": text("A test"),
}


@dataclass(frozen=True, slots=True)
class SentNoticeView:
    """A notice as the page shows it."""

    what: Sentence
    at: str
    at_text: str
    state: str
    answer: str


@dataclass(frozen=True, slots=True)
class ReceiverView:
    """A receiver as the page shows it."""

    receiver_id: str
    url: str
    kinds: tuple[Sentence, ...]
    state: Sentence
    tone: str
    paused: bool
    stopped: str
    notices: tuple[SentNoticeView, ...]


class NoticePages:
    """The handlers. `wake` is told when something is to be sent."""

    def __init__(
        self,
        board: LeaderboardService,
        subscriptions: NoticeSubscriptions,
        site: LeaderboardSite,
        wake: Callable[[], None],
        utc_ns: Callable[[], int],
    ) -> None:
        self._board, self._subscriptions, self._site = board, subscriptions, site
        self._wake, self._utc_ns = wake, utc_ns

    def shown(self, request: Request, race_id: str) -> Response:
        return self._drawn(request, self._race(request, race_id))

    def added(self, request: Request, race_id: str, form: PostedForm) -> Response:
        race = self._race(request, race_id)
        wanted = NewSubscription(form.get("url"), form.all("kinds"), race_id)
        try:
            row = self._subscriptions.add(wanted, self._site.caller(request), self._utc_ns())
        except Refused as refusal:
            typed = {"url": wanted.url, "kinds": wanted.kinds}
            return self._drawn(request, race, 422, refusal=refusal, typed=typed)
        # Shown in the answer itself and nowhere else: no address and no cookie holds it.
        return self._drawn(request, race, secret=row.secret)

    def acted(self, request: Request, race_id: str, receiver_id: str, action: str) -> Response:
        race = self._race(request, race_id)
        row = self._subscriptions.get(receiver_id)
        if row.race_id != race.race_id or action not in _ACTIONS:
            raise UnknownSubscription(text("There is no such receiver of notices."))
        _act(self._subscriptions, self._site, request, row, action, self._utc_ns())
        self._wake()
        return self._site.done(request, f"/races/{race_id}/notices", _ACTIONS[action])

    def _race(self, request: Request, race_id: str) -> RaceRecord:
        race = self._board.race(race_id)
        self._site.check(request, "race.edit", race)
        return race

    def _drawn(self, request: Request, race: RaceRecord, status: int = 200, **more: object) -> Response:
        values = {
            "race": race,
            "receivers": [receiver_view(each) for each in self._subscriptions.list(race.race_id)],
            "kinds": [(kind, KINDS[kind]) for kind in NOTICE_TYPES],
            "refusal": "",
            "typed": {},
            "secret": "",
        }
        return self._site.page(request, "league/notices.html", status, **values | more)


def router(pages: NoticePages, site: LeaderboardSite) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)
    routes.get("/races/{race_id}/notices")(pages.shown)

    @routes.post("/races/{race_id}/notices")
    def added(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.added(request, race_id, form)

    @routes.post("/races/{race_id}/notices/{receiver_id}/{action}", dependencies=[Depends(site.form)])
    def acted(request: Request, race_id: str, receiver_id: str, action: str) -> Response:
        return pages.acted(request, race_id, receiver_id, action)

    return routes


_ACTIONS: dict[str, Sentence] = {
    "pause": text("Nothing is sent to this receiver until you let it go on."),
    "resume": text("Notices go on, beginning with those that waited."),
    "test": text("A test notice is on its way; look here again in a moment."),
    "remove": text("The receiver is removed."),
}


def _act(
    subscriptions: NoticeSubscriptions,
    site: LeaderboardSite,
    request: Request,
    row: SubscriptionRow,
    action: str,
    now_utc_ns: int,
) -> None:
    caller = site.caller(request)
    if action == "test":
        subscriptions.test(row.subscription_id, now_utc_ns)
    elif action == "remove":
        subscriptions.remove(row.subscription_id, caller, now_utc_ns)
    else:
        subscriptions.pause(row.subscription_id, action == "pause", caller, now_utc_ns)


def receiver_view(status: SubscriptionStatus) -> ReceiverView:
    """A receiver in words."""
    row = status.row
    waiting = sum(each.state == "pending" for each in status.deliveries)
    if row.stopped:
        state, tone = text("Stopped"), "stopped"
    elif row.paused:
        state, tone = text("Paused"), "published"
    elif row.failing_since_utc_ns is not None:
        state, tone = (
            ntext("Does not answer; {n} notice waits", "Does not answer; {n} notices wait", n=waiting),
            "stopped",
        )
    else:
        state, tone = text("Takes notices"), "open"
    return ReceiverView(
        row.subscription_id,
        row.url,
        tuple(KINDS[kind] for kind in row.kinds.split()),
        state,
        tone,
        row.paused,
        row.stopped,
        tuple(_sent(each) for each in status.deliveries),
    )


def _sent(row: DeliveryRow) -> SentNoticeView:
    at = utc_text(row.at_utc_ns)
    if row.state == "delivered":
        state = text("taken")
    else:
        state = ntext("waits ({n} try so far)", "waits ({n} tries so far)", n=row.attempts)
    return SentNoticeView(KINDS[row.kind], at, minute_text(row.at_utc_ns), state, recorded(row.answer))
