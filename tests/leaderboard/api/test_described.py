"""Shapes of answers are named in the OpenAPI document, and written once."""

from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI, Response

from leaderboard.api.described import DescribedRouter, refusals, shape_definitions


@dataclass(frozen=True, slots=True)
class WheelShape:
    inches: float


@dataclass(frozen=True, slots=True)
class CarShape:
    """A car."""

    wheels: list[WheelShape]


def call() -> Response:
    return Response(b"{}", media_type="application/json")


def document() -> dict[str, Any]:
    routes = DescribedRouter()
    routes.get("/car", response_model=CarShape, responses=refusals(404, words={404: "No such car"}))(call)
    routes.get("/cars", response_model=list[CarShape], response_description="All of them")(call)
    routes.post("/car", status_code=201, responses={200: {"model": CarShape, "description": "Was there"}})(call)
    app = FastAPI()
    app.include_router(routes)
    return app.openapi()


def test_an_answer_names_its_shape_and_keeps_its_description() -> None:
    paths = document()["paths"]
    named = {"$ref": "#/components/schemas/CarShape"}
    one = paths["/car"]["get"]["responses"]
    assert one["200"]["content"]["application/json"]["schema"] == named
    assert one["404"]["description"] == "No such car"
    assert one["404"]["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/ErrorShape"}
    many = paths["/cars"]["get"]["responses"]["200"]
    assert many == {
        "description": "All of them",
        "content": {"application/json": {"schema": {"type": "array", "items": named}}},
    }
    assert paths["/car"]["post"]["responses"]["200"]["content"]["application/json"]["schema"] == named
    assert paths["/car"]["post"]["responses"]["200"]["description"] == "Was there"


def test_what_is_named_is_defined_with_all_that_it_consists_of() -> None:
    found = shape_definitions(document())
    assert found["CarShape"]["properties"]["wheels"]["items"] == {"$ref": "#/components/schemas/WheelShape"}
    assert set(found) == {"CarShape", "WheelShape", "ErrorShape"}


def test_two_shapes_of_one_name_are_refused() -> None:
    document()

    @dataclass(frozen=True, slots=True)
    class CarShape:
        doors: int

    with pytest.raises(ValueError, match="two shapes of answers are called CarShape"):
        DescribedRouter().get("/other", response_model=CarShape)(call)
