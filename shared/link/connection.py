"""One connection to a broker by paho: TLS, session, will and subscriptions, in MQTT 5 and in 3.1.1."""

import hashlib
import pathlib
import socket
import ssl
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from shared.errors import ConfigError
from shared.link.inflow.filtered_client import FilteredClient
from shared.link.inflow.publish_filter import PublishFilter
from shared.link.inflow.rate_limits import MAX_PACKET_BYTES
from shared.link.interface import Subscription
from shared.link.liveness import CONNECT_S
from shared.link.options import MqttOptions
from shared.link.packets import Packet
from shared.link.tls.certificate_dates import CertificateDates
from shared.protocol.topics import Speaker
from shared.text import Sentence, text

RECEIVE_MAXIMUM = 100
RECEIVE_BUFFER_BYTES = 65_536

_V5, _V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


class BrokerConnection:
    """Makes paho clients, one per connection. With `protocol = "auto"` an unanswered MQTT 5 becomes 3.1.1, and back."""

    def __init__(self, options: MqttOptions, client_id: str, will: Packet) -> None:
        self.address = f"{options.host}:{options.port}"
        self._options = options
        self.client_id = options.client_id or client_id
        self._will = will
        self._tls = _tls(options)
        own = [pathlib.Path(path) for path in (options.ca, options.cert, options.key) if path]
        self._dates = CertificateDates(self._tls, own) if self._tls is not None else None
        self._password = _first_line(options.password_file)
        self._protocol = _V311 if options.protocol == "3.1.1" else _V5

    def new_client(self, publish_filter: PublishFilter) -> FilteredClient:
        """A paho client for one connection, with our will, user name and TLS; not yet connected."""
        v5 = self._protocol == _V5
        client = FilteredClient(
            publish_filter,
            CallbackAPIVersion.VERSION2,
            self.client_id,
            clean_session=None if v5 else False,
            protocol=self._protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        client.will_set(self._will.topic, self._will.payload, self._will.qos, self._will.state)
        if self._options.username:
            client.username_pw_set(self._options.username, self._password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        return client

    def connect(self, client: Client) -> None:
        """Open the socket and send CONNECT; blocks at most CONNECT_S for each. Raises OSError.

        The earlier session is resumed, so that what we have not acknowledged is delivered again.
        """
        options = self._options
        client.on_socket_open = _prefer_early
        if self._dates is not None:
            self._dates.prepare()
        if self._protocol == _V311:
            client.connect(options.host, options.port, options.keepalive_s)
        else:
            self._connect_5(client)
        if self._dates is not None:
            self._dates.check(client.socket())

    @property
    def notice(self) -> Sentence | str:
        """What there is to say about the connection that stands, "" if nothing."""
        return "" if self._dates is None else self._dates.notice

    def _connect_5(self, client: Client) -> None:
        options = self._options
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's is untyped
        properties.SessionExpiryInterval = options.session_expiry_s
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        client.connect(options.host, options.port, options.keepalive_s, clean_start=False, properties=properties)

    def subscribe(self, client: Client, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe to all in one packet; the broker then sends the retained states."""
        if not subscriptions:
            return
        if self._protocol == _V5:
            client.subscribe([(s.filter, SubscribeOptions(qos=s.topic.qos)) for s in subscriptions])
        else:
            plain: list[tuple[str, int]] = [(s.filter, s.topic.qos) for s in subscriptions]
            client.subscribe(plain)

    def publish(self, client: Client, packet: Packet) -> int:
        """Write the packet; returns its message id."""
        properties = None
        if self._protocol == _V5 and packet.expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's is untyped
            properties.MessageExpiryInterval = packet.expiry_s
        return client.publish(packet.topic, packet.payload, packet.qos, packet.state, properties).mid

    def disconnect_with_will(self, client: Client) -> None:
        """Close so that the broker sends our will: by the reason code of MQTT 5; without it by closing the socket."""
        if self._protocol == _V5 and client.is_connected():
            client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))

    @property
    def tells_refusals(self) -> bool:
        """Does this version of MQTT tell whether a publish was refused?"""
        return self._protocol == _V5

    def on_no_answer(self) -> None:
        """The broker did not answer CONNECT, as one without MQTT 5 may do (amqtt): change the version."""
        if self._options.protocol == "auto":
            self._protocol = _V311 if self._protocol == _V5 else _V5


def client_id(device: str, boot: str, speaker: Speaker) -> str:
    """A machine's name at the broker. A car's includes its boot: two cars of one name do not disconnect each other.

    A broker that names clients by their certificates (config/mosquitto.conf) ignores it; there the car that is
    disconnected reports it. A station's is the same at each boot, so that the broker ends its lost connection first.
    """
    return f"{device}-{hashlib.sha256(boot.encode()).hexdigest()[:12]}" if speaker == "car" else device


def _prefer_early(_client: Client, _data: object, sock: Any) -> None:
    # Two small messages in a row would wait for the broker's acknowledgement of the first: 20 ms more (measured).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # What waits behind a flood comes too late: the kernel would hold 6 MB, a second of 20,000 messages and more.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)


def _first_line(path: str) -> str | None:
    return pathlib.Path(path).read_text(encoding="utf-8").partition("\n")[0] if path else None


def _tls(options: MqttOptions) -> ssl.SSLContext | None:
    if not options.ca:
        return None
    try:
        tls = ssl.create_default_context(cafile=options.ca)
        if options.cert:
            tls.load_cert_chain(options.cert, options.key)
    except (OSError, ValueError) as error:
        raise ConfigError(
            text("The certificates for MQTT cannot be used ({why}); check `ca`, `cert` and `key`.", why=str(error))
        ) from None
    return tls
