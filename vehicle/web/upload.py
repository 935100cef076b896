"""A file that a phone sends: streamed into a fresh folder, never larger than a model may be, gone afterwards."""

import pathlib
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from shared.errors import BadInput

MOST_BYTES = 128 << 20
ENDINGS = (".tar.gz", ".tgz", ".tar", ".zip", ".gz", ".onnx", ".pb")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80


def safe_name(name: str) -> str:
    """The file's own name without anything that a path could be made of. Raises BadInput for a foreign ending."""
    base = re.split(r"[\\/]", name)[-1]
    ending = next((ending for ending in ENDINGS if base.lower().endswith(ending)), "")
    if not ending:
        raise BadInput(
            "A model is a DeepRacer archive (.tar.gz, .tar or .zip), or an .onnx or a .pb file with its metadata."
        )
    stem = _UNFIT.sub("-", base[: -len(ending)]).strip(".-")[:_LONGEST_NAME]
    return f"{stem or 'model'}{ending}"


@asynccontextmanager
async def receive(request: Request, name: str) -> AsyncIterator[pathlib.Path]:
    """The request's body as a file. Raises BadInput when it is too large or empty."""
    fit = safe_name(name)
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > MOST_BYTES:
        raise BadInput(_too_large())
    with tempfile.TemporaryDirectory(prefix="raceday-upload-") as folder:
        path = pathlib.Path(folder) / fit
        got = 0
        with path.open("xb") as file:
            async for part in request.stream():
                got += len(part)
                if got > MOST_BYTES:
                    raise BadInput(_too_large())
                file.write(part)
        if not got:
            raise BadInput("The file is empty.")
        yield path


def _too_large() -> str:
    return f"The file is larger than {MOST_BYTES >> 20} MB, which is not taken."
