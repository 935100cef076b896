"""Looks at a stock car from outside of its bridge, and changes nothing: certificate, login, leash. For the doctor.

None of it moves the car. A login at a stock console ends the one before it, so `models_of` is for a bridge that does
not run; the leash answers whoever has its key, and a datagram without its newest stamp counts for nothing there.
"""

import hashlib
import socket
import time
from dataclasses import dataclass

from shared.errors import BadInput, RetryLater
from shared.text import text
from vehicle.bridge.build import leash_key
from vehicle.bridge.certificate_pin import CertificatePin
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.console_session import ConsoleSession, unverified
from vehicle.bridge.core.console_calls import ConsoleCall
from vehicle.bridge.core.leash_holder import LeashHolder
from vehicle.bridge.leash.raceday_leash import STATE_BYTES, read_state

ANSWER_S = 5.0
LEASH_S, LEASH_TRIES = 1.0, 3


@dataclass(frozen=True, slots=True)
class LeashReport:
    """What the leash answered: whether the car has an enable line, and what it cannot do ("" if it can)."""

    has_line: bool
    fault: str


class KeptPin(CertificatePin):
    """Knows the certificate that the bridge has kept, and keeps none itself."""

    def _keep(self, fingerprint: str) -> None:
        del fingerprint
        raise BadInput(text("the bridge has not kept its certificate yet, so it is not sent the password"))


def fingerprint_of(host: str, port: int) -> str:
    """The SHA-256 of the certificate that the console shows now, in hexadecimal. Raises OSError."""
    with (
        socket.create_connection((host, port), ANSWER_S) as plain,
        unverified().wrap_socket(plain, server_hostname=host) as console,
    ):
        return hashlib.sha256(console.getpeercert(binary_form=True) or b"").hexdigest()


def models_of(config: BridgeConfig) -> tuple[str, ...]:
    """Logs in and asks for the models on the car. Raises RetryLater, which says why that does not work."""
    console = config.console
    session = ConsoleSession(console.host, console.port, console.password_file, KeptPin(console.certificate_file))
    answer = session.call(ConsoleCall("models"), ANSWER_S)
    if answer.outcome != "done":
        raise RetryLater(answer.why or answer.outcome)
    return answer.names


def leash_report(config: BridgeConfig) -> LeashReport:
    """Asks the leash how it is. Raises OSError if it does not answer, ConfigError without its key."""
    leash = config.leash
    key, holder = leash_key(leash.key_file), LeashHolder(time.time_ns())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(LEASH_S)
        asking.connect((leash.host or config.console.host, leash.port))
        for _ in range(LEASH_TRIES):
            asking.send(holder.next_hold().pack(key))
            try:
                state = read_state(asking.recv(2 * STATE_BYTES), key)
            except TimeoutError:
                continue
            if state is not None:
                holder.on_state(state, 0)
                return LeashReport(holder.has_line, holder.fault)
    raise TimeoutError(text("no answer with its key"))
