"""How a machine reaches its broker: the `[mqtt]` table of its config."""

import pathlib
import stat
from dataclasses import dataclass

from shared.config import setting
from shared.errors import ConfigError
from shared.text import text


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """TLS is used as soon as `ca` is given; `cert` and `key` are this machine's own, and the CN is its name."""

    host: str = setting("127.0.0.1", what="the broker's host name or address")
    port: int = setting(1883, min=1, max=65535, what="1883 plain, 8883 TLS")
    client_id: str = setting("", what="the name at the broker; empty: the machine's own name")
    username: str = setting("", what="only for brokers with passwords; with certificates the CN is the name")
    password_file: str = setting("", what="a file whose first line is the password", file=True)
    ca: str = setting("", what="PEM of the authority that signed the broker's certificate", file=True)
    cert: str = setting("", what="PEM of this machine's certificate", file=True)
    key: str = setting("", what="PEM of this machine's private key", file=True)
    protocol: str = setting("auto", choices=("auto", "5", "3.1.1"), what="auto tries 5, then 3.1.1")
    keepalive_s: int = setting(5, min=1, max=600, what="a silent peer is noticed after about twice this")
    session_expiry_s: int = setting(3600, min=0, max=604800, what="how long the broker stores what we missed")
    queue_limit: int = setting(1000, min=1, max=100_000, what="QoS 1 messages held while the broker is away")

    def __post_init__(self) -> None:
        if bool(self.cert) != bool(self.key):
            raise ConfigError("`mqtt.cert` and `mqtt.key` belong together: set both or none.")
        if self.cert and not self.ca:
            raise ConfigError("`mqtt.cert` needs `mqtt.ca`, the authority that signed the broker's certificate.")
        for path in (self.password_file, self.ca, self.cert, self.key):
            if path and not pathlib.Path(path).is_file():
                raise ConfigError(f"`mqtt`: there is no file {path}.")
        for path in (self.password_file, self.key):
            if path and stat.S_IMODE(pathlib.Path(path).stat().st_mode) & 0o077:
                # Who reads it is this machine, for the broker; certificates (`ca`, `cert`) are no secrets.
                raise ConfigError(text("`mqtt`: others may read or write {file}: run `chmod 600 {file}`.", file=path))
