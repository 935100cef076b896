"""Asks a broker who is let in and what is denied, without disturbing a machine that is connected under the same name.

With certificates the broker gives a client the session of its name: a second CONNECT would throw the running service
out. So `handshake` ends before CONNECT, and only `publish`, for a machine whose service does not run, sends one. It
speaks TLS 1.2, in which a broker refuses a certificate within the handshake, not at some time after it.
"""

import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from shared.link.options import MqttOptions

ANSWER_S = 5.0
NOBODYS_TOPIC = "raceday/doctor"  # in no access rule, and subscribed to by nobody


@dataclass(frozen=True, slots=True)
class BrokerAnswer:
    """Was there an answer, were we let in, was the publish denied (None: not tried); `reason` says why not."""

    is_reached: bool
    is_let_in: bool = False
    is_denied: bool | None = None
    reason: str = ""


def handshake(options: MqttOptions, *, with_certificate: bool = True) -> BrokerAnswer:
    """Connects, and over TLS shows the certificate; sends no MQTT with it.

    Without the certificate a CONNECT under no name is sent, to see whether it is refused.
    """
    try:
        plain = socket.create_connection((options.host, options.port), ANSWER_S)
    except OSError as error:
        return BrokerAnswer(is_reached=False, reason=_why(error))
    with plain:
        if not options.ca:
            return BrokerAnswer(is_reached=True, is_let_in=True)
        try:
            tls = ssl.create_default_context(cafile=options.ca)
            tls.maximum_version = ssl.TLSVersion.TLSv1_2
            if with_certificate and options.cert:
                tls.load_cert_chain(options.cert, options.key)
            with tls.wrap_socket(plain, server_hostname=options.host) as sock:
                is_let_in = with_certificate or _is_nobody_let_in(sock)
                return BrokerAnswer(is_reached=True, is_let_in=is_let_in)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            return BrokerAnswer(is_reached=True, reason=_why(error))


def publish(options: MqttOptions, name: str) -> BrokerAnswer:
    """Publishes to a topic that nobody may write, as the machine `name`; only while its service does not run."""
    connected, answered = threading.Event(), threading.Event()
    refusals: list[bool] = []
    reasons: list[str] = []
    client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False)
    client.connect_timeout = ANSWER_S

    def on_connect(_client: Client, _data: object, _flags: Any, reason: Any, _properties: object) -> None:
        reasons.append(str(reason))
        if not reason.is_failure:
            connected.set()
            client.publish(NOBODYS_TOPIC, b"?", 1)

    def on_publish(_client: Client, _data: object, _mid: int, reason: Any, _properties: object) -> None:
        refusals.append(bool(reason.is_failure))
        answered.set()

    client.on_connect, client.on_publish = on_connect, on_publish
    client.on_disconnect = lambda *_: answered.set()
    try:
        if options.ca:
            client.tls_set(options.ca, options.cert or None, options.key or None)
        client.connect(options.host, options.port, clean_start=True)
    except (OSError, ValueError) as error:
        return BrokerAnswer(is_reached=False, reason=_why(error))
    client.loop_start()
    try:
        answered.wait(ANSWER_S)
    finally:
        client.disconnect()
        client.loop_stop()
    if not connected.is_set():
        return BrokerAnswer(is_reached=True, reason=reasons[-1] if reasons else "it closed the connection")
    return BrokerAnswer(is_reached=True, is_let_in=True, is_denied=refusals[0] if refusals else None)


def _is_nobody_let_in(sock: ssl.SSLSocket) -> bool:
    """The answer to a CONNECT of MQTT 3.1.1 with a clean session and no name, which the broker then chooses."""
    sock.settimeout(ANSWER_S)
    sock.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00")
    received = sock.recv(4)
    return received[:1] == b"\x20" and received[3:4] == b"\x00"


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return getattr(error, "strerror", None) or str(error)
