"""What somebody asked of `raceday install`, checked. Made by the command, used by the plan."""

import pathlib
import re
from dataclasses import dataclass
from typing import Literal

from raceday.certs.machine_names import checked_machine_name
from raceday.install.shipped_files import Role
from shared.errors import OperatorError, Refused

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1123, 2.1; a longer or an empty one DNS cannot ask for
HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*|[0-9A-Fa-f:]{{2,45}}", re.ASCII)
PROFILE = re.compile(r"[a-z0-9][a-z0-9-]{0,40}", re.ASCII)
DATABASE = re.compile(r"postgres(ql)?(\+psycopg)?://[\x21-\x7e]{1,300}", re.ASCII)
MAX_PINS = 4
MAX_PORT = 200  # characters of a port's path or URL
GateDriver = Literal["gpio", "pico", "decoder"]


@dataclass(frozen=True, slots=True)
class GateRequest:
    """A gate: `gpio:17,27` (pins), `pico:PORT`, or `PROTOCOL:PORT-OR-URL` (a decoder)."""

    driver: GateDriver
    pins: tuple[int, ...] = ()
    port: str = ""
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """A Wi-Fi that this machine makes. `country` is an ISO 3166 code: which channels may be used depends on it."""

    ssid: str
    country: str
    passphrase: str


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """What a machine is to become. `name` "" is the role's usual one; `gates` are in the order of the track."""

    role: Role
    name: str = ""
    gates: tuple[GateRequest, ...] = ()
    profile: str = ""
    broker: str = ""  # the config's own, or this machine
    certs_file: pathlib.Path | None = None
    certs: str = ""  # whose certificates these are
    certs_for_pages: bool = False  # one for browsers is among them
    database: str = ""
    host: str = ""  # of the leaderboard's pages
    access_point: AccessPoint | None = None


def parsed_gate(text: str, protocols: frozenset[str]) -> GateRequest:
    """The gate that an argument describes. Raises OperatorError."""
    kind, colon, rest = text.partition(":")
    if not colon or not rest:
        raise OperatorError(
            f"--gate {text[:60]!r}: write gpio:17 (or gpio:17,27 for two beams), pico:/dev/serial/by-id/…, or a "
            "decoder's protocol and port, such as zround:/dev/ttyUSB0 or p3:socket://192.168.1.50:5403."
        )
    if kind == "gpio":
        return GateRequest("gpio", pins=_pins(rest))
    if not rest.isprintable() or len(rest) > MAX_PORT or not (rest.startswith("/dev/") or "://" in rest):
        raise OperatorError(
            f"--gate {text[:60]!r}: {rest[:60]!r} is no port: write a path such as /dev/ttyACM0, or a URL."
        )
    if kind == "pico":
        return GateRequest("pico", port=rest)
    if kind not in protocols:
        known = ", ".join(sorted(protocols))
        raise OperatorError(
            f"--gate {text[:60]!r}: {kind[:30]!r} is neither gpio, pico nor a decoder's protocol ({known})."
        )
    return GateRequest("decoder", port=rest, protocol=kind)


def _pins(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and int(part) <= 63 for part in parts):
        raise OperatorError(f"--gate gpio:{text[:60]}: pins are GPIO (BCM) numbers from 0 to 63, such as 17 or 17,27.")
    pins = tuple(int(part) for part in parts)
    if len(set(pins)) != len(pins) or len(pins) > MAX_PINS:
        raise OperatorError(f"--gate gpio:{text[:60]}: name each pin once, at most {MAX_PINS} of them.")
    return pins


def check_request(request: InstallRequest) -> None:
    """Raises OperatorError for a name or an address that cannot be one."""
    if request.name:
        try:
            checked_machine_name(request.name)
        except Refused as refusal:
            raise OperatorError(f"--name: {refusal}") from None
    if request.certs and request.name and request.certs != request.name:
        raise OperatorError(
            f"the certificates are those of {request.certs}, and --name says {request.name}: which is it?"
        )
    for option, value in (("--broker", request.broker), ("--host", request.host)):
        if value and HOST.fullmatch(value) is None:
            raise OperatorError(f"{option} {value[:60]!r} is neither a host's name nor an address.")
    if request.profile and PROFILE.fullmatch(request.profile) is None:
        raise OperatorError(f"--profile {request.profile[:60]!r} is no profile's name.")
    if request.database and DATABASE.fullmatch(request.database) is None:
        raise OperatorError("--database: write a URL such as postgresql://raceday@localhost/raceday.")


def access_point(ssid: str, country: str, passphrase: str) -> AccessPoint:
    """A checked access point. Raises OperatorError."""
    if not ssid.isprintable() or not 1 <= len(ssid.encode()) <= 32:
        raise OperatorError(
            f"--access-point {ssid[:40]!r}: a Wi-Fi's name has 1 to 32 bytes, and no control characters."
        )
    if re.fullmatch(r"[A-Z]{2}", country) is None:
        raise OperatorError(
            "--country: give the two letters of the country where the race is (DE, US): channels depend on it."
        )
    return AccessPoint(ssid, country, passphrase)
