"""A client of the station's page API, and a timeout for the time that the station needs to restart."""

import time
from typing import Any

import requests
from pydantic import TypeAdapter, ValidationError

from shared.errors import Refused, RetryLater
from station.views.views import View

STATION_TIMEOUT_S = 30.0
_VIEW = TypeAdapter(View)


class StationClient:
    """Reads the station's state and sends it commands, as the script that the `token` was made for."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["authorization"] = f"Bearer {token}"

    def view(self) -> View:
        """The newest state. Raises RetryLater while the station does not answer, Refused for one of another version."""
        try:
            answer = self._session.get(f"{self._url}/api/v1/state", timeout=5)
            answer.raise_for_status()
            return _VIEW.validate_json(answer.content)
        except requests.RequestException as error:
            raise RetryLater(f"the station does not answer ({type(error).__name__}).") from None
        except ValidationError as error:
            raise Refused(f"the station's state is not the one of this version: {error.errors()[0]['msg']}.") from None

    def command(self, name: str, **fields: Any) -> None:
        """Sends one command. Raises Refused with the station's sentence, RetryLater while it does not answer."""
        body = {"command": name, **fields}
        try:
            answer = self._session.post(f"{self._url}/api/v1/commands", json=body, timeout=15)
        except requests.RequestException as error:
            raise RetryLater(f"the station does not answer ({type(error).__name__}).") from None
        if answer.status_code >= 500:
            raise RetryLater(f"the station answered {answer.status_code}.")
        if answer.status_code != 200:
            raise Refused(_sentence(answer))

    def close(self) -> None:
        self._session.close()


def _sentence(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return f"the station answered {answer.status_code}."
    return str(body.get("error") or body) if isinstance(body, dict) else str(body)


class StationTimeout:
    """Gives up on a station that has not answered for `seconds` of real time."""

    def __init__(self, seconds: float = STATION_TIMEOUT_S) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def succeeded(self) -> None:
        self._since = None

    def failed(self, error: Exception) -> None:
        """Records a failure; raises `error` if failures have lasted longer than the timeout."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > self._seconds:
            raise error
