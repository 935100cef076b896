"""The installed station as its users meet it: its service, its pages and its API. Called by the scenarios.

Commands are given with a token that the station's own command makes, as a script of an official would have it.
"""

import contextlib
import http.client
import json
import subprocess
import time
from typing import Any

from tools.metal.guest.checks import run, until

RACEDAY = "/usr/bin/raceday"
CONFIG = "/etc/raceday/station.toml"
ADDRESS = ("127.0.0.1", 8080)
UP_S = 420.0  # an emulated machine compiles and imports for minutes at the first start
ANSWER_S = 60.0


class InstalledStation:
    """The station that runs as raceday-station.service on this machine."""

    def __init__(self, address: tuple[str, int] = ADDRESS) -> None:
        self._address, self._token = address, ""

    def up(self, limit_s: float = UP_S) -> float | None:
        """Waits until the page answers; how long that took in seconds, None if it did not in time."""
        began_s = time.monotonic()
        answers = until(lambda: self.page("/") or None, limit_s, 2.0)
        return None if answers is None else time.monotonic() - began_s

    def page(self, path: str) -> str:
        """A page as a visitor gets it; "" if the station does not answer."""
        try:
            return self._answer("GET", path)[1]
        except OSError:
            return ""

    def runs_page(self) -> str:
        """The page of all runs, as an official gets it."""
        return self._answer("GET", "/runs", self._official())[1]

    def state(self) -> dict[str, Any]:
        """All that the pages show, as an official sees it."""
        return self._call("/api/v1/state")

    def gate(self, name: str) -> dict[str, Any]:
        """One gate as the station reports it; {} if there is none of this name."""
        return next((gate for gate in self.state()["gates"] if gate["name"] == name), {})

    def fit(self, name: str, limit_s: float = 60.0) -> dict[str, Any]:
        """The gate once it is alive; as it is then, if it does not become so in time."""

        def alive() -> dict[str, Any] | None:
            gate = self.gate(name)
            return gate if gate.get("alive") else None

        return until(alive, limit_s) or self.gate(name)

    def give(self, command: str, **fields: object) -> dict[str, Any]:
        """Gives a command. Raises RuntimeError with the station's sentence if it is refused."""
        return self._call("/api/v1/commands", {"command": command, **fields})

    def _official(self) -> str:
        self._token = self._token or self._accepted(new_token())
        return self._token

    def _accepted(self, token: str) -> str:
        """The token once the running station has noticed it, within a second or so."""

        def is_accepted() -> bool | None:
            return self._answer("GET", "/gates", token)[0] == 200 or None

        if until(is_accepted, ANSWER_S) is None:
            raise RuntimeError("the station does not accept the token that its own command made")
        return token

    def _call(self, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
        body = "" if document is None else json.dumps(document)
        status, answer = self._answer("POST" if body else "GET", path, self._official(), body)
        if status != 200:
            raise RuntimeError(f"{path} {body}: {status} {answer[:300]}")
        return dict(json.loads(answer))

    def _answer(self, method: str, path: str, token: str = "", body: str = "") -> tuple[int, str]:
        """Status and text of one request. Raises OSError if nobody answers."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with contextlib.closing(http.client.HTTPConnection(*self._address, timeout=ANSWER_S)) as connection:
            try:
                connection.request(method, path, body or None, headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except http.client.HTTPException as error:
                raise OSError(str(error)) from None


def new_token() -> str:
    """An operator's token for a script, made on this machine by the user whose files they are."""
    words = ["station", "token", "--role", "operator", "--name", f"metal-{time.monotonic_ns()}", "--config", CONFIG]
    return run(["runuser", "-u", "raceday", "--", RACEDAY, *words]).stdout.strip()


def unit_property(unit: str, name: str) -> str:
    """One property of a unit, as systemd has it."""
    command = ["systemctl", "show", "-p", name, "--value", unit]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def exposure(unit: str) -> float:
    """The exposure level of a unit as `systemd-analyze security` rates it, 0 (closed) to 10."""
    said = run(["systemd-analyze", "security", "--no-pager", unit]).stdout
    line = next(line for line in said.split("\n") if "Overall exposure level" in line)
    return float(line.split(":")[1].split()[0])


def journal_tail(unit: str, lines: int = 3) -> str:
    """The last lines that a unit has said, for what a check saw."""
    command = ["journalctl", "-u", unit, "-n", str(lines), "--no-pager", "-o", "cat"]
    return " / ".join(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n"))[-500:]
