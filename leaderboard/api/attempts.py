"""Attempts: one's own and, for officials, all; disqualify, restore, and give attempts back."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.participation.entries import MAX_BYTES, somebody
from leaderboard.attempts.service import AttemptService
from leaderboard.core.race import ResultKind, Venue
from leaderboard.core.states import AttemptState
from leaderboard.scored_laps import LapShape, lap_shape, utc_text
from leaderboard.store.attempt_rows import AttemptRow
from shared.errors import BadInput
from shared.rules.ranking import RaceRules

_STRICT = ConfigDict(extra="forbid", strict=True)
_WORDS = {
    401: "Nobody is signed in, or the key is wrong",
    403: "The caller may not do this here",
    404: "No such race, racer or attempt, or none that the caller may know of",
}
_REFUSALS = refusals(401, 403, 404, 422, words=_WORDS)


@dataclass(frozen=True, slots=True)
class RulingReason:
    """Why an official decides so; the racer is shown it."""

    __pydantic_config__ = _STRICT

    why: str


@dataclass(frozen=True, slots=True)
class AttemptsToGiveBack:
    """How many more attempts of a racer count; `day`: of the race's zone (absent: today)."""

    __pydantic_config__ = _STRICT

    racer: str
    attempts: int
    why: str
    day: str = ""
    kind: Venue | None = None


@dataclass(frozen=True, slots=True)
class AttemptShape:
    """An attempt as it stands; `score_ms` null: its laps make no score. `reason` "": it is ranked."""

    attempt_id: str
    race_id: str
    racer: str
    name: str
    kind: ResultKind
    state: AttemptState
    reason: str
    score_ms: int | None
    finished_at: str
    revision: int
    car: str
    model: str
    laps: tuple[LapShape, ...]


@dataclass(frozen=True, slots=True)
class AttemptsShape:
    """Attempts, those that came last first; `next` for `after`: null if no more follow."""

    attempts: tuple[AttemptShape, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class AttemptsLeftShape:
    """How many attempts the racer has left in the race and on the present day; null: any number."""

    in_all: int | None
    today: int | None


_ATTEMPTS, _ATTEMPT, _LEFT = (TypeAdapter(kind) for kind in (AttemptsShape, AttemptShape, AttemptsLeftShape))


def router(attempts: AttemptService, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the attempts of one store."""
    routes, calls = DescribedRouter(prefix="/api/v1", tags=["attempts"]), AttemptCalls(attempts, callers, utc_ns)
    routes.get(
        "/races/{race_id}/attempts",
        response_model=AttemptsShape,
        responses=_REFUSALS,
        summary="One's own attempts in a race; to its officials those of all racers",
        response_description="Attempts as they stand",
    )(calls.listed)
    routes.post(
        "/races/{race_id}/attempts/give-back",
        response_model=AttemptsLeftShape,
        responses=_REFUSALS,
        openapi_extra=json_extra(AttemptsToGiveBack, BY_KEY),
        summary="Let more attempts of a racer count than the race's quotas say",
        response_description="What is left now",
    )(calls.give_back)
    rulings = (
        ("disqualify", "Disqualify an attempt: it is kept and counted, and not ranked", calls.disqualify),
        ("restore", "Take a disqualification back", calls.restore),
    )
    for path, summary, ruled in rulings:
        routes.post(
            f"/attempts/{{attempt_id:path}}/{path}",
            response_model=AttemptShape,
            responses=_REFUSALS,
            openapi_extra=json_extra(RulingReason, BY_KEY),
            summary=summary,
            response_description="The attempt as it stands now",
            operation_id=f"{path}_attempt",
        )(ruled)
    return routes


class AttemptCalls:
    """The handlers."""

    def __init__(self, attempts: AttemptService, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._attempts, self._callers, self._utc_ns = attempts, callers, utc_ns

    def listed(
        self,
        request: Request,
        race_id: str,
        after: Annotated[str, Query(max_length=100, description="`next` of the page before")] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        state: Annotated[AttemptState | None, Query(description="only those in this state")] = None,
        racer: Annotated[str, Query(max_length=200, description="only those of this racer")] = "",
    ) -> Response:
        caller, before = somebody(self._callers, request), _number(after)
        found = self._attempts.attempts(caller, race_id, state=state, racer=racer, before=before, limit=limit)
        shapes = tuple(_shape(each, found.race.rules) for each in found.attempts)
        following = _cursor(found.attempts[-1].number) if found.more else None
        return json_response(_ATTEMPTS.dump_json(AttemptsShape(shapes, following)))

    async def give_back(self, request: Request, race_id: str) -> Response:
        caller = somebody(self._callers, request)
        await run_in_threadpool(self._attempts.check_may_rule, caller, race_id)
        wanted: AttemptsToGiveBack = schemas.parse(await read_body(request, MAX_BYTES), AttemptsToGiveBack)
        left = await run_in_threadpool(
            lambda: self._attempts.give_back(
                caller,
                race_id,
                wanted.racer,
                wanted.attempts,
                wanted.why,
                self._utc_ns(),
                day=wanted.day,
                table=wanted.kind,
            )
        )
        return json_response(_LEFT.dump_json(AttemptsLeftShape(left.in_all, left.on_the_day)))

    async def disqualify(self, request: Request, attempt_id: str) -> Response:
        return await self._ruled(request, attempt_id, self._attempts.disqualify)

    async def restore(self, request: Request, attempt_id: str) -> Response:
        return await self._ruled(request, attempt_id, self._attempts.restore)

    async def _ruled(self, request: Request, attempt_id: str, rule: Callable[..., AttemptRow]) -> Response:
        caller = somebody(self._callers, request)
        await run_in_threadpool(self._attempts.check_may_rule_on, caller, attempt_id)
        wanted: RulingReason = schemas.parse(await read_body(request, MAX_BYTES), RulingReason)
        row = await run_in_threadpool(rule, caller, attempt_id, wanted.why, self._utc_ns())
        race = await run_in_threadpool(self._attempts.race, caller, row.race_id)
        return json_response(_ATTEMPT.dump_json(_shape(row, race.rules)))


def _shape(row: AttemptRow, rules: RaceRules) -> AttemptShape:
    return AttemptShape(
        attempt_id=row.result.result_id,
        race_id=row.race_id,
        racer=row.racer,
        name=row.name,
        kind=row.kind,
        state=row.state,
        reason=row.reason,
        score_ms=row.score_ms,
        finished_at=utc_text(row.finished_utc_ns),
        revision=row.result.revision,
        car=row.result.car,
        model=row.result.model,
        laps=tuple(lap_shape(lap, rules) for lap in row.result.laps),
    )


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode()


def _number(cursor: str) -> int | None:
    """The number that the cursor stands for; None for "". Raises BadInput."""
    if not cursor:
        return None
    try:
        number = base64.b64decode(cursor.encode("ascii", "strict"), b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        number = ""
    if not (number.isdecimal() and len(number) < 19):
        raise BadInput("`after` is not one that this leaderboard gave: begin without it.")
    return int(number)
