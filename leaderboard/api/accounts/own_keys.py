"""GET, POST, DELETE keys: one's API keys, which programs show."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from leaderboard.accounts.services import AccountServices
from leaderboard.api import schemas
from leaderboard.api.accounts.callers import key_maker
from leaderboard.api.accounts.key_shapes import (
    KeyShape,
    NewKey,
    NewKeyShape,
    key_shape,
)
from leaderboard.api.bodies import BY_EITHER, account_refusals, json_body, json_extra, shaped
from leaderboard.api.described import DescribedRouter
from leaderboard.api.http import json_response

_KEYS = TypeAdapter(list[KeyShape])


def router(services: AccountServices, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one store."""
    routes, calls = DescribedRouter(prefix="/api/v1", tags=["accounts"]), OwnKeyCalls(services, utc_ns)
    routes.get(
        "/keys",
        response_model=list[KeyShape],
        responses=account_refusals(401, 403, 503),
        openapi_extra=json_extra(security=BY_EITHER),
        summary="One's API keys, the newest first",
        response_description="The keys, without the keys themselves",
    )(calls.keys)
    routes.post(
        "/keys",
        status_code=201,
        response_model=NewKeyShape,
        responses=account_refusals(401, 403, 404, 408, 413, 422, 503),
        openapi_extra=json_extra(NewKey, BY_EITHER),
        summary="Make an API key for a program: a station, a live timing, a model farm",
        response_description="The key, shown this once",
    )(calls.create_key)
    routes.delete(
        "/keys/{key_id}",
        response_model=KeyShape,
        responses=account_refusals(401, 403, 404, 503),
        openapi_extra=json_extra(security=BY_EITHER),
        summary="Revoke an API key, now and for good",
        response_description="The key as it is now",
    )(calls.revoke_key)
    return routes


class OwnKeyCalls:
    """The handlers of one's API keys."""

    def __init__(self, services: AccountServices, utc_ns: Callable[[], int]) -> None:
        self._services, self._utc_ns = services, utc_ns

    def keys(self, request: Request) -> Response:
        found = self._services.keys.list(key_maker(request))
        return json_response(_KEYS.dump_json([key_shape(each) for each in found]))

    def create_key(self, request: Request, wanted: Annotated[NewKey, json_body(NewKey, key_maker)]) -> Response:
        expires_utc_ns = None if wanted.expires_at is None else schemas.utc_ns(wanted.expires_at)
        create, caller = self._services.keys.create, key_maker(request)
        made = create(caller, wanted.name, wanted.scopes, wanted.races, expires_utc_ns, self._utc_ns())
        return shaped(NewKeyShape(made.key, key_shape(made.record)), 201)

    def revoke_key(self, request: Request, key_id: str) -> Response:
        return shaped(key_shape(self._services.keys.revoke(key_maker(request), key_id, self._utc_ns())))
