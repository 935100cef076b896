"""`[metrics]` of station, car and leaderboard: whether and where figures are offered to Prometheus."""

import ipaddress
import pathlib
import stat
from dataclasses import dataclass

from shared.config import setting
from shared.errors import ConfigError

MIN_TOKEN = 16


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """Off unless enabled. On any address but loopback it needs a token, so that the hall cannot read it."""

    enabled: bool = setting(False, what="offer figures at http://HOST:PORT/metrics")
    host: str = setting("127.0.0.1", what="the address to listen on; any but loopback needs `token_file`")
    port: int = setting(
        9431, min=0, max=65535, what="0 takes any free port; two machines on one computer need two ports"
    )
    token_file: str = setting(
        "", what="a file whose first line Prometheus sends (`authorization: credentials_file`)", file=True
    )

    def __post_init__(self) -> None:
        if self.enabled and not self.token_file and not _is_loopback(self.host):
            raise ConfigError(
                f"`metrics.host` {self.host} is reached by others: set `metrics.token_file` to a file with a secret, "
                "or leave the host at 127.0.0.1."
            )

    def token(self) -> str:
        """The secret, "" if none is needed. Raises ConfigError for a file that cannot be it."""
        if not self.token_file:
            return ""
        path = pathlib.Path(self.token_file)
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise ConfigError(f"`metrics.token_file`: others may read or write {path}: run `chmod 600 {path}`.")
            words = path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"`metrics.token_file`: {path} cannot be read as a line of ASCII.") from None
        if len(words) != 1 or len(words[0]) < MIN_TOKEN:
            raise ConfigError(
                f"`metrics.token_file`: {path} needs one word of {MIN_TOKEN} characters or more: "
                f"`openssl rand -hex 32 > {path}` makes one."
            )
        return words[0]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
