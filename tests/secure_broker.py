"""A real mosquitto as an event has it: Debian's own main file, the shipped config, files made by `raceday certs`."""

import datetime as dt
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from raceday.broker import free_port, mosquitto_path
from raceday.certs.authority_folder import AuthorityFolder
from raceday.certs.carried_file import place
from raceday.certs.names import MachineRole
from raceday.install.shipped_files import config_text
from shared.link.mqtt import MqttOptions

NOW = dt.datetime.now(dt.UTC)
# /etc/mosquitto/mosquitto.conf of Debian's packages 2.0.11 and 2.0.21, without its comments.
DEBIANS_OWN = """\
pid_file /run/mosquitto/mosquitto.pid
persistence true
persistence_location /var/lib/mosquitto/
log_dest file /var/log/mosquitto/mosquitto.log
include_dir /etc/mosquitto/conf.d
"""


class SecureBroker:
    """Started by its constructor, on a free port; the caller ends it. Only paths and port are not those of Debian.

    Under root it gives its rights up for Debian's user `mosquitto`, as a service does.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.folder, self.port = pathlib.Path(tempfile.mkdtemp(prefix="raceday-broker-")), free_port()
        self.folder.chmod(0o755)
        self.authority = AuthorityFolder(self.folder / "etc/raceday")
        self.authority.initialise("Raceday test", ("localhost", "127.0.0.1"), NOW)
        for name in names:
            self.issue(name)
        config = self._write_configs()
        self._words = [mosquitto_path() or "mosquitto", "-c", str(config)]
        self._process = self._started()

    def issue(self, name: str) -> None:
        """Makes the certificate of a machine and puts it into the machine's own folder."""
        role: MachineRole = "station" if name.startswith("station") else "car" if name.startswith("car") else "display"
        place(self.authority.issue(role, name, NOW)[0], self.folder / name, None)

    def options(self, name: str, **more: Any) -> MqttOptions:
        files = self.folder / name
        own = {"ca": str(files / "ca.pem"), "cert": str(files / f"{name}.pem"), "key": str(files / f"{name}.key")}
        return MqttOptions(port=self.port, **{**own, **more})

    def client(self, name: str) -> "RawClient":
        return RawClient(self, name)

    def log(self) -> bytes:
        path = self.folder / "var/log/mosquitto/mosquitto.log"
        return path.read_bytes() if path.exists() else b""

    def reload(self) -> None:
        """As `systemctl reload mosquitto` does it."""
        before = self.log().count(b"Reloading config.")
        self._process.send_signal(signal.SIGHUP)
        self.until(lambda: self.log().count(b"Reloading config.") > before)

    def until(self, condition: Callable[[], object], timeout_s: float = 20.0) -> None:
        until_s, never = time.monotonic() + timeout_s, threading.Event()
        while not condition():
            assert time.monotonic() < until_s, self.log().decode(errors="replace")[-2000:]
            assert self._process.poll() is None, self.log().decode(errors="replace")[-2000:]
            never.wait(0.01)

    @property
    def pid(self) -> int:
        return self._process.pid

    def restart(self) -> None:
        """As `systemctl restart mosquitto` does it."""
        self._stop()
        self._process = self._started()

    def end(self) -> None:
        self._stop()
        shutil.rmtree(self.folder)

    def _started(self) -> "subprocess.Popen[bytes]":
        before = self.log().count(b" running\n")
        process = subprocess.Popen(self._words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_s, never = time.monotonic() + 20.0, threading.Event()
        while self.log().count(b" running\n") == before:
            assert time.monotonic() < until_s, self.log().decode(errors="replace")[-2000:]
            assert process.poll() is None, self.log().decode(errors="replace")[-2000:]
            never.wait(0.01)
        return process

    def _stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _write_configs(self) -> pathlib.Path:
        for name in ("run/mosquitto", "var/lib/mosquitto", "var/log/mosquitto", "etc/mosquitto/conf.d"):
            (self.folder / name).mkdir(parents=True)
            if os.geteuid() == 0:
                shutil.chown(self.folder / name, "mosquitto", "mosquitto")
        shipped = config_text("mosquitto.conf").replace("listener 8883", f"listener {self.port} 127.0.0.1")
        shipped = shipped.replace("# crlfile", "crlfile")
        (self.folder / "etc/mosquitto/conf.d/raceday.conf").write_text(self._moved(shipped))
        config = self.folder / "etc/mosquitto/mosquitto.conf"
        config.write_text(self._moved(DEBIANS_OWN))
        return config

    def _moved(self, text: str) -> str:
        for folder in ("/etc/raceday", "/etc/mosquitto", "/run/mosquitto", "/var/lib/mosquitto", "/var/log/mosquitto"):
            text = text.replace(f" {folder}", f" {self.folder}{folder}")
        return text


class RawClient:
    """A bare MQTT 5 client, which can try what none of our links would."""

    def __init__(self, broker: SecureBroker, name: str) -> None:
        self.topics: list[str] = []
        self.is_disconnected = threading.Event()
        self._answers: dict[int, bool] = {}
        self._changed = threading.Condition()
        # One that connected again by itself would hide that it was disconnected.
        self._client = Client(
            CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        options = broker.options(name)
        self._client.tls_set(options.ca, options.cert, options.key)
        self._client.on_message = lambda _c, _d, message: self.topics.append(message.topic)
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = lambda *_: self.is_disconnected.set()
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe("raceday/#", 1)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert ready.wait(10)

    def publish_at_once(self, topic: str, payload: bytes) -> None:
        """Publishes and waits for no answer."""
        self._client.publish(topic, payload, 1)

    def may_publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> bool:
        mid = self._client.publish(topic, payload, 1, retain).mid
        with self._changed:
            assert self._changed.wait_for(lambda: mid in self._answers, 10)
        return self._answers[mid]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, _client: Client, _data: object, mid: int, reason: Any, _properties: object) -> None:
        with self._changed:
            self._answers[mid] = not reason.is_failure
            self._changed.notify_all()
