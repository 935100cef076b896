"""What the leaderboard takes of the bodies of requests, and from whom; used by its app and its server.

Whatever is not in the table has at most 16 kB, and comes from somebody who is signed in or shows a key. What else the
sender must be allowed, each route asks before it reads.
"""

from collections.abc import Awaitable, Callable, Iterator

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from leaderboard.api.league.calls import MAX_BODY_BYTES as MAX_LEAGUE_BYTES
from leaderboard.api.live.queue_calls import MAX_QUEUE_BYTES
from leaderboard.api.seasons.calls import MAX_SEASON_BYTES
from leaderboard.api.submissions.uploads import MAX_CHUNK_BYTES
from leaderboard.core.access import NOBODY
from leaderboard.core.errors import NotAllowed, Unauthorized
from leaderboard.core.submissions.archive import MB
from leaderboard.evaluations.traces import MAX_TRACE_BYTES
from leaderboard.exchange.csv_table import MAX_BYTES as MAX_IMPORT_FILE_BYTES
from leaderboard.league.pictures import MAX_PICTURE_BYTES
from leaderboard.pages.submissions.routes import MAX_FORM_FILE_BYTES
from leaderboard.pages.titles.import_pages import MAX_IMPORT_BYTES
from leaderboard.web.bodies import BodyTooLarge, BodyTooSlow
from leaderboard.web.forms import MAX_FORM_BYTES
from leaderboard.web.identity import asking
from leaderboard.web.statuses import status_of
from shared.errors import RacedayError, Refused, RetryLater
from shared.protocol.farm import MAX_FARM_BYTES
from shared.protocol.results import MAX_RESULT_BYTES
from shared.protocol.videos import MAX_VIDEO_BYTES
from shared.text import text
from shared.web.bodies.bounds import BodyBound, BodyBounds
from shared.web.bodies.guard import BodyRefusal
from shared.webhooks import UNSIGNED

_FILE_S = 600.0  # by a slow line; a pause in it ends it much earlier
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


def leaderboard_bodies(max_archive_mb: int) -> BodyBounds:
    """The table. `max_archive_mb`: how large a model's archive may be, of which farms send back a part."""
    return BodyBounds((*_signed(), *_open(), *_files(max_archive_mb * MB), *_documents()))


def _signed() -> Iterator[BodyBound]:
    """What stations sign: the signature is over the body."""
    yield BodyBound("POST", "/api/v1/results", MAX_RESULT_BYTES, sender="signer")
    yield BodyBound("PUT", "/api/v1/races/{race_id}", sender="signer")
    yield BodyBound("POST", "/api/v1/races/{race_id}/live", sender="signer")


def _open() -> Iterator[BodyBound]:
    """What people send to become known, or to be forgotten once their session has ended."""
    for path in ("accounts", "sessions", "passkeys/options", "passkeys/verify"):
        yield BodyBound("POST", f"/api/v1/{path}", sender="anybody")
    for path in ("sign-in", "sign-in/recovery", "sign-up", "sign-out", "claim", "join/{token}"):
        yield BodyBound("POST", f"/{path}", sender="anybody")


def _files(max_archive_bytes: int) -> Iterator[BodyBound]:
    picture, form = MAX_PICTURE_BYTES, MAX_FORM_BYTES
    yield BodyBound("PUT", "/api/v1/races/{race_id}/picture", picture, within_s=60.0, at_once=16)
    yield BodyBound("PUT", "/api/v1/seasons/{season_id}/picture", picture, within_s=60.0, at_once=16)
    yield BodyBound("POST", "/desk/races/{race_id}/picture", picture + form, within_s=60.0, at_once=16)
    yield BodyBound("POST", "/desk/seasons/{season_id}/picture", picture + form, within_s=60.0, at_once=16)
    yield BodyBound("POST", "/desk/import", MAX_IMPORT_BYTES + form, within_s=_FILE_S, at_once=1)
    yield BodyBound("POST", "/api/v1/import", MAX_IMPORT_FILE_BYTES, within_s=_FILE_S, at_once=1)
    yield BodyBound("POST", "/races/{race_id}/submissions", MAX_FORM_FILE_BYTES + form, within_s=_FILE_S, at_once=16)
    yield BodyBound("PATCH", "/api/v1/uploads/{upload_id}", MAX_CHUNK_BYTES, within_s=_FILE_S, silence_s=30.0)
    yield BodyBound("PUT", "/api/v1/farm/traces/{trace_sha256}", MAX_TRACE_BYTES)
    yield BodyBound("PUT", "/api/v1/farm/videos/{video_claim}", MAX_VIDEO_BYTES, within_s=_FILE_S, at_once=16)
    path = "/api/v1/farm/blobs/{archive_sha256}/kept/{kept_sha256}"
    yield BodyBound("PUT", path, max_archive_bytes, within_s=_FILE_S, silence_s=30.0)


def _documents() -> Iterator[BodyBound]:
    yield BodyBound("POST", "/api/v1/farm/{call:path}", MAX_FARM_BYTES)
    yield BodyBound("POST", "/api/v1/races/{race_id}/queue", MAX_QUEUE_BYTES)
    yield BodyBound("POST", "/api/v1/races/{race_id}/queue/{act}", MAX_QUEUE_BYTES)
    for method in ("POST", "PUT", "PATCH"):
        yield BodyBound(method, "/api/v1/seasons/{season_id}/{call:path}", MAX_SEASON_BYTES)
        yield BodyBound(method, "/api/v1/races/{call:path}", MAX_LEAGUE_BYTES)
    yield BodyBound("POST", "/api/v1/brackets", MAX_SEASON_BYTES)
    yield BodyBound("POST", "/api/v1/brackets/{call:path}", MAX_SEASON_BYTES)
    for path in ("races", "seasons", "events", "series"):
        yield BodyBound("POST", f"/api/v1/{path}", MAX_LEAGUE_BYTES)
    for path in ("seasons/{season_id}", "events/{event_id}", "series/{series_id}"):
        yield BodyBound("PATCH", f"/api/v1/{path}", MAX_LEAGUE_BYTES)
    for path in ("desk", "admin", "account", "races", "brackets", "farm"):
        yield BodyBound("POST", f"/{path}/{{page:path}}", MAX_FORM_BYTES)
    yield BodyBound("POST", "/new-race", MAX_FORM_BYTES)


async def body_refusal(scope: Scope, bound: BodyBound) -> BodyRefusal | None:
    """Why a body of this sender is not taken; None if it is."""
    if bound.sender == "anybody":
        return None
    found = asking(HTTPConnection(scope))
    if found.refusal is not None:
        return BodyRefusal(status_of(found.refusal), str(found.refusal))
    if found.caller != NOBODY:
        return None
    if bound.sender == "known":
        needed = text("This needs you to sign in, or the header `Authorization: Bearer` with a key.")
        return BodyRefusal(401, needed)
    headers = Headers(scope=scope)
    return None if all(headers.get(name) for name in _SIGNED) else BodyRefusal(401, UNSIGNED)


_ERRORS: dict[int, type[RacedayError]] = {
    401: Unauthorized,
    403: NotAllowed,
    408: BodyTooSlow,
    413: BodyTooLarge,
    503: RetryLater,
}


def answering(app: FastAPI) -> Callable[[Scope, BodyRefusal], Awaitable[Response]]:
    """The refusal in the form of the app's other answers: as if a route had raised it."""

    async def answer(scope: Scope, refused: BodyRefusal) -> Response:
        error = _ERRORS.get(refused.status, Refused)(refused.sentence)
        response: Response = await app.exception_handlers[RacedayError](Request(scope), error)  # type: ignore[misc]
        return response

    return answer
