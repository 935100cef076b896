"""GET accounts, aliases and roles of others, and GET audit: for admins, officials and organisers."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from leaderboard.accounts.services import AccountServices
from leaderboard.api.accounts.audit_shapes import AuditPageShape, audit_shape
from leaderboard.api.accounts.callers import CALLERS, renamer, role_giver
from leaderboard.api.accounts.shapes import (
    AccountShape,
    AliasChange,
    ListedAccountShape,
    RoleWish,
    account_shape,
    grant_of,
    listed_shape,
)
from leaderboard.api.bodies import BY_EITHER, account_refusals, json_body, json_extra, shaped
from leaderboard.api.described import DescribedRouter
from leaderboard.api.http import json_response
from leaderboard.api.identity import check, check_sees
from leaderboard.core.access import Caller, Grant, Role, may_grant
from leaderboard.core.errors import NotAllowed
from shared.errors import BadInput
from shared.text import text

_ACCOUNTS = TypeAdapter(list[ListedAccountShape])
_MAX_SEQ = 2**62


def router(services: AccountServices, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one store."""
    routes, calls = DescribedRouter(prefix="/api/v1", tags=["administration"]), AdministrationCalls(services, utc_ns)
    routes.get(
        "/accounts",
        response_model=list[ListedAccountShape],
        responses=account_refusals(401, 403, 422, 503),
        openapi_extra=json_extra(security=BY_EITHER),
        summary="Accounts by alias, 50 at a time, with their roles",
        response_description="The accounts",
    )(calls.accounts)
    routes.patch(
        "/accounts/{alias}",
        response_model=AccountShape,
        responses=account_refusals(401, 403, 404, 408, 409, 413, 422, 503),
        openapi_extra=json_extra(AliasChange, BY_EITHER),
        summary="Give an account another alias, with the reason",
        response_description="The account as it is now",
    )(calls.rename)
    routes.post(
        "/accounts/{alias}/roles",
        response_model=ListedAccountShape,
        responses=account_refusals(401, 403, 404, 408, 413, 422, 503),
        openapi_extra=json_extra(RoleWish, BY_EITHER),
        summary="Give an account a role: an admin any, a race's organiser those for the race",
        response_description="The account with its roles",
    )(calls.grant)
    routes.delete(
        "/accounts/{alias}/roles/{role}",
        response_model=ListedAccountShape,
        responses=account_refusals(401, 403, 404, 422, 503),
        openapi_extra=json_extra(security=BY_EITHER),
        summary="Take a role from an account; the last admin stays",
        response_description="The account with its roles",
    )(calls.revoke)
    routes.get(
        "/audit",
        response_model=AuditPageShape,
        responses=account_refusals(401, 403, 404, 422, 503),
        openapi_extra=json_extra(security=BY_EITHER),
        summary="Changes, the newest first: of everything, of a race, of a season",
        response_description="A page of changes",
    )(calls.audited)
    return routes


class AdministrationCalls:
    """The handlers of what concerns the accounts of others."""

    def __init__(self, services: AccountServices, utc_ns: Callable[[], int]) -> None:
        self._services, self._utc_ns = services, utc_ns

    def _granting(self, request: Request, grant: Grant) -> Caller:
        """The caller, who may give or take this role. Raises Unauthorized, NotAllowed, UnknownRace."""
        caller, race = role_giver(request), None
        if grant.scope == "race" and grant.scope_id:
            race = self._services.audit.race(grant.scope_id)
            check_sees(caller, race, None)
        if not may_grant(caller, grant, race):
            raise NotAllowed(text("You may not give or take this role: it needs an admin, or the race's organiser."))
        return caller

    def accounts(
        self,
        request: Request,
        q: Annotated[str, Query(max_length=60, description="a part of alias or name")] = "",
        after: Annotated[str, Query(max_length=60, description="only after this alias")] = "",
    ) -> Response:
        check(CALLERS.caller(request), "accounts.manage")
        return json_response(
            _ACCOUNTS.dump_json([listed_shape(each) for each in self._services.administration.find(q, after)])
        )

    def rename(
        self, request: Request, alias: str, wanted: Annotated[AliasChange, json_body(AliasChange, renamer)]
    ) -> Response:
        caller = renamer(request)
        return shaped(
            account_shape(self._services.administration.rename(caller, alias, wanted.alias, wanted.why, self._utc_ns()))
        )

    def grant(
        self, request: Request, alias: str, wanted: Annotated[RoleWish, json_body(RoleWish, role_giver)]
    ) -> Response:
        caller = self._granting(request, wanted.grant())
        return shaped(listed_shape(self._services.administration.grant(caller, alias, wanted.grant(), self._utc_ns())))

    def revoke(
        self,
        request: Request,
        alias: str,
        role: Role,
        race: Annotated[str, Query(max_length=64)] = "",
        season: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        taken = grant_of(role, race, season)
        caller = self._granting(request, taken)
        return shaped(listed_shape(self._services.administration.revoke(caller, alias, taken, self._utc_ns())))

    def audited(
        self,
        request: Request,
        race: Annotated[str, Query(max_length=64)] = "",
        season: Annotated[str, Query(max_length=64)] = "",
        before: Annotated[str, Query(max_length=20, description="`next` of the page before")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        caller = CALLERS.caller(request)
        found = self._services.audit.race(race) if race else None
        if found is not None:
            check_sees(caller, found, None)
        check(caller, "audit.see", found, season)
        page = self._services.audit.page(race, season, seq_of(before), limit)
        rows = [audit_shape(row) for row in page.rows]
        return shaped(AuditPageShape(rows, None if page.next_seq is None else str(page.next_seq)))


def seq_of(cursor: str) -> int | None:
    """Where a page of the audit begins; None for the first. Raises BadInput."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdecimal()) or int(cursor) > _MAX_SEQ:
        raise BadInput(text("This is not the `next` of a page of the audit."))
    return int(cursor)
