"""GET, PATCH, DELETE me: what a person does with the own account."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from leaderboard.accounts.services import AccountServices
from leaderboard.api.accounts.callers import account
from leaderboard.api.accounts.shapes import (
    AccountChange,
    OwnAccountShape,
    RecoveryCodesShape,
    own_shape,
)
from leaderboard.api.bodies import BY_SESSION, account_refusals, json_body, json_extra, shaped
from leaderboard.api.described import DescribedRouter
from leaderboard.web.cookies import SESSION, drop_cookie
from leaderboard.web.visitors import ARCHIVE_HEADERS


def router(services: AccountServices, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one store."""
    routes, calls = DescribedRouter(prefix="/api/v1", tags=["accounts"]), OwnAccountCalls(services, utc_ns)
    routes.get(
        "/me",
        response_model=OwnAccountShape,
        responses=account_refusals(401, 403, 503),
        openapi_extra=json_extra(security=BY_SESSION),
        summary="One's own account, with its ways to sign in and its sessions",
        response_description="The account",
    )(calls.me)
    routes.patch(
        "/me",
        response_model=OwnAccountShape,
        responses=account_refusals(401, 403, 408, 413, 422, 503),
        openapi_extra=json_extra(AccountChange, BY_SESSION),
        summary="Change one's name, or set a passphrase (which ends all other sessions)",
        response_description="The account as it is now",
    )(calls.change)
    routes.delete(
        "/me",
        status_code=204,
        responses=account_refusals(401, 403, 422, 503),
        openapi_extra=json_extra(security=BY_SESSION),
        summary="Delete one's account for good; results stay under a number",
        response_description="Deleted",
    )(calls.delete)
    routes.get(
        "/me/export",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}}, **account_refusals(401, 403, 503)},
        openapi_extra=json_extra(security=BY_SESSION),
        summary="All that is stored of one's account, as one ZIP",
        response_description="The archive",
    )(calls.export)
    _add_ways_to_sign_in(routes, calls)
    return routes


def _add_ways_to_sign_in(routes: APIRouter, calls: "OwnAccountCalls") -> None:
    routes.post(
        "/me/recovery-codes",
        status_code=201,
        response_model=RecoveryCodesShape,
        responses=account_refusals(401, 403, 503),
        openapi_extra=json_extra(security=BY_SESSION),
        summary="Ten new recovery codes in place of the old ones",
        response_description="The codes, shown this once",
    )(calls.renew_codes)
    routes.delete(
        "/me/credentials/{credential_id}",
        status_code=204,
        responses=account_refusals(401, 403, 404, 422, 503),
        openapi_extra=json_extra(security=BY_SESSION),
        summary="Remove a passkey or the passphrase; the last way to sign in stays",
        response_description="Removed",
    )(calls.remove_credential)


class OwnAccountCalls:
    """The handlers of the own account."""

    def __init__(self, services: AccountServices, utc_ns: Callable[[], int]) -> None:
        self._services, self._utc_ns = services, utc_ns

    def me(self, request: Request) -> Response:
        caller = account(request)
        return shaped(own_shape(self._services.own.own(caller, self._utc_ns()), caller))

    def change(self, request: Request, wanted: Annotated[AccountChange, json_body(AccountChange, account)]) -> Response:
        caller, now_utc_ns = account(request), self._utc_ns()
        if wanted.passphrase is not None:
            self._services.own.set_passphrase(caller, wanted.passphrase, now_utc_ns)
        if wanted.name is not None:
            self._services.own.change_name(caller, wanted.name, now_utc_ns)
        return shaped(own_shape(self._services.own.own(caller, now_utc_ns), caller))

    def delete(
        self,
        request: Request,
        confirm: Annotated[str, Query(max_length=60, description="one's alias, so that it is meant")] = "",
    ) -> Response:
        self._services.erasure.delete(account(request), confirm, self._utc_ns())
        response = Response(status_code=204)
        drop_cookie(response, request, SESSION)
        return response

    def export(self, request: Request) -> Response:
        archive = self._services.export.archive(account(request))
        return Response(archive, media_type="application/zip", headers=ARCHIVE_HEADERS)

    def renew_codes(self, request: Request) -> Response:
        return shaped(RecoveryCodesShape(list(self._services.own.renew_codes(account(request), self._utc_ns()))), 201)

    def remove_credential(self, request: Request, credential_id: str) -> Response:
        self._services.own.remove_credential(account(request), credential_id, self._utc_ns())
        return Response(status_code=204)
