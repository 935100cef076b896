"""The shipped limits on a real mosquitto: silent connections shut nobody out, and no car fills the broker's memory."""

import functools
import pathlib
import re
import resource
import socket
import ssl
from collections.abc import Iterator

import pytest

from raceday.broker import mosquitto_path
from raceday.install.machine_files.broker_files import DROP_IN, MAX_FILES
from raceday.install.shipped_files import config_text
from shared.link.acl import MAY_WRITE
from shared.link.options import MqttOptions
from tests.secure_broker import SecureBroker

SILENT = 1_150  # as many as shut every car out of a broker with Debian's 1,024 open files
AT_ONCE = 80  # the kernel holds 100 that the broker has not accepted yet
pytestmark = pytest.mark.broker


def limit(name: str) -> int:
    found = re.search(rf"^{name} (\d+)$", config_text("mosquitto.conf"), re.MULTILINE)
    assert found is not None, name
    return int(found[1])


@pytest.fixture
def broker() -> Iterator[SecureBroker]:
    """It has as many files as the drop-in of `raceday install` gives it; so has this process, which needs them too."""
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: this test needs a real broker")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < MAX_FILES:
        pytest.skip(f"this machine lets no process have {MAX_FILES} files open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, before[1]))
    made = SecureBroker(("car-1",))
    yield made
    made.end()
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def is_let_in(options: MqttOptions) -> bool:
    """A whole CONNECT; without select(2), which knows no descriptor above 1,023."""
    tls = ssl.create_default_context(cafile=options.ca)
    tls.load_cert_chain(options.cert, options.key)
    with (
        socket.create_connection(("127.0.0.1", options.port), 10) as plain,
        tls.wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        sock.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")
        return sock.recv(4)[3:] == b"\0"


def test_silent_connections_shut_no_car_out(broker: SecureBroker) -> None:
    silent: list[socket.socket] = []
    while len(silent) < SILENT:
        silent += [socket.create_connection(("127.0.0.1", broker.port), 10) for _ in range(AT_ONCE)]
        broker.until(functools.partial(has_open_files, broker.pid, len(silent)))
    assert is_let_in(broker.options("car-1"))
    for each in silent:
        each.close()


def has_open_files(pid: int, more_than: int) -> bool:
    return sum(1 for _ in pathlib.Path(f"/proc/{pid}/fd").iterdir()) > more_than


def test_the_broker_refuses_before_its_files_run_out() -> None:
    """It closes one connection too many; one that the kernel has no descriptor for waits, and the broker spins."""
    assert limit("max_connections") + 100 < MAX_FILES
    assert f"\nLimitNOFILE={MAX_FILES}\n" in DROP_IN


def test_what_one_car_can_store_is_a_few_messages(broker: SecureBroker) -> None:
    """The attack stored 15,400 of 15 kB; the memory is bounded by the count of topics that the rules name."""
    client = broker.client("car-1")
    stored = [client.may_publish(f"raceday/cars/car-1/{number}", b"z" * 15_000, retain=True) for number in range(20)]
    assert not any(stored)
    for topic in MAY_WRITE["car"]:
        assert client.may_publish(topic.replace("%u", "car-1"), b"z" * 15_000, retain=True)
    client.close()
    assert len(MAY_WRITE["car"]) * limit("max_packet_size") <= 65_536


def test_a_message_that_is_too_large_ends_its_connection(broker: SecureBroker) -> None:
    client = broker.client("car-1")
    client.publish_at_once("raceday/cars/car-1/state", b"z" * (limit("max_packet_size") + 1))
    assert client.is_disconnected.wait(10)
    assert is_let_in(broker.options("car-1"))


def test_all_queues_together_leave_memory() -> None:
    """Thirty machines that are away, each with a full queue, and what they store: half of what the broker may take."""
    machines = 30
    assert machines * (limit("max_queued_bytes") + 65_536) <= limit("memory_limit") / 2
