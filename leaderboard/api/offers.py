"""PUT /api/v1/races/{race_id}: takes a race from the station that holds it, signed as its results are."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.bodies import json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.api.schemas import RaceShape
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardConfig
from leaderboard.core.errors import NotAllowed
from leaderboard.core.race import RaceRecord
from leaderboard.stations.races import known_to_station
from leaderboard.stations.sender import sender_of
from shared import webhooks
from shared.errors import Refused
from shared.protocol.races import MAX_OFFER_BYTES, RaceOffer, decode_offer

_WORDS = {
    401: "Bad signature, or a timestamp too far from now",
    403: "This leaderboard takes no races from stations",
    409: "The race has other rules here, and the station did not create it",
}
_REFUSALS = refusals(401, 403, 409, 422, words=_WORDS)
_RACE = TypeAdapter(RaceShape)


def router(
    board: LeaderboardService, stations: Mapping[bytes, str], config: LeaderboardConfig, utc_ns: Callable[[], int]
) -> APIRouter:
    """The route, over one board. `stations`: each key and its station ("": any station without a key of its own)."""
    routes = DescribedRouter(tags=["results"])
    keys = tuple(stations)

    @routes.put(
        "/api/v1/races/{race_id}",
        status_code=201,
        response_model=RaceShape,
        responses={200: {"model": RaceShape, "description": "It exists, and ranks by these rules"}, **_REFUSALS},
        openapi_extra=json_extra(RaceOffer),
        summary="Offer a race: create it, or give a race of one's own its new rules",
        response_description="Created",
    )
    async def offer_race(request: Request, race_id: str) -> Response:
        """A station makes its race known before the first run; the same offer may be repeated."""
        body = await read_body(request, MAX_OFFER_BYTES)
        headers = request.headers
        now_utc_ns = utc_ns()
        signed = (
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            headers.get("webhook-signature", ""),
        )
        webhooks.check(keys, *signed, body, now_utc_ns, config.limits.tolerance_s)
        sender = sender_of(webhooks.signers(keys, *signed, body), stations)
        offer = decode_offer(body)
        if offer.race_id != race_id:
            raise Refused(f"The offer is of the race {offer.race_id[:80]!r}, the address names {race_id[:80]!r}.")
        sender.check(offer.station)
        if not config.races.from_stations:
            raise NotAllowed("This leaderboard takes no races from stations: its organiser creates the race.")
        offered = _record(offer)
        created = await run_in_threadpool(board.offer_race, offered, now_utc_ns)
        stored = await run_in_threadpool(board.race, race_id)
        # Of somebody's private race a station learns that its results are taken, and nothing that it did not say.
        shape = schemas.race_shape(stored if known_to_station(stored, offer.station) else offered, utc_ns())
        return json_response(_RACE.dump_json(shape), 201 if created else 200)

    return routes


def _record(offer: RaceOffer) -> RaceRecord:
    return RaceRecord(
        offer.race_id, offer.name, "community", offer.kind, offer.track, offer.rules, made_by=offer.station
    )
