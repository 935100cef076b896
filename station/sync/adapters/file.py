"""Driver `file`: puts each result into a folder as a file of its own, for whoever takes files.

    [sync]
    driver = "file"
    leaderboard_url = "file:///srv/results"

The file RESULT.REVISION.json holds the body of the contract, byte for byte, also of a run without a score. It appears
whole or not at all, and is on the disk before the result counts as posted, so a repeat finds it there.
"""

import hashlib
import pathlib
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from shared.errors import ConfigError
from shared.files import write_whole
from shared.protocol.results import (
    RESULT_VERSION,
    PostAccepted,
    PostDeferred,
    PostOutcome,
    PostRejected,
    Result,
    encode_result,
)
from shared.text import text
from station.sync.adapters.template_values import score_ms_of

_LONGEST_NAME = 240


class FileLeaderboard:
    """Driver `file` of `raceday.leaderboards`."""

    needs_secret: Literal[False] = False
    contract = RESULT_VERSION  # whatever a station makes is written

    def __init__(self, url: str, _secret: str, options: dict[str, Any]) -> None:
        """Raises ConfigError if `url` names no folder of this machine, or there are options."""
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise ConfigError(f"[sync] `leaderboard_url` is {url!r}; the driver `file` needs file:///FOLDER.")
        if options:
            raise ConfigError(f"[sync.options] the driver `file` has no options; there is {next(iter(options))!r}.")
        self._folder = pathlib.Path(unquote(parts.path))

    def post(self, result: Result) -> PostOutcome:
        """Writes the file; a repeat of the same result changes nothing."""
        body, path = encode_result(result), self._folder / _file_name(result)
        try:
            if path.exists():
                return self._settled(result, path.read_bytes() == body, path)
            self._write(path, body)
        except OSError as error:
            return PostDeferred(text("The file cannot be written ({why}).", why=error.strerror))
        return self._settled(result, True, path)

    def ask_contract(self, _race_id: str) -> int:
        """The version of the contract that files are written in: the newest."""
        return self.contract

    def close(self) -> None:
        """Does nothing, since nothing is open between two posts."""

    def _settled(self, result: Result, same: bool, path: pathlib.Path) -> PostOutcome:
        if not same:
            return PostRejected(text("{name} is there with another content.", name=path.name), 409)
        return PostAccepted(score_ms_of(result), None, 0)

    def _write(self, path: pathlib.Path, body: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, body, is_durable=True)


def _file_name(result: Result) -> str:
    """A name that no id can lead out of the folder with; ids are unique in it, however long they are."""
    safe = quote(result.webhook_id, safe="").replace("%", "=")
    return f"{safe}.json" if len(safe) <= _LONGEST_NAME and not safe.startswith(".") else f"id-{_digest(safe)}.json"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
