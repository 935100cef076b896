"""How the OpenAPI document describes refusals: one shape for all, named and not built for each call.

FastAPI builds a validator for each `model` of each answer of each call. A call has half a dozen refusals: a thousand
validators of one shape took longer to build than all the rest of the application.
"""

from typing import Any

PROBLEM = "application/problem+json"
SHAPE = "ErrorShape"


def refusal(description: str) -> dict[str, Any]:
    """A refusal, for the `responses` of a route; app.py adds the shape to the document."""
    return {"description": description, "content": {PROBLEM: {"schema": {"$ref": f"#/components/schemas/{SHAPE}"}}}}
