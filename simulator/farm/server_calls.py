"""The calls of a farm to its leaderboard. Called by node.py and live_runner.py."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO

from shared.errors import OperatorError, Refused, RetryLater
from shared.protocol.farm import FARM_PATH, ClaimAnswer, ClaimRequest, decode, encode
from shared.protocol.live import LiveMessage, encode_live
from shared.protocol.videos import VideoWork, decode_work
from shared.text import text
from shared.web.keyed_calls import AGAIN, KeyedCalls, ServerAnswer

_MAX_MODEL_BYTES = 1 << 30
_MAX_ANSWER_BYTES = 1 << 16
_OVER = frozenset({404, 410})
REPORTS = 8  # so often a report is tried to be brought
LONGEST_WAIT_S = 30.0


def back_off_s(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return min(LONGEST_WAIT_S, 2.0 ** (failures - 1))


@dataclass(frozen=True, slots=True)
class WantedOnTrack:
    """What is wanted on the track of a LIVE race: which launch of which turn, "" for none, and the multipliers."""

    turn: str
    launch: int
    speed_percent: int
    rival_speed_percent: int = 100


class FarmServer:
    """The leaderboard at an address, as a farm's key sees it; models are kept in `cache` by their hash."""

    def __init__(self, server: str, key: str, cache: Path) -> None:
        """Raises BadInput for what is no address."""
        self._calls, self._cache = KeyedCalls(server, key), cache

    def claim(self, asked: ClaimRequest) -> ClaimAnswer:
        """What to drive next. Raises OperatorError with the leaderboard's sentence, RetryLater."""
        return decode(self.call("POST", "/claims", encode(asked)), ClaimAnswer)

    def video(self) -> VideoWork | None:
        """The next video to make, if one waits. Raises OperatorError with the leaderboard's sentence, RetryLater."""
        answer = self.call("POST", "/videos/claims", b"{}")
        return decode_work(answer) if answer else None

    def model(self, sha256: str) -> Path:
        """The file of a model. Raises Refused if it is not this farm's to drive any more, RetryLater."""
        path = self._cache / sha256
        if not path.exists():
            answer = self._answer("GET", f"/blobs/{sha256}", None, {})
            content = answer.body
            # Once the archive was prepared, a part of it is kept, which has a hash of its own.
            if hashlib.sha256(content).hexdigest() != answer.headers.get("etag", sha256).strip('"'):
                raise RetryLater(text("The model {sha256} arrived damaged.", sha256=sha256[:12]))
            part = path.with_suffix(f".{threading.get_ident()}.part")  # two runs of one model may fetch it at once
            part.write_bytes(content)
            part.replace(path)
        return path

    def keep(self, sha256: str, kept: Path) -> None:
        """Bring what is to be kept of a model. Raises as `call`."""
        with kept.open("rb") as file:
            kept_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            headers = {"content-type": "application/octet-stream", "content-length": str(kept.stat().st_size)}
            self._answer("PUT", f"/blobs/{sha256}/kept/{kept_sha256}", file, headers)

    def send_live(self, message: LiveMessage) -> WantedOnTrack | None:
        """Tell what happens on the track of a LIVE race; what is wanted there. None if this message was one too many.

        Raises OperatorError with the leaderboard's sentence, RetryLater.
        """
        path = f"/api/v1/races/{message.race_id}/live"
        sent = {"content-type": "application/json"}
        answer = self._calls.send("POST", path, encode_live(message), _MAX_ANSWER_BYTES, sent)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return None
        if answer.status in AGAIN:
            raise RetryLater(answer.sentence)
        document = answer.document
        if answer.status >= 300 or document is None:
            raise OperatorError(answer.sentence)
        percents = (_percent(document.get(name)) for name in ("multiplier", "rival_multiplier"))
        return WantedOnTrack(str(document.get("turn", "")), int(document.get("launch", 0)), *percents)

    def bring(
        self,
        path: str,
        body: bytes,
        traces: Mapping[str, bytes],
        about: str,
        say: Callable[[str], None],
        pause: Callable[[float], None],
    ) -> bool:
        """Bring a report behind its traces, by their hashes; again while the leaderboard is away.

        False: it is not wanted any more, or did not arrive; `say` is told why. `about`: whose report it is.
        """
        for failures in range(1, REPORTS + 1):
            try:
                for digest, trace in traces.items():
                    self.call("PUT", f"/traces/{digest}", trace)
                self.call("POST", path, body)
            except RetryLater as error:
                say(str(error))
                pause(back_off_s(failures))
            except (Refused, OperatorError) as error:
                say(f"{about}: {error}")
                return False
            else:
                return True
        return False

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of an answer. Raises RetryLater, Refused for a claim that is over, else OperatorError."""
        kind = "application/octet-stream" if method == "PUT" else "application/json"
        return self._answer(method, path, body, {"content-type": kind}).body

    def _answer(self, method: str, path: str, body: bytes | BinaryIO | None, headers: dict[str, str]) -> ServerAnswer:
        answer = self._calls.send(method, f"{FARM_PATH}{path}", body, _MAX_MODEL_BYTES, headers)
        if answer.status < 300:
            return answer
        if answer.status in AGAIN:
            raise RetryLater(answer.sentence)
        if answer.status in _OVER:
            raise Refused(answer.sentence)
        raise OperatorError(answer.sentence)


def _percent(multiplier: Any) -> int:
    """None: none is set, as of the rival where one drives alone."""
    return 100 if multiplier is None else round(float(multiplier) * 100)
