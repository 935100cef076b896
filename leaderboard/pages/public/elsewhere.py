"""What of a public race is shown elsewhere: embeds, oEmbed, feeds, and the social picture.

All of it is as nobody sees it, whoever asks: a private race is here a race that never was, to its members too.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from leaderboard.board import LeaderboardService
from leaderboard.core.access import NOBODY
from leaderboard.core.errors import UnknownRace
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.league.sight import RaceSight
from leaderboard.pages.public.card import CardPictures, card_words
from leaderboard.pages.public.feeds import MEDIA_TYPE, board_feed, race_feed
from leaderboard.pages.render import LeaderboardPages
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.views import PODIUM, card
from leaderboard.profiles.newest import newest_results
from shared.errors import BadInput
from shared.text import Sentence, text
from shared.web.security import HEADERS

ROWS = 10
MAX_ROWS = 50
WIDTH, MIN_SIDE, MAX_SIDE = 480, 120, 2000
ROW_HEIGHT, HEAD_HEIGHT = 48, 150
_FOR_ALL = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
_MINUTE = {"cache-control": "public, max-age=60"}


@dataclass(frozen=True, slots=True)
class SharedLink:
    """An address that other programs read, and how it is written out."""

    words: Sentence | str
    path: str
    shown: str


class RaceElsewhere:
    """The handlers, over one board. `sites`: the origins whose pages may hold an embed."""

    def __init__(
        self,
        board: LeaderboardService,
        sight: RaceSight,
        site: LeaderboardSite,
        title: str,
        sites: tuple[str, ...],
        utc_ns: Callable[[], int],
    ) -> None:
        self._board, self._sight, self._site, self._title, self._sites = board, sight, site, title, sites
        self._pages, self._cards, self._utc_ns = LeaderboardPages(site.templates), CardPictures(), utc_ns

    def embed(
        self,
        race_id: str,
        rows: Annotated[int, Query(ge=1, le=MAX_ROWS)] = ROWS,
        kind: Annotated[Venue | None, Query()] = None,
    ) -> HTMLResponse:
        """The board in a frame: no script, no cookie, and a link to the race's own page."""
        self._public(race_id)
        page = self._pages.embed(self._board.snapshot(race_id, rows, kind), self._utc_ns())
        sites = " ".join(self._sites) or "'none'"
        policy = HEADERS["content-security-policy"].replace("frame-ancestors 'none'", f"frame-ancestors {sites}")
        return HTMLResponse(
            page, headers={"content-security-policy": policy, "referrer-policy": "same-origin"} | _MINUTE
        )

    def oembed(
        self,
        request: Request,
        url: Annotated[str, Query(max_length=1000)],
        format: str = "json",  # noqa: A002  # the word of oEmbed
        maxwidth: Annotated[int, Query(ge=1)] = WIDTH,
        maxheight: Annotated[int, Query(ge=1)] = MAX_SIDE,
    ) -> Response:
        """How to embed the page at `url` (oembed.com)."""
        if format != "json":
            return JSONResponse({"error": str(text("Only JSON is answered here."))}, 501)
        base, race = _base(request), self._public(_race_in(url))
        width = min(max(maxwidth, MIN_SIDE), MAX_SIDE)
        height = min(max(maxheight, MIN_SIDE), HEAD_HEIGHT + ROWS * ROW_HEIGHT)
        rows = max(1, min(ROWS, (height - HEAD_HEIGHT) // ROW_HEIGHT))
        document: dict[str, Any] = {
            "version": "1.0",
            "type": "rich",
            "title": race.name,
            "provider_name": self._title,
            "provider_url": f"{base}/",
            "cache_age": 300,
            "width": width,
            "height": height,
            "html": frame_html(base, race, rows, width, height),
            "thumbnail_url": f"{base}/races/{race.race_id}/card.png",
            "thumbnail_width": 1200,
            "thumbnail_height": 630,
        }
        return Response(json.dumps(document), media_type="application/json", headers=_FOR_ALL | _MINUTE)

    def share(self, request: Request, race_id: str) -> HTMLResponse:
        """The page that says how to show the race elsewhere."""
        race, base = self._public(race_id), _base(request)
        height = HEAD_HEIGHT + ROWS * ROW_HEIGHT
        code = frame_html(base, race, ROWS, WIDTH, height)
        return self._site.page(request, "share.html", race=race, links=_links(base, race), code=code, sites=self._sites)

    def board_feed(self, request: Request) -> Response:
        """The feed of all public races."""
        seen = self._sight.seen_by(NOBODY)
        heads = [head for head in self._board.races() if seen(head.race)]
        return _feed(request, board_feed(self._title, _base(request), heads, self._utc_ns()))

    def race_feed(self, request: Request, race_id: str) -> Response:
        """The feed of a race."""
        race = self._public(race_id)
        found = newest_results(self._board.store, race_id)
        return _feed(request, race_feed(self._title, _base(request), race, found, self._utc_ns()))

    def card(self, race_id: str) -> Response:
        """The social picture."""
        self._public(race_id)
        shown = card(self._board.snapshot(race_id, PODIUM), self._utc_ns())
        picture = self._cards.of(card_words(self._title, shown, str(text("No qualified run yet"))))
        headers = {"cross-origin-resource-policy": "cross-origin"} | _MINUTE
        return Response(picture, media_type="image/png", headers=headers)

    def _public(self, race_id: str) -> RaceRecord:
        """The race, if it exists for nobody in particular. Raises UnknownRace."""
        return self._sight.race(NOBODY, race_id)


def router(elsewhere: RaceElsewhere) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)
    routes.get("/embed/{race_id}")(elsewhere.embed)
    routes.get("/oembed")(elsewhere.oembed)
    routes.get("/feed.atom")(elsewhere.board_feed)
    routes.get("/races/{race_id}/feed.atom")(elsewhere.race_feed)
    routes.get("/races/{race_id}/card.png")(elsewhere.card)
    routes.get("/races/{race_id}/share")(elsewhere.share)
    return routes


def frame_html(base: str, race: RaceRecord, rows: int, width: int, height: int) -> str:
    """The piece of HTML that shows the race in another page."""
    return (
        f'<iframe src="{escape(base)}/embed/{race.race_id}?rows={rows}" width="{width}" height="{height}" '
        f'title="{escape(race.name)}" loading="lazy"></iframe>'
    )


def _links(base: str, race: RaceRecord) -> list[SharedLink]:
    page = f"/races/{race.race_id}"
    calendar = f"/api/v1{page}/export?format=ics"
    return [
        SharedLink("JSON", f"/embed/{race.race_id}.json", f"{base}/embed/{race.race_id}.json"),
        SharedLink("oEmbed", f"/oembed?url={quote(base + page, safe='')}", f"{base}/oembed?url={base}{page}"),
        SharedLink(text("Feed"), f"{page}/feed.atom", f"{base}{page}/feed.atom"),
        SharedLink(text("Calendar"), calendar, f"{base}{calendar}"),
    ]


def _race_in(url: str) -> str:
    """The id of the race whose page is at this address. Raises BadInput, UnknownRace."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadInput(text("`url` is not an address.")) from None
    pieces = parts.path.split("/")
    if len(pieces) < 3 or pieces[1] not in ("races", "embed"):
        raise UnknownRace.of(parts.path)
    return pieces[2]


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _feed(request: Request, document: str) -> Response:
    body = document.encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "vary": "accept-language, cookie"} | _MINUTE
    if tag in [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)
