"""The stock console's HTTP, without sockets: a request goes in with the time, an answer comes out.

Follows aws-deepracer-webserver-pkg (2021, `stock`) and the community's release of it (2026, `community`), and the nginx
before it: cookies, tokens, routes, and the answers `success: true` behind which nothing happened. Called by server.py.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote_plus

from shared.units import NS_PER_S
from vehicle.bridge.mock_console import csrf
from vehicle.bridge.mock_console.manual_speed import category, manual_speed
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.uploads import uploaded_archive

ConsoleVersion = Literal["stock", "community"]
TOKEN_S: dict[ConsoleVersion, int] = {"stock": 3600, "community": 12 * 3600}
SERVICE_S = 10.0  # how long the console waits for an answer of the robot's side
OPEN_PAGES = ("/", "/home", "/login")  # the front door lets them through without a cookie
LOGIN_PAGE = '<!DOCTYPE html><html><head><meta name="csrf-token" content="{token}"></head><body>AWS DeepRacer</body>'


@dataclass(frozen=True, slots=True)
class ConsoleRequest:
    """A request as it reaches the console: header names in small letters."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ConsoleResponse:
    """What the console answers; `cookies`: name to value and attributes. `status` 0: the connection is dropped."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    cookies: dict[str, str] = field(default_factory=dict)


_Answer = Callable[[dict[str, Any], ConsoleRequest, int], ConsoleResponse]  # (fields, request, now_ns)


def _json(status: int = 200, **fields: Any) -> ConsoleResponse:
    return ConsoleResponse(status, json.dumps(fields).encode())


def _page(status: int, text: str) -> ConsoleResponse:
    return ConsoleResponse(status, text.encode(), "text/html; charset=utf-8")


class MockConsole:
    """One console. Not thread-safe: server.py holds a lock around each call but the waits.

    `unready`: paths whose service is not there (answered at once); `hung`: paths whose service never answers.
    """

    def __init__(self, car: MockCar, version: ConsoleVersion = "stock", password: str = "deepracer") -> None:  # noqa: S107
        self.car = car
        self.version = version
        self.password = password
        self.password_lost = False
        self.tokens: dict[str, int] = {}  # to when they die, in s
        self.unready: set[str] = set()
        self.hung: set[str] = set()
        self.calls: list[str] = []  # what was asked of the robot's side, oldest first
        self._routes = self._routed()

    def handle(self, request: ConsoleRequest, now_ns: int, *, through_front_door: bool) -> ConsoleResponse:
        """Answer a request. Through the front door everything but the login needs a cookie that counts."""
        now_s = now_ns // NS_PER_S
        self.car.advance(now_ns)
        if self.car.busy_until_ns:  # the web server is part of the core that restarts
            return _page(502, "<h1>500</h1>") if through_front_door else ConsoleResponse(0)
        if through_front_door and request.path not in OPEN_PAGES and not self._is_known(request, now_s):
            return _page(401, "<h1>401 Authorization Required</h1>")
        if request.path in OPEN_PAGES and request.method == "GET":
            return self._login_page(request, now_s)
        if request.method in ("POST", "PUT"):
            token = request.headers.get("x-csrftoken", "")
            if refused := csrf.complaint(request.cookies.get("session", ""), token, now_s):
                return _page(400, f"<title>400 Bad Request</title><h1>Bad Request</h1><p>{refused}</p>")
        if request.path == "/login":
            return self._login(request, now_s)
        return self._call(request, now_ns)

    def hangs(self, request: ConsoleRequest) -> bool:
        """Whether the console will wait in vain for the robot's side; the caller lets the time pass."""
        return request.path in self.hung

    # The login

    def _login_page(self, request: ConsoleRequest, now_s: int) -> ConsoleResponse:
        session = request.cookies.get("session", "")
        fresh = csrf.complaint(session, csrf.token_of(session, now_s), now_s) != ""
        session = csrf.new_session() if fresh else session
        page = _page(200, LOGIN_PAGE.format(token=csrf.token_of(session, now_s)))
        if fresh:
            page.cookies["session"] = f"{session}; Secure; HttpOnly; Path=/"
        return page

    def _login(self, request: ConsoleRequest, now_s: int) -> ConsoleResponse:
        given = dict(pair.split("=", 1) for pair in request.body.decode().split("&") if "=" in pair)
        if self.password_lost:  # the console writes the default password again, and lets nobody in with this request
            self.password, self.password_lost = "deepracer", False
            return _page(200, "failure")
        if unquote_plus(given.get("password", "")) != self.password:
            return _page(200, "failure")
        token, life_s = str(uuid.uuid4()), TOKEN_S[self.version]
        if self.version == "stock":
            self.tokens.clear()  # one token: whoever was logged in is thrown out
        self.tokens[token] = now_s + life_s if self.version == "community" else 2**62
        answer = ConsoleResponse(200, b'{"redirect":"/home"}\n')
        answer.cookies["deepracer_token"] = f"{token}; Max-Age={life_s}; Secure; Path=/"
        return answer

    def _is_known(self, request: ConsoleRequest, now_s: int) -> bool:
        return self.tokens.get(request.cookies.get("deepracer_token", ""), -1) > now_s

    # The calls

    def _call(self, request: ConsoleRequest, now_ns: int) -> ConsoleResponse:
        path, name = request.path, request.path
        folder = ""
        if path.startswith("/api/models/") and path.endswith("/model"):
            name, folder = "/api/models/<name>/model", path.removeprefix("/api/models/").removesuffix("/model")
        methods, answer = self._routes.get(name, ((), None))
        if answer is None:
            return _page(404, "<h1>Not Found</h1>")
        if request.method not in methods:
            return _page(405, "<h1>Method Not Allowed</h1>")
        if name in self.unready:
            return _json(success=False, reason="Error")
        fields: dict[str, Any] = {"folder": folder, "filename": request.query.get("filename", "")}
        if request.method != "GET" and name not in ("/api/models/<name>/model", "/api/uploadModels"):
            fields |= _object(request.body)
            if not _object(request.body):
                return _page(400, "<h1>Bad Request</h1>")
        self.calls.append(name)
        return answer(fields, request, now_ns)

    def _routed(self) -> dict[str, tuple[tuple[str, ...], _Answer]]:
        get, put, post = ("GET",), ("PUT", "POST"), ("POST",)
        routes: dict[str, tuple[tuple[str, ...], _Answer]] = {
            "/api/drive_mode": (put, self._drive_mode),
            "/api/start_stop": (put, self._start_stop),
            "/api/max_nav_throttle": (put, self._max_nav_throttle),
            "/api/manual_drive": (put, self._manual_drive),
            "/api/models": (get, self._models),
            "/api/models/<name>/model": (put, self._load),
            "/api/isModelLoading": (get, lambda *_: _json(success=True, isModelLoading=self.car.loading_status)),
            "/api/uploadModels": (put, self._upload),
            "/api/is_model_installed": (get, self._is_installed),
            "/api/set_led_color": (post, self._set_led),
            "/api/get_battery_level": (get, lambda *_: _json(success=True, battery_level=self.car.battery_level)),
            "/api/set_calibration_mode": (get, self._calibrate),
            "/api/get_calibration/angle": (get, self._calibration),
            "/api/get_calibration/throttle": (get, self._calibration),
        }
        if self.version == "community":
            routes |= {
                "/api/emergency_stop": (put, self._emergency_stop),
                "/api/get_device_status": (get, lambda *_: _json(success=True, cpu_percent=41.0, fps_mean=15.0)),
                "/api/supported_apis": (get, lambda *_: _json(success=True, apis_supported=sorted(routes))),
            }
        return routes

    def _drive_mode(self, fields: dict[str, Any], _: ConsoleRequest, __: int) -> ConsoleResponse:
        if fields.get("drive_mode") is None:
            return _json(success=False, reason="drive_mode must be set.")
        self.car.set_state("manual" if fields["drive_mode"] == "manual" else "auto")
        return _json(success=True)

    def _start_stop(self, fields: dict[str, Any], _: ConsoleRequest, __: int) -> ConsoleResponse:
        if fields.get("start_stop") is None:
            return _json(success=False, reason="start_stop must be set.")
        self.car.set_active(is_active=fields["start_stop"] != "stop")
        return _json(success=True)

    def _max_nav_throttle(self, fields: dict[str, Any], _: ConsoleRequest, __: int) -> ConsoleResponse:
        throttle = fields.get("throttle")
        if throttle is None:
            return _json(success=False, reason="value must be set.")
        if isinstance(throttle, str | bool | list | dict):
            return _json(success=False, reason="Unable to reach navigation throttle server")
        self.car.set_throttle_scale(throttle / 100.0)
        return _json(success=True)

    def _manual_drive(self, fields: dict[str, Any], _: ConsoleRequest, __: int) -> ConsoleResponse:
        for name in ("angle", "throttle", "max_speed"):
            if fields.get(name) is None:
                return _json(success=False, reason=f"{name} is required")
            if name != "max_speed" and not -1.0 <= fields[name] <= 1.0:
                return _json(success=False, reason=f"{name} out of range")
        speed = manual_speed(category(fields["throttle"]), fields["max_speed"])
        self.car.drive_by_hand(-category(fields["angle"]), -speed)
        return _json(success=True)

    def _models(self, _: dict[str, Any], __: ConsoleRequest, ___: int) -> ConsoleResponse:
        models = [
            {
                "model_name": "model",
                "model_folder_name": name,
                "model_sensors": ["Camera"],
                "is_select_disabled": False,
                "model_training_algorithm": "Clipped PPO",
                "model_action_space_type": "Discrete",
            }
            for name in self.car.models
        ]
        return _json(models=models, sensor_status={"camera_status": "connected"})

    def _load(self, fields: dict[str, Any], _: ConsoleRequest, now_ns: int) -> ConsoleResponse:
        if fields["folder"] not in self.car.models:
            return _json(success=False, reason="Model load failed! Please check if correct model files uploaded")
        self.car.load(fields["folder"], now_ns)
        return _json(success=True)

    def _upload(self, _: dict[str, Any], request: ConsoleRequest, __: int) -> ConsoleResponse:
        name = uploaded_archive(request.headers.get("content-type", ""), request.body)
        if not name.endswith(".tar.gz"):
            return _json(success=False, message="File type not allowed")
        if name[:-7] not in self.car.models:
            self.car.models.append(name[:-7])
        return _json(success=True)

    def _is_installed(self, fields: dict[str, Any], _: ConsoleRequest, __: int) -> ConsoleResponse:
        installed = fields["filename"][:-7] in self.car.models
        return _json(success=installed, message="Model has been installed" if installed else "Model is not installed")

    def _set_led(self, fields: dict[str, Any], _: ConsoleRequest, __: int) -> ConsoleResponse:
        try:
            colour = (int(fields["red"]), int(fields["green"]), int(fields["blue"]))
        except (KeyError, TypeError, ValueError):
            return _json(success=False, reason="Error")
        if not all(0 <= part <= 255 for part in colour):
            return _json(success=False, reason="Input is not valid")
        if self.car.state == "calibration":
            self.car.led = colour
        return _json(success=True)

    def _calibrate(self, _: dict[str, Any], __: ConsoleRequest, ___: int) -> ConsoleResponse:
        self.car.set_state("calibration")
        self.car.set_active(is_active=True)
        return _json(success=True)

    def _calibration(self, _: dict[str, Any], __: ConsoleRequest, ___: int) -> ConsoleResponse:
        if self.car.state != "calibration":
            return _json(success=False, reason="Error")
        return _json(success=True, mid=-5, max=16, min=-30, polarity=-1)

    def _emergency_stop(self, _: dict[str, Any], __: ConsoleRequest, now_ns: int) -> ConsoleResponse:
        self.car.restart_core(now_ns)
        return _json(success=True)


def _object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; empty if it is none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
