"""Static files of a machine's pages: its own, and the look that all machines share (shared/web/look)."""

import hashlib
import pathlib

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from shared.web.language import script_answer

LOOK = pathlib.Path(__file__).parent / "look"


class Assets(StaticFiles):
    """Static files; an address with a version in it may be cached without limit."""

    def __init__(self, own: pathlib.Path) -> None:
        super().__init__(directory=own, packages=[("shared.web", LOOK.name)])

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = script_answer(path) or await super().get_response(path, scope)
        if b"v=" in scope.get("query_string", b"") and response.status_code == 200:
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def addresses(own: pathlib.Path) -> dict[str, str]:
    """File names to addresses; the digest in the address lets a browser cache the file without limit."""
    return {
        file.name: f"/static/{file.name}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
        for file in sorted([*LOOK.iterdir(), *own.iterdir()])
        if file.is_file()
    }
