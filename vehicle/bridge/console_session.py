"""A login at a stock console, and calls under it: TLS with a pinned certificate, cookies, CSRF tokens, logins.

Called by console_caller.py, on several threads: each call has a connection of its own, so none waits for another. The
console's rules: `login.py` of aws-deepracer-webserver-pkg, and Flask-WTF's tokens, which die after an hour.
"""

import http.client
import pathlib
import re
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie

from shared.errors import RacedayError
from shared.text import text
from vehicle.bridge.cancellable_start import CancellableStart, drop_at_close
from vehicle.bridge.certificate_pin import CertificatePin
from vehicle.bridge.core.console_calls import ConsoleCall, HttpCall, StockConsoleAnswer, answer_of, http_call
from vehicle.bridge.secret_files import read_secret

RENEW_S = 300.0  # a token is renewed long before the console refuses it
RENEW_STOP_S = 3300.0  # a stop does not wait for a new token while the old one counts
LOGIN_WAIT_S = 1.0
MAX_BYTES = 1 << 20
CALL_S = 12.0  # the console gives up a hung service after 10 s
_LOGIN = "deepracer_token"  # the cookie of a login
_SESSION = "session"  # Flask's cookie, which names the secret of the CSRF tokens
_TOKEN = re.compile(r'<meta\s+name="csrf-token"\s+content="([^"]+)"')


class _LoginEnded(Exception):
    """The console does not know our cookie any longer, and the call does not allow to log in again."""


class _Cancelled(Exception):
    """A stop was ordered before the start was sent."""


class _Unreachable(Exception):
    """No answer, or none that is the console's; the text says why."""


class ConsoleSession:
    """The login of one bridge at one console. Thread-safe; `now_s`: a monotonic clock."""

    def __init__(
        self,
        host: str,
        port: int,
        password_file: pathlib.Path,
        pin: CertificatePin,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host, self._port = host, port
        self._password_file = password_file
        self._pin = pin
        self._now_s = now_s
        self._lock = threading.Lock()  # of the fields below; held for no longer than it takes to read them
        self._login_lock = threading.Lock()  # one thread logs in, the others wait and use its login
        self._cookies: dict[str, str] = {}
        self._token = ""
        self._token_s = 0.0
        # When the console itself ends the login; a refusal before is somebody's doing. 0: it may be our own.
        self._login_until_s = 0.0
        self._logins_under_way = 0
        self._do_logins_cross = False  # of those under way, the console may end one by another

    def call(
        self, call: ConsoleCall, timeout_s: float = CALL_S, start: CancellableStart | None = None
    ) -> StockConsoleAnswer:
        """Make one call; logs in or renews the token first where it must. Never raises.

        With `start` nothing goes before it or is sent again, so that no stop is overtaken by what took long.
        """
        try:
            if start is not None:
                status, body = self._send(http_call(call), timeout_s, start=start)
                logged_in_again = False
            else:
                status, body, logged_in_again = self._call_logged_in(call, timeout_s)
        except _LoginEnded:
            return StockConsoleAnswer(call, "thrown_out")
        except _Cancelled:
            return StockConsoleAnswer(call, "cancelled", text("a stop was ordered"))
        except (_Unreachable, RacedayError) as error:
            return StockConsoleAnswer(call, "unreachable", str(error))
        if status >= 500:
            return StockConsoleAnswer(call, "unreachable", text("status {status}", status=status))
        return replace(answer_of(call, status, body), logged_in_again=logged_in_again)

    def _call_logged_in(self, call: ConsoleCall, timeout_s: float) -> tuple[int, bytes, bool]:
        """The call under a login; after a refusal of the cookie or the token once more, with new ones.

        Returns status, body, and whether somebody else's login was ended for it.
        """
        request = http_call(call)
        login = self._login
        if not login:
            self._log_in(timeout_s, instead_of="")
            login = self._login
        elif self._now_s() - self._token_s > (RENEW_STOP_S if call.kind == "stop" else RENEW_S):
            self._renew(timeout_s)
        status, body = self._send(request, timeout_s)
        if status == 400 and b"CSRF" in body:
            self._renew(timeout_s)
            return *self._send(request, timeout_s), False
        if status == 401:
            if not call.may_log_in and self._now_s() < self._login_until_s:
                raise _LoginEnded
            self._log_in(timeout_s, instead_of=login)
            return *self._send(request, timeout_s), True
        return status, body, False

    @property
    def _login(self) -> str:
        with self._lock:
            return self._cookies.get(_LOGIN, "")

    def _renew(self, timeout_s: float) -> None:
        """A new token from the login page, which answers in any case.

        It counts with the session that the page was asked with, or gave, alone; several threads may be asking.
        """
        with self._lock:
            cookies = dict(self._cookies)
        status, body, given = self._exchange(HttpCall("GET", "/login"), timeout_s, cookies)
        found = _TOKEN.search(body.decode("utf-8", "replace"))
        if status != 200 or found is None:
            raise _Unreachable(text("this is not the page of a DeepRacer's console (status {status})", status=status))
        with self._lock:
            if _SESSION in cookies:
                self._cookies[_SESSION] = cookies[_SESSION]
            self._keep_cookies(given)
            self._token, self._token_s = found.group(1), self._now_s()

    def _log_in(self, timeout_s: float, instead_of: str) -> None:
        """Log in, unless another thread has done so since `instead_of` was the login's cookie.

        A thread that hangs in a login keeps no other one off for long: a stop may be waiting.
        """
        is_ours = self._login_lock.acquire(timeout=LOGIN_WAIT_S)
        try:
            if self._login not in ("", instead_of):
                return
            password = read_secret(self._password_file, text("the console's password"))
            self._renew(timeout_s)
            if self._login not in ("", instead_of):  # since the page was asked for
                return
            status, answer, has_login = self._ask_for_login(password, timeout_s)
        finally:
            if is_ours:
                self._login_lock.release()
        if status == 200 and answer.strip() == b"failure":
            raise _Unreachable(text("it refuses the password in {file}", file=self._password_file))
        if status != 200 or not has_login:
            raise _Unreachable(text("its login answers with status {status}", status=status))

    def _ask_for_login(self, password: str, timeout_s: float) -> tuple[int, bytes, bool]:
        """One login: its status, body, and whether it gave a cookie, which is kept.

        Asked without the login of before; that stays with the other threads, one of which may have made it just now.
        """
        request = HttpCall("PUT", "/login", urllib.parse.urlencode({"password": password}).encode())
        with self._lock:
            cookies = {name: value for name, value in self._cookies.items() if name != _LOGIN}
            token = self._token
            self._logins_under_way += 1
            self._do_logins_cross |= self._logins_under_way > 1
        given: list[str] = []
        try:
            status, answer, given = self._exchange(request, timeout_s, cookies, token, form=True)
        finally:
            with self._lock:
                has_login = self._keep_cookies(given)
                if self._do_logins_cross:
                    self._login_until_s = 0.0
                self._logins_under_way -= 1
                self._do_logins_cross &= self._logins_under_way > 0
        return status, answer, has_login

    def _send(self, request: HttpCall, timeout_s: float, *, start: CancellableStart | None = None) -> tuple[int, bytes]:
        """One request with the cookies and the token of now; cookies are kept. Raises what _exchange raises."""
        with self._lock:
            cookies, token = dict(self._cookies), self._token
        status, body, given = self._exchange(request, timeout_s, cookies, token, start=start)
        with self._lock:
            self._keep_cookies(given)
        return status, body

    def _exchange(
        self,
        request: HttpCall,
        timeout_s: float,
        cookies: Mapping[str, str],
        token: str = "",
        *,
        form: bool = False,
        start: CancellableStart | None = None,
    ) -> tuple[int, bytes, list[str]]:
        """One request on a connection of its own: status, body, and the headers of cookies that came with them.

        Raises _Unreachable, _Cancelled, and what the pin raises. What failed is not sent by the kernel later on.
        """
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=timeout_s, context=unverified())
        headers = {"Referer": f"https://{self._host}/", "Connection": "close"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if request.method != "GET":
            headers["X-CSRFToken"] = token
        if request.body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
        is_done = False
        sock: ssl.SSLSocket | None = None
        try:
            connection.connect()
            assert isinstance(connection.sock, ssl.SSLSocket)
            sock = connection.sock
            self._pin.check(sock.getpeercert(binary_form=True) or b"")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(timeout_s * 1000))
            if start is not None and not start.may_be_sent(sock):
                raise _Cancelled
            connection.request("POST" if form else request.method, request.path, request.body, headers)
            response = connection.getresponse()
            body = response.read(MAX_BYTES)
            is_done = True
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a cookie that no header takes
            raise _Unreachable(str(error) or type(error).__name__) from None
        finally:
            if sock is not None and not is_done and sock.fileno() >= 0:
                drop_at_close(sock)
            connection.close()
        return response.status, body, response.headers.get_all("Set-Cookie") or []

    def _keep_cookies(self, headers: list[str]) -> bool:
        """Keep both cookies, under the lock; was a login among them? They are `Secure`, and the console forgets to
        prolong them: its own word counts (401).
        """
        has_login = False
        for header in headers:
            try:
                cookies = SimpleCookie(header)
            except CookieError:
                continue
            for name, morsel in cookies.items():
                self._cookies[name] = morsel.value
                has_login |= name == _LOGIN and morsel.value != ""
                if name == _LOGIN and morsel["max-age"].isdecimal():
                    self._login_until_s = self._now_s() + int(morsel["max-age"])
        return has_login


def unverified() -> ssl.SSLContext:
    """A car's certificate is signed by nobody: CertificatePin (or the doctor) says whether it is the car's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
