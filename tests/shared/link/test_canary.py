"""The canary that must be denied: on a real broker with rules, without them, and after they are put right."""

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from raceday.broker import mosquitto_path
from raceday.certs import machine_names
from shared.errors import Refused
from shared.link.broker_probe import BrokerAnswer
from shared.link.canary import (
    AGAIN_S,
    AGAIN_UNSAFE_S,
    ASKED,
    CANARY,
    ECHO_S,
    LET_IN,
    LET_THROUGH,
    TOPIC,
    WITHOUT_NAMES,
    CanaryTrial,
)
from shared.link.interface import Subscription
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from tests.secure_broker import SecureBroker

BEATS = Subscription(BY_BODY[m.CarHeartbeat])


class Published:
    """What was published by the trial, with the ids of paho's."""

    def __init__(self) -> None:
        self.mids: list[int] = []

    def publish(self, topic: str, payload: str, qos: int) -> "Published":
        assert (topic, payload, qos) == (TOPIC, CANARY, 1)
        self.mids.append(len(self.mids) + 1)
        return self

    @property
    def mid(self) -> int:
        return self.mids[-1]


def trial(**options: Any) -> tuple[CanaryTrial, Any]:
    """Of a station that names itself by a password, in a broker that lets nobody in."""
    made = CanaryTrial(MqttOptions(username="station-1", **options), "station")
    made.on_connected()
    return made, Published()


def test_no_run_starts_before_the_answer() -> None:
    canary, client = trial()
    assert canary.unsafe(0.0) == ASKED
    canary.ask_if_due(client, 0.0)
    assert canary.on_answer(client.mid, denied=True, tells=True, now_s=0.1)
    assert canary.unsafe(0.1) == ""
    assert not canary.on_answer(client.mid, denied=False, tells=True, now_s=0.2), "answered once"
    assert not canary.on_answer(999, denied=False, tells=True, now_s=0.2), "another message's answer"


def test_what_is_let_through_is_told_until_it_is_denied() -> None:
    canary, client = trial()
    canary.ask_if_due(client, 0.0)
    canary.on_answer(client.mid, denied=False, tells=True, now_s=0.1)
    assert canary.unsafe(0.1) == LET_THROUGH
    canary.ask_if_due(client, AGAIN_UNSAFE_S + 0.1)
    assert len(client.mids) == 2, "asked again soon"
    assert canary.unsafe(5.2) == LET_THROUGH, "until the answer"
    canary.on_answer(client.mid, denied=True, tells=True, now_s=5.3)
    assert canary.unsafe(5.3) == ""
    canary.ask_if_due(client, 10.2)
    canary.ask_if_due(client, 10.2 + AGAIN_S)
    assert len(client.mids) == 4


def test_rules_that_end_while_the_connection_stands_are_noticed() -> None:
    canary, client = trial()
    for at_s, denied in ((0.0, True), (100.0, True), (200.0, False)):
        canary.ask_if_due(client, at_s)
        canary.on_answer(client.mid, denied=denied, tells=True, now_s=at_s)
    assert canary.unsafe(200.0) == LET_THROUGH


def test_in_mqtt_3_an_echo_tells() -> None:
    canary, client = trial()
    canary.ask_if_due(client, 0.0)
    canary.on_answer(client.mid, denied=False, tells=False, now_s=1.0)
    assert canary.unsafe(1.0) == ASKED
    assert canary.is_echo(TOPIC, CANARY.encode())
    assert canary.unsafe(1.0 + 2 * ECHO_S) == LET_THROUGH
    canary.ask_if_due(client, 20.0)
    canary.on_answer(client.mid, denied=False, tells=False, now_s=20.0)
    assert canary.unsafe(20.0) == LET_THROUGH
    assert canary.unsafe(20.0 + ECHO_S) == ""


def test_another_connection_is_tried_anew() -> None:
    canary, client = trial()
    canary.ask_if_due(client, 0.0)
    canary.on_answer(client.mid, denied=True, tells=True, now_s=0.0)
    canary.on_connected()
    assert canary.unsafe(1.0) == ASKED
    canary.ask_if_due(client, 1.0)
    assert len(client.mids) == 2


@pytest.mark.parametrize("options", [MqttOptions(), MqttOptions(host="192.0.2.1")])
def test_a_broker_that_asks_for_no_name_has_no_rules_to_try(options: MqttOptions) -> None:
    canary, client = CanaryTrial(options, "station"), Published()
    canary.on_connected()
    canary.ask_if_due(client, 0.0)  # type: ignore[arg-type]
    assert (canary.unsafe(0.0), client.mids) == ("", [])
    assert not canary.is_echo(TOPIC, CANARY.encode())
    assert canary.notice == ("" if options.host == "127.0.0.1" else WITHOUT_NAMES)
    assert CanaryTrial(options, "car").notice == ""


def test_a_machine_called_canary_is_no_echo() -> None:
    canary, _ = trial()
    assert not canary.is_echo(TOPIC, b'{"v":1}')


def test_who_has_no_certificate_must_be_kept_out(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ca.pem").touch()
    answers = [BrokerAnswer(is_reached=True, is_let_in=True), BrokerAnswer(is_reached=True)]
    options = MqttOptions(username="station-1", ca=str(tmp_path / "ca.pem"))
    canary, client = CanaryTrial(options, "station", lambda *_, **__: answers.pop(0)), Published()
    canary.on_connected()
    for at_s, says in ((0.0, LET_IN), (AGAIN_UNSAFE_S, "")):
        canary.ask_if_due(client, at_s)  # type: ignore[arg-type]
        canary._nobody.join()
        canary.on_answer(client.mid, denied=True, tells=True, now_s=at_s)
        assert canary.unsafe(at_s) == says


@pytest.fixture
def broker() -> Iterator[SecureBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: this test needs a real broker")
    made = SecureBroker(("station-1",))
    yield made
    made.end()


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_real_broker_whose_rules_are_lost_and_put_back(broker: SecureBroker, protocol: str) -> None:
    config = broker.folder / "etc/mosquitto/conf.d/raceday.conf"
    rules = config.read_text()
    station = MqttLink(broker.options("station-1", protocol=protocol), "station-1", "s1", "station")
    station.start([BEATS], lambda delivery: delivery.ack())
    broker.until(lambda: station.state().connected and station.state().unsafe == "")
    config.write_text("\n".join(line for line in rules.splitlines() if not line.startswith("acl_file")))
    broker.restart()
    broker.until(lambda: station.state().connected and station.state().unsafe == LET_THROUGH)
    config.write_text(rules)
    broker.restart()
    broker.until(lambda: station.state().connected and station.state().unsafe == "")
    config.write_text(
        rules.replace("require_certificate true", "require_certificate false")
        .replace("allow_anonymous false", "allow_anonymous true")
        .replace("use_identity_as_username true", "")
        .replace("use_username_as_clientid true", "")
        .replace("acl_file", "# acl_file")
    )
    broker.restart()
    broker.until(lambda: station.state().connected and station.state().unsafe == LET_IN)
    station.close()


def test_nobody_gets_a_certificate_of_the_canarys_name() -> None:
    assert machine_names.CANARY == CANARY
    with pytest.raises(Refused, match="another's"):
        machine_names.checked_machine_name(CANARY)
