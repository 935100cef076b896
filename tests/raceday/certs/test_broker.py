"""What `raceday certs` makes, on a real mosquitto that runs as Debian starts it: who is let in, and who no more."""

import functools
import pathlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from raceday.broker import mosquitto_path
from raceday.certs.authority_folder import AuthorityFolder
from raceday.certs.carried_file import place
from shared.link.interface import Delivery, Subscription
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from tests.secure_broker import NOW, SecureBroker

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def broker() -> Iterator[SecureBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: this test needs a real broker")
    made = SecureBroker(("station-1", "car-1", "car-2", "car-3"))
    yield made
    made.end()


def is_let_in(options: MqttOptions) -> bool:
    """A handshake and a CONNECT as MQTT 3.1.1 writes it; TLS 1.3 refuses a certificate only after the handshake."""
    tls = ssl.create_default_context(cafile=options.ca)
    tls.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does by itself
    if options.cert:
        tls.load_cert_chain(options.cert, options.key)
    try:
        with (
            socket.create_connection(("127.0.0.1", options.port), 10) as plain,
            tls.wrap_socket(plain, server_hostname="localhost") as sock,
        ):
            sock.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")
            return sock.recv(4)[:1] == b"\x20"
    except OSError:
        return False


def test_machines_with_certificates_are_let_in_and_no_one_else(broker: SecureBroker, tmp_path: pathlib.Path) -> None:
    assert is_let_in(broker.options("station-1"))
    assert is_let_in(broker.options("car-1"))
    assert not is_let_in(broker.options("car-1", cert="", key=""))
    # The same name from somebody else's authority.
    other = AuthorityFolder(tmp_path)
    other.initialise("Raceday test", ("localhost",), NOW)
    place(other.issue("car", "car-1", NOW)[0], tmp_path / "car-1", None)
    false = {"cert": str(tmp_path / "car-1/car-1.pem"), "key": str(tmp_path / "car-1/car-1.key")}
    assert not is_let_in(broker.options("car-1", **false))
    # The broker's own certificate is none for a machine.
    copied = tmp_path / "broker.key"
    copied.touch(0o600)
    copied.write_bytes((broker.authority.tls / "broker.key").read_bytes())
    assert not is_let_in(broker.options("car-1", cert=str(broker.authority.tls / "broker.pem"), key=str(copied)))


def test_our_links_meet_as_strictly_as_on_python_3_13(broker: SecureBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    contexts: list[ssl.SSLContext] = []
    made = ssl.create_default_context

    @functools.wraps(made)
    def strict(*arguments: Any, **options: Any) -> ssl.SSLContext:
        tls = made(*arguments, **options)
        tls.verify_flags |= ssl.VERIFY_X509_STRICT
        contexts.append(tls)
        return tls

    monkeypatch.setattr(ssl, "create_default_context", strict)
    received: list[Delivery] = []
    station = MqttLink(broker.options("station-1"), "station-1", "s1", "station")
    car = MqttLink(broker.options("car-1", host="localhost"), "car-1", "c1", "car")
    assert len(contexts) == 2  # each link's own; the station's canary makes further ones
    station.start([Subscription(BY_BODY[m.CarLap])], received.append)
    car.start([], lambda delivery: delivery.ack())
    broker.until(lambda: station.state().connected and car.state().connected)
    broker.until(lambda: car.publish(m.CarLap(1, "c1")) and received)
    broker.until(lambda: not station.state().unsafe)
    for link in (station, car):
        link.close()


def test_a_revoked_car_is_out_at_the_reload_and_disturbs_nobody(broker: SecureBroker) -> None:
    revoked, other = broker.client("car-2"), broker.client("car-1")
    station = broker.client("station-1")
    topic = "raceday/cars/car-2/state"
    assert revoked.may_publish(topic)
    broker.authority.revoke("car-2", NOW)
    assert is_let_in(broker.options("car-3"))  # the broker still has the old files
    broker.reload()
    # The connection that stands is let neither say nor hear anything; a new one is not made.
    assert not revoked.may_publish(topic)
    assert station.may_publish("raceday/to/car-2/order")
    assert station.may_publish("raceday/to/car-1/order")
    broker.until(lambda: "raceday/to/car-1/order" in other.topics)
    assert "raceday/to/car-2/order" not in revoked.topics
    assert not is_let_in(broker.options("car-2"))
    # All others stay connected.
    assert other.may_publish("raceday/cars/car-1/state")
    assert not other.is_disconnected.is_set()
    assert not station.is_disconnected.is_set()
    # A second one, so that the broker holds three lists, one of which is the newest.
    broker.authority.revoke("car-3", NOW)
    broker.reload()
    # mosquitto 2.0.21 may end the first connection after a reload ("exceeded timeout") and takes the next.
    broker.until(lambda: is_let_in(broker.options("car-1")))
    assert [is_let_in(broker.options(name)) for name in ("car-2", "car-3")] == [False, False]
    # With a new certificate the car is back.
    broker.issue("car-2")
    broker.reload()
    back = broker.client("car-2")
    assert back.may_publish(topic)
    for client in (revoked, other, station, back):
        client.close()
