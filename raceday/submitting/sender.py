"""Sends a model in chunks, and goes on where it was after every break. Called by submit.py."""

from collections.abc import Callable
from typing import Any

from raceday.submitting.api import ApiAnswer, LeaderboardApi
from raceday.submitting.packing import ModelArchive
from shared.errors import OperatorError, RetryLater
from shared.text import text

CHUNK_BYTES = 4 * 1024 * 1024
_MIN_CHUNK_BYTES = 64 * 1024
_TRIES = 10  # without a byte of progress
_LONGEST_WAIT_S = 30.0

Progress = Callable[[int, int], None]  # bytes that are there, of all
Wait = Callable[[float], None]
Say = Callable[[str], None]


class ModelSending:
    """One model on its way to a leaderboard. `progress` is told how far it is, `say` why it `wait`s."""

    def __init__(self, api: LeaderboardApi, archive: ModelArchive, wait: Wait, progress: Progress, say: Say) -> None:
        self._api, self._archive, self._wait, self._progress, self._say = api, archive, wait, progress, say
        self._chunk_bytes = CHUNK_BYTES
        self._path, self._offset = "", 0

    def begin(self, name: str) -> bool:
        """Announce the model; whether bytes of it are still to be sent. Raises OperatorError, RetryLater."""
        wanted = {"sha256": self._archive.sha256, "size_bytes": self._archive.size_bytes, "name": name}
        answer = self._again(lambda: self._api.call("POST", "/models", wanted))
        if answer.status == 409:
            raise OperatorError(str(answer.document.get("error")))
        if answer.document["model"] is not None:
            return False
        self._path, self._offset = f"/uploads/{answer.document['upload_id']}", answer.document["offset_bytes"]
        return True

    def send(self) -> None:
        """Send what is missing. Raises OperatorError, RetryLater if nothing goes through any more."""
        failures = 0
        self._progress(self._offset, self._archive.size_bytes)
        while True:
            before = self._offset
            try:
                answer = self._chunk()
            except RetryLater as error:
                failures += 1
                self._chunk_bytes = max(_MIN_CHUNK_BYTES, self._chunk_bytes // 2)  # a slow line has less at once
                self._failed(failures, error)
                continue
            if answer.document.get("model") is not None:
                self._progress(self._archive.size_bytes, self._archive.size_bytes)
                return
            failures = 0 if self._offset > before else failures + 1
            if failures >= _TRIES or (answer.status == 409 and self._offset == 0 and before):
                raise OperatorError(str(answer.document.get("error", text("The upload makes no progress."))))
            self._progress(self._offset, self._archive.size_bytes)

    def _chunk(self) -> ApiAnswer:
        """Send the next chunk; where it goes on is known then, also after a break in the middle of it."""
        self._archive.file.seek(self._offset)
        piece = self._archive.file.read(self._chunk_bytes)
        try:
            answer = self._api.call("PATCH", self._path, body=piece, headers={"upload-offset": str(self._offset)})
        except RetryLater:
            self._offset = self._known_offset()
            raise
        self._offset = _offset(answer)
        return answer

    def _known_offset(self) -> int:
        try:
            return _offset(self._api.call("GET", self._path))
        except RetryLater:
            return self._offset

    def _failed(self, failures: int, error: RetryLater) -> None:
        if failures >= _TRIES:
            sentence = text("{error} What was sent is kept: the same command goes on with it.", error=str(error))
            raise RetryLater(sentence)
        seconds = error.after_s or min(_LONGEST_WAIT_S, 2.0 ** (failures - 1))
        self._say(text("{error} Once more in {seconds:.0f} s.", error=str(error), seconds=seconds))
        self._wait(seconds)

    def _again(self, call: Callable[[], ApiAnswer]) -> ApiAnswer:
        for failures in range(1, _TRIES + 1):
            try:
                return call()
            except RetryLater as error:
                self._failed(failures, error)
        raise AssertionError("the last failure raises")

    def submit(self, race_id: str, checkpoint: str, request_id: str) -> dict[str, Any]:
        """Submit the model to the race; the submission. One that waits for this very file is gone on with.

        Raises OperatorError, RetryLater.
        """
        path = f"/races/{race_id}/submissions"
        own = self._again(lambda: self._api.call("GET", path)).document["submissions"]
        for each in own:
            if each["state"] == "uploading" and each["model_sha256"] == self._archive.sha256:
                waiting: dict[str, Any] = each
                return waiting
        wanted = {"model_sha256": self._archive.sha256, "checkpoint": checkpoint}
        headers = {"idempotency-key": request_id}
        return self._again(lambda: self._api.call("POST", path, wanted, headers=headers)).document


def _offset(answer: ApiAnswer) -> int:
    offset = answer.number("upload-offset")
    if offset is None:
        raise OperatorError(text("What answers there is no leaderboard."))
    return offset
