"""A vendor's endpoint written from docs/vendor.md alone, in memory, with faults that can be switched on.

It uses the `standardwebhooks` library for signatures and shares no code with the reference leaderboard.
"""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

FAULTS = {
    "forgets ids": "repeat",
    "answers repeats anew": "repeat",
    "applies at once twice": "equal-posts-at-once",
    "takes another body": "same-id-other-body",
    "keeps the first revision": "correction",
    "takes the last to arrive": "late-revision",
    "ignores withdrawals": "withdrawal",
    "counts the last run": "best-counts",
    "breaks ties by arrival": "tie",
    "checks no signature": "forged",
    "reads one signature": "rotated-signatures",
    "checks no time": "stale",
    "takes no skew": "skewed-clock",
    "limit of 16 kB": "largest-body",
    "no limit": "too-large-body",
    "refuses unknown fields": "unknown-fields",
    "ignores the version": "newer-version",
    "creates races": "unknown-race",
    "believes scores": "wrong-score",
    "ranks short runs": "too-few-laps",
    "breaks on nonsense": "nonsense",
    "does not name itself": "manners",
    "lets results be deleted": "other-methods",
}


class Board:
    """Results of one race: best average of three laps in a row, all laps of a post being in a row."""

    def __init__(self, race_id: str, faults: frozenset[str]) -> None:
        self.race_id, self.faults = race_id, faults
        self.lock = threading.Lock()
        self.receipts: dict[str, tuple[bytes, bytes]] = {}
        self.results: dict[str, dict[str, Any]] = {}
        self.arrivals: dict[str, int] = {}

    def apply(self, webhook_id: str, body: bytes) -> tuple[int, bytes]:
        guard = contextlib.nullcontext() if "applies at once twice" in self.faults else self.lock
        with guard:
            return self._apply(webhook_id, body)

    def _apply(self, webhook_id: str, body: bytes) -> tuple[int, bytes]:
        known = self.receipts.get(webhook_id)
        if known is not None and "forgets ids" not in self.faults:
            if known[0] != body and "takes another body" not in self.faults:
                return 409, _error("This id was used with another body.")
            if "answers repeats anew" not in self.faults:
                return 200, known[1]
        result = self._checked(webhook_id, body)
        if isinstance(result, tuple):
            return result
        if "applies at once twice" in self.faults:
            threading.Event().wait(0.02)  # what a database takes between its query and its insert
        best = self._store(result)
        answer = json.dumps(best).encode()
        self.receipts[webhook_id] = (body, answer)
        return 201, answer

    def _checked(self, webhook_id: str, body: bytes) -> dict[str, Any] | tuple[int, bytes]:
        try:
            result = json.loads(body)
            laps = [int(lap["lap_ns"]) for lap in result["laps"]]
            racer = str(result["racer"])
            fine = isinstance(result["score_ms"], int) and 0 < result["finished_utc_ns"] < 2**63
        except (ValueError, TypeError, KeyError, RecursionError):
            if "breaks on nonsense" in self.faults:
                raise
            return 422, _error("The body is not a result of the contract.")
        if (
            not fine
            or not racer.isprintable()
            or not racer
            or webhook_id != f"{result['result_id']}.{result['revision']}"
        ):
            return 422, _error("The result has a field that cannot be.")
        if result["v"] > 2 and "ignores the version" not in self.faults:
            return 422, _error("The result is of a newer version.")
        if set(result) - _FIELDS and "refuses unknown fields" in self.faults:
            return 422, _error("The result has unknown fields.")
        if result["race_id"] != self.race_id and "creates races" not in self.faults:
            return 404, _error(f"There is no race {result['race_id']!r}.")
        return self._scored(result, laps)

    def _scored(self, result: dict[str, Any], laps: list[int]) -> dict[str, Any] | tuple[int, bytes]:
        if result["revision"] > 1 and result["score_ms"] == 0 and "ignores withdrawals" not in self.faults:
            return result | {"own_ms": None}
        if len(laps) < 3 and "ranks short runs" not in self.faults:
            return 422, _error("The run has fewer than three laps.")
        own = sum(laps) // max(1, len(laps)) // 1_000_000
        if own != result["score_ms"] and "believes scores" not in self.faults and result["score_ms"]:
            return 422, _error("The score is not that of the laps.")
        return result | {"own_ms": result["score_ms"] or own}

    def _store(self, result: dict[str, Any]) -> dict[str, Any]:
        known = self.results.get(result["result_id"])
        newer = known is None or known["revision"] < result["revision"]
        if "keeps the first revision" in self.faults:
            newer = known is None
        if newer or "takes the last to arrive" in self.faults:
            self.results[result["result_id"]] = result
        self.arrivals.setdefault(result["result_id"], len(self.arrivals))
        rows = self.standing()
        rank = next((number for number, row in enumerate(rows, 1) if row["racer"] == result["racer"]), None)
        best = rank is not None and rows[rank - 1]["result_id"] == result["result_id"]
        return {"best": best, "racers": len(rows), "rank": rank, "score_ms": result["own_ms"]}

    def standing(self) -> list[dict[str, Any]]:
        def key(result: dict[str, Any]) -> tuple[int, int]:
            if "breaks ties by arrival" in self.faults:
                return result["own_ms"], self.arrivals[result["result_id"]]
            return result["own_ms"], result["finished_utc_ns"]

        best: dict[str, dict[str, Any]] = {}
        counting = [each for each in self.results.values() if each["own_ms"] is not None]
        for result in counting if "counts the last run" in self.faults else sorted(counting, key=key, reverse=True):
            best[result["racer"]] = result
        return sorted(best.values(), key=key)


_FIELDS = {
    "result_id", "revision", "race_id", "racer", "run_id", "car", "model", "model_sha256", "laps", "score_ms",
    "finished_utc_ns", "evidence", "kind", "v", "discarded", "qualified",
}  # fmt: skip


def _error(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()


class _Handler(BaseHTTPRequestHandler):
    """The endpoint's requests; a subclass of each vendor holds its board, secret and faults."""

    protocol_version = "HTTP/1.1"
    board: Board
    secret: str

    def log_message(self, *_arguments: object) -> None:
        """Keeps the test's output clean."""

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(size)
        if size > self._limit():
            return self._answer(413, _error("The body is larger than a result may be."))
        if not self._signed(body):
            return self._answer(401, _error("The signature is not right."))
        try:
            status, answer = self.board.apply(self.headers["webhook-id"], body)
        except (ValueError, TypeError, KeyError, RecursionError):
            status, answer = 500, b"<html>oops</html>"
        return self._answer(status, answer)

    def _limit(self) -> int:
        return 16_000 if self._has("limit of 16 kB") else 10**9 if self._has("no limit") else 19_000

    def _has(self, fault: str) -> bool:
        return fault in self.board.faults

    def _signed(self, body: bytes) -> bool:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self._has("checks no signature") and "webhook-signature" in headers:
            return True
        if self._has("reads one signature"):
            headers["webhook-signature"] = headers.get("webhook-signature", "").split(" ")[0]
        webhook = Webhook(self.secret)
        if self._has("checks no time"):
            webhook._Webhook__verify_timestamp = _moment
        try:
            webhook.verify(body, headers)
        except WebhookVerificationError:
            return False
        except (ValueError, RecursionError):
            return True  # the library parses the body after the signature has proved right
        return not self._has("takes no skew") or abs(int(headers["webhook-timestamp"]) - time.time()) < 30

    def do_GET(self) -> None:
        if self.path == f"/api/v1/races/{self.board.race_id}/standings":
            rows = [
                {"rank": number, "racer": each["racer"], "score_ms": each["own_ms"]}
                for number, each in enumerate(self.board.standing(), 1)
            ]
            return self._answer(200, json.dumps({"standings": rows}).encode())
        return self._answer(405 if self.path == "/api/v1/results" else 404, _error("There is no such page here."))

    def do_PUT(self) -> None:
        self._answer(404, _error("There is no such page here."))

    def do_DELETE(self) -> None:
        self._answer(204 if self._has("lets results be deleted") else 405, _error("Results are only posted."))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        if not self._has("does not name itself"):
            self.send_header("raceday-contract", "results/1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # a sender that stalled is gone by now
            self.wfile.write(body)


@contextlib.contextmanager
def vendor(secret: str, race_id: str, *faults: str) -> Iterator[str]:
    """The address of a vendor with these faults, on loopback."""
    board = Board(race_id, frozenset(faults))
    handler = type("Handler", (_Handler,), {"board": board, "secret": secret})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _moment(at: str) -> datetime:
    return datetime.fromtimestamp(float(at), tz=UTC)
