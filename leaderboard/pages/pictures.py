"""The addresses of pictures of races and seasons: immutable, as their address holds the SHA-256 of their bytes."""

from fastapi import APIRouter, Request, Response

from leaderboard.league.pictures import PictureService
from leaderboard.store.league_rows import Blob
from leaderboard.web.identity import CallerIdentification


def router(pictures: PictureService, callers: CallerIdentification) -> APIRouter:
    """The routes; who may not see a race does not see its picture."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/races/{race_id}/pictures/{sha256}")
    def of_race(request: Request, race_id: str, sha256: str) -> Response:
        return _respond(*pictures.of_race(callers.caller(request), race_id, sha256))

    @routes.get("/seasons/{season_id}/pictures/{sha256}")
    def of_season(request: Request, season_id: str, sha256: str) -> Response:
        return _respond(*pictures.of_season(callers.caller(request), season_id, sha256))

    return routes


def _respond(blob: Blob, public: bool) -> Response:
    scope = "public" if public else "private"
    headers = {"cache-control": f"{scope}, max-age=31536000, immutable", "content-disposition": "inline"}
    return Response(blob.content, media_type=blob.media_type, headers=headers)
