"""Routers whose answers are described in the OpenAPI document, and not built a second time by FastAPI.

Our calls answer with a `Response` that they encoded themselves. FastAPI would still build a validator for the shape of
each answer of each call, twice, at every start: half of the time that an application took to build. Here a shape is
only named (`$ref`); `shape_definitions` writes those that were named, when the document is asked for.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_origin

from fastapi import APIRouter
from fastapi.datastructures import DefaultPlaceholder
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from leaderboard.api.schemas import ErrorShape

PROBLEM = "application/problem+json"
# What a refusal means where a call has no words of its own for it.
_USUAL: Mapping[int, str] = {
    400: "The request cannot be read",
    401: "Nobody is signed in, or the key is not valid",
    403: "This needs another role",
    404: "Nothing of this id, or none that the caller may know of",
    408: "The body did not arrive in time",
    409: "Something else has this id, or somebody changed it meanwhile",
    410: "It was here, and is gone",
    413: "The body is too large",
    422: "Not acceptable; the sentence says why",
}
_REF = "#/components/schemas/{model}"
_named: dict[str, type[Any]] = {}
_lock = threading.Lock()

Answers = Mapping[int | str, Mapping[str, Any]]


class DescribedRouter(APIRouter):
    """An APIRouter of calls that return a `Response`: `response_model` and `model` only describe it."""

    def add_api_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        response_model: Any = None,
        responses: Answers | None = None,
        status_code: int | None = None,
        **options: Any,
    ) -> None:
        """As FastAPI's. A shape is a class, or a list of one."""
        described = {status: _described(answer) for status, answer in (responses or {}).items()}
        if response_model is not None and not isinstance(response_model, DefaultPlaceholder):
            described[status_code or 200] = {"content": {"application/json": {"schema": _named_schema(response_model)}}}
        super().add_api_route(
            path, endpoint, response_model=None, responses=described, status_code=status_code, **options
        )


def refusals(*statuses: int, words: Mapping[int, str] | None = None) -> dict[int | str, dict[str, Any]]:
    """These refusals (RFC 9457), for the `responses` of a route; `words`: what they mean there, if not the usual."""
    known = {**_USUAL, **(words or {})}
    return {status: _refusal(known[status]) for status in statuses}


def _refusal(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM: {"schema": _named_schema(ErrorShape)}}}


def shape_definitions(document: Any) -> dict[str, Any]:
    """The JSON schemas of the shapes that a document refers to, and of what they consist of, by name."""
    wanted = set(_referred(document))
    with _lock:
        shapes = [_named[name] for name in sorted(wanted & _named.keys())]
    inputs: list[Any] = [(shape, "serialization", TypeAdapter(shape).core_schema) for shape in shapes]
    _, definitions = GenerateJsonSchema(ref_template=_REF).generate_definitions(inputs)
    return {str(name): schema for name, schema in definitions.items()}


def _referred(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.removeprefix(_REF.format(model=""))
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _referred(each)


def _described(answer: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(answer)
    if (shape := shown.pop("model", None)) is not None:
        shown["content"] = {"application/json": {"schema": _named_schema(shape)}}
    return shown


def _named_schema(shape: Any) -> dict[str, Any]:
    if get_origin(shape) is list:
        [each] = get_args(shape)
        return {"type": "array", "items": _named_schema(each)}
    name = shape.__name__
    with _lock:
        if _named.setdefault(name, shape) is not shape:
            raise ValueError(f"two shapes of answers are called {name}")
    return {"$ref": _REF.format(model=name)}
