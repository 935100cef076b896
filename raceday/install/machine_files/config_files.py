"""The config of a machine that is installed: the shipped file with whole paths and what was asked for. Pure.

Each change replaces one line of the shipped file as it stands there; a line that is not found is a bug, which a test
of each role shows. Called by the plan.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from raceday.install.request import GateRequest, InstallRequest
from raceday.install.shipped_files import Role

TLS = "/etc/raceday/tls"
STATION_DATA, CAR_DATA, BOARD_DATA = "/var/lib/raceday", "/var/lib/raceday-vehicle", "/var/lib/raceday-leaderboard"
BRIDGE_DATA = "/var/lib/raceday-bridge"  # a folder in it for each stock car
Change = tuple[str, str]  # a piece of the shipped text, and what stands there instead

PLAIN_PAGES = (
    '# tls_certificate = ""           # for browsers, by https on the same port; `raceday install --certs` sets both\n'
    '# tls_key = ""                   # its key, readable by the service alone\n'
)
PLAIN_MQTT = 'host = "127.0.0.1"\nport = 1883                      # 8883 with TLS\n'
PLAIN_CAR_MQTT = 'host = "127.0.0.1"\nport = 1883\n'


def station_config(shipped: str, request: InstallRequest, name: str, has_certs: bool) -> str:
    """/etc/raceday/station.toml."""
    changes = [
        ("raceday station --config config/station.toml", "raceday station --config /etc/raceday/station.toml"),
        ('data_dir = "../data/station"  ', f'data_dir = "{STATION_DATA}"   '),
        ('name = "station-1"  ', f"name = {quoted(name)}  "),
        ('host = "127.0.0.1"               # 0.0.0.0 (or', 'host = "0.0.0.0"                 # 0.0.0.0 (or'),
    ]
    if request.gates:
        begin, end = shipped.index("[[gate]]\n"), shipped.index("[mqtt]\n")
        changes.append((shipped[begin:end], gate_tables(request.gates)))
    changes += tls_change(name, PLAIN_MQTT) if has_certs else []
    return changed(shipped, changes)


def gate_tables(gates: Iterable[GateRequest]) -> str:
    """The [[gate]] tables: the first is start and finish, the others are splits in their order."""
    return "\n".join(_gate_table(number, gate) for number, gate in enumerate(gates)) + "\n"


def _gate_table(number: int, gate: GateRequest) -> str:
    count = max(1, len(gate.pins))
    sensors = ["beam"] if count == 1 else [f"beam-{each}" for each in range(1, count + 1)]
    lines = [
        "[[gate]]",
        f'name = "{"start" if number == 0 else f"sector-{number}"}"',
        f'driver = "{gate.driver}"',
        f"sensors = {quoted(sensors)}             # in the order in which a car meets them",
        f'kind = "{"start_finish" if number == 0 else "split"}"',
    ]
    if count > 1:
        lines.append('# layout = "in_line"             # or "side_by_side", for strips on one line')
    lines += ["", "[gate.options]"]
    if gate.driver == "gpio":
        lines += [
            f"pins = {quoted(list(gate.pins))}                      # GPIO (BCM) numbers",
            '# broken = "low"',
            '# pull = "up"',
        ]
    elif gate.driver == "pico":
        lines.append(f"port = {quoted(gate.port)}")
    else:
        lines += [f"protocol = {quoted(gate.protocol)}", f"url = {quoted(gate.port)}"]
    return "\n".join([*lines, ""])


def car_config(shipped: str, request: InstallRequest, name: str, has_certs: bool) -> str:
    """/etc/raceday/vehicle.toml. A car with a profile takes camera, motors and calibration from it."""
    changes = [
        ("raceday vehicle --config config/vehicle.toml", "raceday vehicle --config /etc/raceday/vehicle.toml"),
        ('device = "car-1"', f"device = {quoted(name)}"),
        ('path = "../simulator/data/models/demo"', f'path = "{CAR_DATA}/models/selected"'),
        ('path = "laps.db"', f'path = "{CAR_DATA}/laps.db"'),
        ('# folder = "runs"', f'folder = "{CAR_DATA}/runs"'),
        ("[console]\n# enabled = false", "[console]\nenabled = true"),
        ('# claims = "console.json"     the', f'claims = "{CAR_DATA}/console.json"  # the'),
        ('# models = "models"           choose', f'models = "{CAR_DATA}/models"  # choose'),
        ('# socket = "vehicle.sock"', 'socket = "/run/raceday/vehicle.sock"'),
    ]
    calibration = f'[calibration]\nfile = "{CAR_DATA}/calibration.json"\n'
    if request.profile:
        calibration = "[calibration]\n"
        changes.append(('[camera]\ndriver = "mock"\n', "[camera]\n"))
        changes.append(('[motors]\ndriver = "mock"\n', "[motors]\n"))
        changes.append(('# profile = "deepracer-2404"\n', f"profile = {quoted(request.profile)}\n"))
    changes.append(("[calibration]\nstock = true\n", calibration))
    if has_certs:
        changes += tls_change(name, PLAIN_CAR_MQTT, request.broker or "127.0.0.1")
    elif request.broker:
        changes.append((PLAIN_CAR_MQTT, f"host = {quoted(request.broker)}\nport = 1883\n"))
    return changed(shipped, changes)


def leaderboard_config(shipped: str, request: InstallRequest) -> str:
    """/etc/raceday/leaderboard.toml."""
    changes = [
        ("config/leaderboard.toml", "/etc/raceday/leaderboard.toml"),
        ('path = "leaderboard.db" ', f'path = "{BOARD_DATA}/leaderboard.db" '),
        ('"secrets/webhook.secret"', f'"{BOARD_DATA}/secrets/webhook.secret"'),
        ('"secrets/admin.token"', f'"{BOARD_DATA}/secrets/admin.token"'),
        ('"secrets/claim.code"', f'"{BOARD_DATA}/secrets/claim.code"'),
        ('folder = "models" ', f'folder = "{BOARD_DATA}/models" '),
    ]
    if request.database:
        changes.append(('url = ""  ', f"url = {quoted(request.database)}  "))
    if request.host:
        changes.append(('host = "127.0.0.1"        # behind', f"host = {quoted(request.host)}        # behind"))
    return changed(shipped, changes)


def tls_change(name: str, plain: str, broker: str = "127.0.0.1") -> list[Change]:
    """The table [mqtt] without certificates, as it is shipped, and with them."""
    lines = [
        f"host = {quoted(broker)}",
        "port = 8883",
        f'ca = "{TLS}/ca.pem"',
        f'cert = "{TLS}/{name}.pem"',
        f'key = "{TLS}/{name}.key"',
    ]
    return [(plain, "\n".join([*lines, ""]))]


def plain_mqtt(role: Role, host: str, port: object) -> str:
    """The lines of [mqtt] as this program writes them without certificates, with this host and port."""
    plain = PLAIN_MQTT if role == "station" else PLAIN_CAR_MQTT
    return plain.replace(quoted("127.0.0.1"), quoted(host)).replace("1883", str(port), 1)


def mqtt_change(role: Role, name: str, table: Mapping[str, Any], broker: str, has_certs: bool) -> Change | None:
    """The lines of [mqtt] that a config has as this program writes them, and those that are wanted; None if the same.

    Wanted are certificates where there are some, and the host `broker` ("" for the one that is there).
    """
    mqtt = table.get("mqtt")
    if not isinstance(mqtt, Mapping):
        return None
    host, has_tls = str(mqtt.get("host", "")), bool({"ca", "cert", "key"} & mqtt.keys())
    if (broker or host, has_certs or has_tls) == (host, has_tls):
        return None
    plain, wanted = (plain_mqtt(role, each, mqtt.get("port")) for each in (host, broker or host))
    old = tls_change(name, plain, host)[0][1] if has_tls else plain
    return old, tls_change(name, plain, broker or host)[0][1] if has_certs or has_tls else wanted


def pages_change(name: str, table: Mapping[str, Any]) -> Change | None:
    """The lines of a config that name no certificate for browsers, as shipped, and with it; None if one is named."""
    own = [each for each in table.values() if isinstance(each, Mapping)]
    if any("tls_certificate" in each for each in own):
        return None
    return PLAIN_PAGES, f'tls_certificate = "{TLS}/{name}.web.pem"\ntls_key = "{TLS}/{name}.key"\n'


def quoted(value: str | list[str] | list[int]) -> str:
    """A value of TOML: JSON's texts and lists are TOML's too, once DEL is escaped (toml.io, v1.0.0)."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def changed(text: str, changes: Iterable[Change]) -> str:
    """The shipped text with its pieces replaced: each once, a command or the file's own name wherever it stands."""
    for old, new in changes:
        assert old in text, f"the shipped config no longer holds {old!r}"
        text = text.replace(old, new) if old.startswith(("config/", "raceday ")) else text.replace(old, new, 1)
    return text
