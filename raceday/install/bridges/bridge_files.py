"""Where a stock car's bridge has its files, and the text of its config. Pure; called by the plan, removal and doctor.

What root writes lies below /etc/raceday, where the service can lay no link; what the bridge writes itself (the
fingerprint of the console's certificate) lies in its folder below /var/lib/raceday-bridge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raceday.install.facts import bridge_config_path
from raceday.install.machine_files.config_files import BRIDGE_DATA, PLAIN_CAR_MQTT, TLS, Change, changed, quoted

SHIPPED_CONSOLE = 'host = "127.0.0.1"\nport = 8443\n'
SHIPPED_LEASH = '# key_file = "leash/raceday-leash.key"\n'
SHIPPED_MODEL = "Sample_single_cam"  # that cars are sold with
LEASH_KEY = "raceday-leash.key"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """The broker as the station of this machine reaches it; `wants_certificates`: by TLS and certificates."""

    host: str = "127.0.0.1"
    port: int = 1883
    wants_certificates: bool = False


def data_folder(name: str) -> str:
    """What the bridge itself writes to."""
    return f"{BRIDGE_DATA}/{name}"


def password_path(name: str) -> str:
    """The console's password."""
    return f"/etc/raceday/bridge-{name}.password"


def leash_folder(name: str) -> str:
    """The files that are carried to the car."""
    return f"/etc/raceday/leash-{name}"


def leash_key_path(name: str) -> str:
    """The leash's key, which the bridge reads too."""
    return f"{leash_folder(name)}/{LEASH_KEY}"


def broker_of(station: Mapping[str, Any]) -> BrokerAddress:
    """By the station's config: the bridge runs beside it and reaches the same broker."""
    mqtt = station.get("mqtt")
    mqtt = mqtt if isinstance(mqtt, Mapping) else {}
    host, port = mqtt.get("host", "127.0.0.1"), mqtt.get("port", 1883)
    return BrokerAddress(str(host), port if isinstance(port, int) else 1883, bool(mqtt.get("cert")))


def bridge_config(shipped: str, name: str, console: str, port: int, model: str, broker: BrokerAddress) -> str:
    """/etc/raceday/bridge-NAME.toml, without a leash: that is a change of its own."""
    return changed(
        shipped,
        [
            ("config/bridge.toml", bridge_config_path(name)),
            ('device = "car-1"\n', f"device = {quoted(name)}\n"),
            (SHIPPED_CONSOLE, console_lines(console, port)),
            ('"secrets/car-1.console-password"', quoted(password_path(name))),
            ('"secrets/car-1.console-certificate"', quoted(f"{data_folder(name)}/console-certificate")),
            (f'model = "{SHIPPED_MODEL}"\n', f"model = {quoted(model or SHIPPED_MODEL)}\n"),
            (PLAIN_CAR_MQTT, broker_lines(name, broker)),
        ],
    )


def console_lines(host: str, port: int) -> str:
    """Where the console is, as the config says it."""
    return f"host = {quoted(host)}\nport = {port}\n"


def broker_lines(name: str, broker: BrokerAddress) -> str:
    """The beginning of [mqtt]."""
    lines = f"host = {quoted(broker.host)}\nport = {broker.port}\n"
    if not broker.wants_certificates:
        return lines
    return f'{lines}ca = "{TLS}/ca.pem"\ncert = "{TLS}/{name}.pem"\nkey = "{TLS}/{name}.key"\n'


def leash_change(name: str) -> Change:
    """The line that names the leash's key, as it is shipped and with the key."""
    return SHIPPED_LEASH, f"key_file = {quoted(leash_key_path(name))}\n"
