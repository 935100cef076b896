"""The JSON bodies of calls, as FastAPI dependencies: read only after the caller was checked.

    routes.post("/api/v1/keys", openapi_extra=json_extra(NewKey), ...)
    def create(request: Request, wanted: Annotated[NewKey, json_body(NewKey, account)]) -> Response: ...

`account` is called with the request before its body is read, and raises for a caller who may not do this.
"""

import functools
from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request, Response
from pydantic import TypeAdapter

from leaderboard.api import schemas
from leaderboard.api.described import refusals
from leaderboard.api.http import json_response, read_body

MAX_JSON_BYTES = 16_384
BY_KEY: list[dict[str, list[str]]] = [{"admin": []}]
BY_SESSION: list[dict[str, list[str]]] = [{"session": []}]
BY_EITHER = [*BY_SESSION, *BY_KEY]
# What accounts, keys and signing in refuse, in their words.
account_refusals = functools.partial(
    refusals,
    words={
        401: "Nobody is signed in, or what was shown is not valid (any more)",
        403: "Not allowed to this caller; the sentence says why",
        404: "There is no such thing, or none that the caller may know of",
        409: "Something else has this name, or it was changed meanwhile",
        429: "Too many tries: again after Retry-After seconds",
        503: "Busy or without its disk: the same again after Retry-After seconds",
    },
)


def json_body(kind: type[Any], first: Callable[[Request], object], max_bytes: int = MAX_JSON_BYTES) -> Any:
    """The body as a checked `kind`; `first(request)` refuses callers before it is read."""

    async def read(request: Request) -> Any:
        first(request)
        return schemas.parse(await read_body(request, max_bytes), kind)

    return Depends(read)


def json_extra(
    kind: type[Any] | None = None, security: list[dict[str, list[str]]] | None = None, *, required: bool = True
) -> dict[str, Any]:
    """What OpenAPI says of a call: its body, whether it must have one, and who may call it (None: anybody)."""
    extra: dict[str, Any] = {} if security is None else {"security": security}
    if kind is not None:
        schema = _schema_of(kind)  # type: ignore[arg-type]  # a class is hashable
        extra["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    return extra


@functools.cache
def _schema_of(kind: Any) -> dict[str, Any]:
    return _inlined(TypeAdapter(kind).json_schema(ref_template="#/components/schemas/{model}"))


def shaped(shape: Any, status: int = 200) -> Response:
    """A JSON response of a dataclass of schemas."""
    return json_response(TypeAdapter(type(shape)).dump_json(shape), status)


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its definitions where they are referred to: a body stands by itself."""
    definitions = schema.pop("$defs", {})

    def put(node: Any) -> Any:
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            return put(definitions[name]) if name in definitions else {key: put(each) for key, each in node.items()}
        return [put(each) for each in node] if isinstance(node, list) else node

    inlined: dict[str, Any] = put(schema)
    return inlined
