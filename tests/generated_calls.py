"""Calls an app with generated documents, by Schemathesis: every operation of an OpenAPI document, as every caller.

No answer may be a 5xx, nor of a status, a type or a body that the document does not declare. An app that serves no
document, or not all of its addresses, gets one made of its routes (`document_of`). Used by the tests of all three
machines and by `./dev bench schemathesis`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

DOCUMENT = "/document-of-the-test.json"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# What an address that declares no answers may answer: refusals in a sentence, and nothing else.
_GET = (200, 204, 303, 400, 401, 403, 404, 409, 422, 429)
_WRITE = (*_GET, 413, 415)
schemathesis.serializer.alias("video/mp4", "application/octet-stream")


@dataclass
class GeneratedCalls:
    """How many requests were made, of how many operations."""

    operations: int = 0
    requests: int = 0


@dataclass(frozen=True)
class GeneratedCaller:
    """Who calls: the headers, and what stands in the forms of that browser's pages (`form`: field to value)."""

    headers: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CallWorld:
    """An app, who calls it, and things that are there, by the part of an address that names them."""

    app: ASGIApp
    callers: Sequence[GeneratedCaller]
    there: Mapping[str, Sequence[str]] = field(default_factory=dict)
    document: str = DOCUMENT
    drawn: Mapping[str, st.SearchStrategy[Any]] = field(default_factory=dict)  # by method and address: what is sent


@dataclass(frozen=True)
class SentBody:
    """What is sent to an address: its type and JSON schema."""

    schema: Mapping[str, Any]
    media_type: str = "application/json"


def document_of(app: FastAPI, bodies: Mapping[str, SentBody], without: Sequence[str] = ()) -> dict[str, Any]:
    """An OpenAPI document of all routes. `bodies`: by method and address, what is sent there.

    `without`: addresses that are left out, as their answers have no end, or as they end the callers' sessions.
    """
    routes = [route for route in _routes(app.routes) if route.path not in without]
    for route in routes:
        route.include_in_schema = True
    document = get_openapi(title="All calls", version="1", routes=routes)
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            writes = method != "get"
            declared = {str(status): {"description": ""} for status in (_WRITE if writes else _GET)}
            call["responses"] = declared | {status: {"description": ""} for status in call["responses"]}
            if (sent := bodies.get(f"{method.upper()} {path}")) is not None:
                call["requestBody"] = {"required": True, "content": {sent.media_type: {"schema": sent.schema}}}
    return document


def drawn_of(schemas: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[Any]:
    """Documents of any of these JSON schemas; Schemathesis itself gives up on a choice of so many."""
    return st.one_of([_drawn(schema) for schema in schemas])


def _drawn(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    sent = {"required": True, "content": {"application/json": {"schema": schema}}}
    call = {"requestBody": sent, "responses": {"200": {"description": ""}}}
    info = {"title": "One call", "version": "1"}
    document = {"openapi": "3.1.0", "info": info, "paths": {"/one": {"post": call}}}
    found = next(iter(schemathesis.openapi.from_dict(document).get_all_operations()))
    assert isinstance(found, Ok), found
    bodies: st.SearchStrategy[Any] = found.ok().as_strategy().map(lambda case: case.body)
    return bodies


def _routes(routes: Any) -> Iterator[Any]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _routes(included.routes)
        elif getattr(route, "methods", None) and hasattr(route, "include_in_schema") and hasattr(route, "dependant"):
            yield route


class Documented:
    """The app, with its document at an address of its own, and reached by an address that its guards let through."""

    def __init__(self, app: ASGIApp, document: dict[str, Any]) -> None:
        self._app, self._document = app, JSONResponse(document)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == DOCUMENT:
            await self._document(scope, receive, send)
            return
        if scope["type"] == "http":
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "headers": [*others, (b"host", b"127.0.0.1")]}
        await self._app(scope, receive, send)


def try_every_call(world: CallWorld, examples: int, number: int | None = None) -> GeneratedCalls:
    """Make every call so often as each caller. Raises what Schemathesis found.

    `number` None: the same documents each time; else others for each number.
    """
    schema = schemathesis.openapi.from_asgi(world.document, world.app)
    made = GeneratedCalls()
    for each in schema.get_all_operations():
        assert isinstance(each, Ok), each
        made.operations += 1
        _try(each.ok(), world, made, examples, number)
    return made


def _try(operation: Any, world: CallWorld, made: GeneratedCalls, examples: int, number: int | None) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=number is None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), data=st.data())
    def calls(case: Any, data: st.DataObject) -> None:
        if (drawn := world.drawn.get(f"{operation.method.upper()} {operation.path}")) is not None:
            case.body = data.draw(drawn)
        for name in case.path_parameters or {}:
            if name in world.there and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(world.there[name]))
        for caller in world.callers:
            made.requests += 1
            if isinstance(case.body, dict):
                case.body.update({name: value for name, value in caller.form.items() if name in case.body})
            response = case.call(headers=dict(caller.headers))
            case.validate_response(response, checks=CHECKS)

    (calls if number is None else seed(number)(calls))()
