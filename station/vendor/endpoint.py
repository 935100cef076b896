"""The endpoint under check: signs and sends posts as stations do, and as none would. Used by the probes."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, quote

from shared.protocol.races import RaceOffer
from shared.protocol.results import RACES_PATH, RESULT_PATH, PostDeferred, Result, encode_result
from shared.web.http_exchange import HttpExchange, Reply, Timeouts, tls_context
from shared.webhooks import sign, signed_headers

ANSWER_WITHIN_S = 10.0  # as the contract says
_JSON = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}


@dataclass(frozen=True, slots=True)
class SignedPost:
    """One post: its id, its body, and how it is signed. `skew_s`: by how much its time is off."""

    webhook_id: str
    body: bytes
    keys: tuple[bytes, ...]
    skew_s: int = 0

    def headers(self, now_s: float) -> dict[str, str]:
        """The headers of this post, made at `now_s`, with a signature of each key."""
        at_s = int(now_s) + self.skew_s
        made = signed_headers(self.keys[0], self.webhook_id, at_s, self.body)
        signatures = " ".join(sign(key, self.webhook_id, at_s, self.body) for key in self.keys)
        return {**_JSON, **made, "webhook-signature": signatures}


class Endpoint:
    """A vendor's address and the secret that it was given."""

    def __init__(self, address: SplitResult, key: bytes, ca_file: str = "") -> None:
        """Raises ConfigError if `ca_file` cannot be used."""
        self.key = key
        self._address, self._ca_file = address, ca_file
        self._exchange = HttpExchange(address, Timeouts(5.0, ANSWER_WITHIN_S), ca_file)

    def signed(self, result: Result) -> SignedPost:
        """The post of a result, signed as a station signs it."""
        return SignedPost(result.webhook_id, encode_result(result), (self.key,))

    def post(self, what: Result | SignedPost, headers: Mapping[str, str] | None = None) -> Reply | PostDeferred:
        """Send it once. `headers`: these instead of the right ones ("" leaves one out)."""
        post = self.signed(what) if isinstance(what, Result) else what
        sent = post.headers(time.time()) | dict(headers or {})
        given = {name: value for name, value in sent.items() if value}
        return self._exchange.request("POST", RESULT_PATH, given, post.body)

    def post_together(self, posts: Sequence[SignedPost]) -> list[Reply | PostDeferred]:
        """Send all at the same moment, each on its own connection; the answers in the order of the posts."""
        begin = threading.Barrier(len(posts))

        def send(post: SignedPost) -> Reply | PostDeferred:
            begin.wait(30)
            return self.post(post)

        with ThreadPoolExecutor(len(posts)) as pool:
            return list(pool.map(send, posts))

    def post_in_two_parts(self, post: SignedPost, pause_s: float) -> Reply | PostDeferred:
        """Send the head and half of the body, wait, and send the rest."""
        half = len(post.body) // 2
        connection = self._connection()
        try:
            connection.putrequest("POST", self._path(RESULT_PATH))
            for name, value in post.headers(time.time()).items():
                connection.putheader(name, value)
            connection.putheader("content-length", str(len(post.body)))
            connection.endheaders(post.body[:half])
            threading.Event().wait(pause_s)
            connection.send(post.body[half:])
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, headers, answer.read(65_536))
        except (OSError, http.client.HTTPException) as error:
            return PostDeferred(f"no answer ({error}).")
        finally:
            connection.close()

    def stall(self, count: int) -> list[socket.socket]:
        """Open `count` connections that begin a post and send no more; to be closed by the caller."""
        opened = []
        for _ in range(count):
            connection = self._connection()
            connection.putrequest("POST", self._path(RESULT_PATH))
            connection.putheader("content-length", "1000")
            connection.endheaders(b"{")
            assert connection.sock is not None
            opened.append(connection.sock)
        return opened

    def get(self, path: str) -> Reply | PostDeferred:
        """Read an address below the endpoint's."""
        return self._exchange.request("GET", path, {"accept": "application/json", "accept-encoding": "identity"})

    def request(self, method: str, path: str) -> Reply | PostDeferred:
        """Send a request without a body."""
        return self._exchange.request(method, path, {"accept": "application/json", "accept-encoding": "identity"})

    def put_offer(self, offer: RaceOffer, body: bytes) -> Reply | PostDeferred:
        """Offer a race, signed as a station does."""
        headers = {**_JSON, **signed_headers(self.key, offer.webhook_id, time.time(), body)}
        return self._exchange.request("PUT", f"{RACES_PATH}/{quote(offer.race_id, safe='')}", headers, body)

    def race(self, race_id: str) -> dict[str, Any] | None:
        """The race as the endpoint shows it; None if it does not."""
        return self._document(f"{RACES_PATH}/{quote(race_id, safe='')}")

    def standing_of(self, race_id: str, racer: str) -> dict[str, Any] | None:
        """The racer's row in the race's standing; None if it shows no standing, {} if the racer is not in it."""
        document = self._document(f"{RACES_PATH}/{quote(race_id, safe='')}/standings")
        rows = None if document is None else document.get("standings")
        if not isinstance(rows, list):
            return None
        return next((row for row in rows if isinstance(row, dict) and row.get("racer") == racer), {})

    def _document(self, path: str) -> dict[str, Any] | None:
        reply = self.get(path)
        return object_of(reply) if isinstance(reply, Reply) and reply.status == 200 else None

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname or "", self._address.port
        if self._address.scheme == "https":
            context = tls_context(self._ca_file)
            return http.client.HTTPSConnection(host, port, timeout=2 * ANSWER_WITHIN_S, context=context)
        return http.client.HTTPConnection(host, port, timeout=2 * ANSWER_WITHIN_S)

    def _path(self, path: str) -> str:
        return self._address.path.rstrip("/") + path


def object_of(reply: Reply) -> dict[str, Any] | None:
    """The body as a JSON object; None if it is not one."""
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def changed(post: SignedPost, **fields: Any) -> SignedPost:
    """The post with fields of its body replaced or added, signed anew."""
    document = json.loads(post.body) | fields
    return replace(post, body=json.dumps(document, separators=(",", ":")).encode())
