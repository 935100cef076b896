"""The bridge's login at the mock console over real TLS: wrong passwords, stolen logins, dead tokens, hung calls."""

import http.client
import os
import pathlib
import queue
import socket
import stat
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.errors import ConfigError
from shared.link.mock import MockBroker, MockLink
from vehicle.bridge.bridge import Bridge
from vehicle.bridge.cancellable_start import CancellableStart
from vehicle.bridge.certificate_pin import CertificatePin
from vehicle.bridge.console_caller import ConsoleCaller
from vehicle.bridge.console_session import ConsoleSession
from vehicle.bridge.core.console_calls import CallKind, ConsoleCall, StockConsoleAnswer
from vehicle.bridge.core.stock_car import StockCar, StockCarOptions
from vehicle.bridge.leash_kit import FILES, KEY, write_kit
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import ConsoleRequest, ConsoleResponse, ConsoleVersion, MockConsole
from vehicle.bridge.mock_console.outputs import CarOutputs
from vehicle.bridge.mock_console.server import MockConsoleServer
from vehicle.bridge.secret_files import read_secret, write_secret


class Rig:
    """A console that serves, and sessions at it; both read `now_s`."""

    def __init__(self, folder: pathlib.Path, version: ConsoleVersion) -> None:
        self.folder = folder
        self.now_s = 100_000.0
        self.console = MockConsole(MockCar(CarOutputs()), version)
        self.server = MockConsoleServer(self.console, now_ns=lambda: round(self.now_s * 1e9))
        self.server.start()
        write_secret(folder / "password", "deepracer")

    def session(self) -> ConsoleSession:
        pin = CertificatePin(self.folder / "certificate")
        return ConsoleSession("127.0.0.1", self.server.port, self.folder / "password", pin, lambda: self.now_s)


@pytest.fixture(scope="module", params=["stock", "community"])
def served(request: pytest.FixtureRequest) -> Iterator[Rig]:
    folder = pathlib.Path(request.getfixturevalue("tmp_path_factory").mktemp("console"))
    rig = Rig(folder, request.param)
    yield rig
    rig.server.close()


@pytest.fixture
def rig(served: Rig) -> Rig:
    served.server.release()
    served.console.unready.clear()
    served.console.tokens.clear()
    served.console.password = "deepracer"
    return served


def test_it_logs_in_by_itself_and_says_what_was_answered(rig: Rig) -> None:
    session = rig.session()
    assert session.call(ConsoleCall("models")).names == ("Sample_single_cam",)
    assert session.call(ConsoleCall("battery")).number == 9
    assert session.call(ConsoleCall("mode")).outcome == "done"
    rig.console.unready.add("/api/start_stop")
    assert session.call(ConsoleCall("stop")) == StockConsoleAnswer(ConsoleCall("stop"), "refused", "Error")


def test_a_token_that_died_after_an_hour_is_renewed_before_a_stop_goes_out(rig: Rig) -> None:
    session = rig.session()
    session.call(ConsoleCall("mode"))
    rig.now_s += 3700
    assert session.call(ConsoleCall("stop")).outcome == "done"
    # The console was restarted with another key, or its clock was set: the token is refused although it is young.
    session._token = "dead"
    assert session.call(ConsoleCall("stop")).outcome == "done"


def test_a_login_that_somebody_else_ended_is_taken_back_only_by_calls_that_may(rig: Rig) -> None:
    session, browser = rig.session(), rig.session()
    session.call(ConsoleCall("battery"))
    browser.call(ConsoleCall("battery"))
    poll = session.call(ConsoleCall("battery", may_log_in=False))
    if rig.console.version == "community":
        assert poll.outcome == "done", "both logins stay"
        return
    assert poll.outcome == "thrown_out"
    assert browser.call(ConsoleCall("battery", may_log_in=False)).outcome == "done"
    assert session.call(ConsoleCall("stop")).outcome == "done"
    assert browser.call(ConsoleCall("battery", may_log_in=False)).outcome == "thrown_out"


def test_a_login_that_ended_by_its_age_is_nobodys_doing(rig: Rig) -> None:
    session = rig.session()
    session.call(ConsoleCall("battery"))
    rig.now_s += 13 * 3600
    assert session.call(ConsoleCall("battery", may_log_in=False)).outcome == "done"


def test_a_wrong_password_is_said_with_its_file_and_without_itself(rig: Rig) -> None:
    rig.console.password = "changed"
    answer = rig.session().call(ConsoleCall("battery"))
    assert answer.outcome == "unreachable"
    assert "refuses the password in" in answer.why
    assert "deepracer" not in answer.why.replace(str(rig.folder), "")


def test_a_certificate_that_changed_gets_no_password(rig: Rig) -> None:
    rig.session().call(ConsoleCall("battery"))
    pin = rig.folder / "certificate"
    known = pin.read_text()
    rig.console.tokens.clear()
    assert stat.S_IMODE(pin.stat().st_mode) == 0o600
    try:
        pin.write_text("0" * 64 + "\n")
        answer = rig.session().call(ConsoleCall("battery"))
        assert "certificate has changed" in answer.why
        assert not rig.console.tokens
    finally:
        pin.write_text(known)


def test_a_stop_goes_out_while_another_call_hangs_in_the_console(rig: Rig) -> None:
    session = rig.session()
    session.call(ConsoleCall("mode"))
    answers: list[StockConsoleAnswer] = []
    stopped, answered = threading.Event(), threading.Event()

    def on_answer(answer: StockConsoleAnswer) -> None:
        answers.append(answer)
        (stopped if answer.call.kind == "stop" else answered).set()

    rig.server.hang("/api/max_nav_throttle")
    caller = ConsoleCaller(session, on_answer)
    caller.start()
    caller.submit(ConsoleCall("throttle", number=10))
    assert rig.server.hanging.wait(30)
    caller.submit(ConsoleCall("stop"))
    assert stopped.wait(30)
    assert [answer.call.kind for answer in answers] == ["stop"]
    rig.server.release()
    assert answered.wait(30)
    assert answers[-1].outcome == "refused"
    caller.close()


class HeldAnswers:
    """Holds answers of the login page and of logins until they are let go: `holds` names which, in order of arrival."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch, holds: list[bool]) -> None:
        self._answer, self._holds = rig.server.answer, holds
        self.logins = 0
        self.held: queue.SimpleQueue[threading.Event] = queue.SimpleQueue()
        monkeypatch.setattr(rig.server, "answer", self.answer)

    def answer(self, request: ConsoleRequest, *, through_front_door: bool) -> ConsoleResponse:
        answer = self._answer(request, through_front_door=through_front_door)
        self.logins += "deepracer_token" in answer.cookies
        if request.path == "/login" and self._holds and self._holds.pop(0):
            go_on = threading.Event()
            self.held.put(go_on)
            assert go_on.wait(60)
        return answer


def test_logins_that_cross_on_a_slow_console_each_have_their_own_token(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As seen in a virtual machine: a stop each second, each login slower than a second, all refused with 400."""
    monkeypatch.setattr("vehicle.bridge.console_session.LOGIN_WAIT_S", 0.001)
    # The first's page is late; the second has its page, and its login is late; the third's page is late, asked in the
    # second's session. Then the first has a session of its own.
    answers = HeldAnswers(rig, monkeypatch, [True, False, True, True])
    session = rig.session()
    outcomes: queue.SimpleQueue[str] = queue.SimpleQueue()
    late = []
    for _ in range(3):
        threading.Thread(target=lambda: outcomes.put(session.call(ConsoleCall("stop")).outcome)).start()
        late.append(answers.held.get(timeout=60))
    first, second, third = late
    for go_on in (first, third, second):
        go_on.set()
        assert outcomes.get(timeout=60) == "done"


def question_and_stop(session: ConsoleSession, answers: HeldAnswers) -> list[str]:
    """What became of a question, whose login is late, and of a stop, which has not waited for it and is late too."""
    outcomes: queue.SimpleQueue[str] = queue.SimpleQueue()
    late = []
    for each in (ConsoleCall("loading", may_log_in=False), ConsoleCall("stop")):
        threading.Thread(target=lambda call: outcomes.put(session.call(call).outcome), args=(each,)).start()
        late.append(answers.held.get(timeout=60))
    seen = []
    for go_on in late:
        go_on.set()
        seen.append(outcomes.get(timeout=60))
    return seen


def test_a_login_that_another_thread_made_meanwhile_is_used(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vehicle.bridge.console_session.LOGIN_WAIT_S", 0.001)
    # Late are the question's login, and the page that the stop asks for before a login of its own.
    answers = HeldAnswers(rig, monkeypatch, [False, True, True])
    assert question_and_stop(rig.session(), answers) == ["done", "done"]
    assert answers.logins == 1


def test_logins_that_end_one_another_are_no_persons_doing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vehicle.bridge.console_session.LOGIN_WAIT_S", 0.001)
    # Late are both logins. A stock console knows the stop's alone when the question hears of its own.
    answers = HeldAnswers(rig, monkeypatch, [False, True, False, True])
    session = rig.session()
    assert question_and_stop(session, answers) == ["done", "done"]
    assert session.call(ConsoleCall("battery", may_log_in=False)).outcome == "done"
    rig.session().call(ConsoleCall("battery"))
    outcome = session.call(ConsoleCall("battery", may_log_in=False)).outcome
    assert outcome == ("thrown_out" if rig.console.version == "stock" else "done"), "that was somebody"


def test_a_start_that_a_stop_overtook_is_not_sent(rig: Rig) -> None:
    session, start = rig.session(), CancellableStart()
    session.call(ConsoleCall("mode"))
    rig.console.calls.clear()
    start.cancel()
    assert session.call(ConsoleCall("start"), start=start).outcome == "cancelled"
    assert rig.console.calls == []
    assert session.call(ConsoleCall("start"), start=CancellableStart()).outcome == "done"


def test_a_submitted_stop_cancels_the_start_that_waits_behind_another_call(rig: Rig) -> None:
    session = rig.session()
    session.call(ConsoleCall("mode"))
    answers: list[StockConsoleAnswer] = []
    all_answered = threading.Event()

    def on_answer(answer: StockConsoleAnswer) -> None:
        answers.append(answer)
        if len(answers) == 3:
            all_answered.set()

    rig.server.hang("/api/max_nav_throttle")
    caller = ConsoleCaller(session, on_answer)
    caller.start()
    for call in (ConsoleCall("throttle", number=10), ConsoleCall("start"), ConsoleCall("stop")):
        caller.submit(call)
    assert rig.server.hanging.wait(30)
    rig.server.release()
    assert all_answered.wait(30)
    caller.close()
    assert {answer.call.kind: answer.outcome for answer in answers}["start"] == "cancelled"


def test_neither_a_dead_token_nor_a_login_makes_a_start_go_out_later(rig: Rig) -> None:
    session = rig.session()
    session.call(ConsoleCall("mode"))
    session._token = "dead"
    rig.console.calls.clear()
    assert session.call(ConsoleCall("start"), start=CancellableStart()).outcome == "refused"
    rig.console.tokens.clear()
    assert session.call(ConsoleCall("start"), start=CancellableStart()).outcome == "refused"
    assert rig.console.calls == []


def test_a_start_on_its_way_is_broken_off_with_a_reset(rig: Rig) -> None:
    session = rig.session()
    session.call(ConsoleCall("mode"))
    answers: list[StockConsoleAnswer] = []
    caller = ConsoleCaller(session, answers.append)
    rig.server.hang("/api/start_stop")
    caller.start()
    caller.submit(ConsoleCall("start"))
    assert rig.server.hanging.wait(30)
    caller.break_off_start(10)
    caller.close()
    caller._thread.join(30)
    assert [(answer.call.kind, answer.outcome) for answer in answers] == [("start", "unreachable")]


def test_a_bridge_that_ends_breaks_a_start_off_before_its_last_stop(rig: Rig) -> None:
    made: list[str] = []
    server = rig.server

    class ToldSession(ConsoleSession):
        """Says when each call begins and ends; a stop is answered, whatever hangs."""

        def call(self, call: ConsoleCall, *rest: Any, **named: Any) -> StockConsoleAnswer:
            made.append(f"{call.kind} begins")
            if call.kind == "stop":
                server.release()
            answer = super().call(call, *rest, **named)
            made.append(f"{call.kind} is {answer.outcome}")
            return answer

    pin = CertificatePin(rig.folder / "certificate")
    session = ToldSession("127.0.0.1", server.port, rig.folder / "password", pin)
    session.call(ConsoleCall("mode"))
    link = MockLink(MockBroker(), "car-1", "boot-1", "car")
    car = StockCar("boot-1", StockCarOptions("Sample_single_cam"), 0)
    bridge = Bridge("car-1", car, link, session, SystemClock(), None)
    server.hang("/api/start_stop")
    bridge.start()
    bridge._caller.submit(ConsoleCall("start"))
    assert server.hanging.wait(30)
    made.clear()
    bridge.close()
    assert made == ["start is unreachable", "stop begins", "stop is done"]


@pytest.mark.parametrize("kind", ["start", "stop"])
def test_a_call_that_failed_leaves_nothing_that_the_kernel_would_send_later(
    rig: Rig, kind: CallKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tells it on loopback is how the socket was closed: with SO_LINGER of no time, which drops what is unsent."""
    lingers: list[bytes] = []
    close = http.client.HTTPSConnection.close

    def closing(connection: http.client.HTTPSConnection) -> None:
        if connection.sock is not None:
            lingers.append(connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
            assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 200
        close(connection)

    session = rig.session()
    session.call(ConsoleCall("mode"))
    rig.server.hang("/api/start_stop")
    monkeypatch.setattr(http.client.HTTPSConnection, "close", closing)
    start = CancellableStart() if kind == "start" else None
    assert session.call(ConsoleCall(kind), 0.2, start).outcome == "unreachable"
    assert lingers == [struct.pack("ii", 1, 0)]


def test_what_is_no_console_or_nobody_is_said(rig: Rig, tmp_path: pathlib.Path, free_port: object) -> None:
    assert callable(free_port)
    write_secret(tmp_path / "password", "x")
    nobody = ConsoleSession("127.0.0.1", free_port(), tmp_path / "password", CertificatePin(tmp_path / "pin"))
    answer = nobody.call(ConsoleCall("stop"))
    assert (answer.outcome, "refused" in answer.why) == ("unreachable", True)
    plain = ConsoleSession("127.0.0.1", rig.server.direct_port, tmp_path / "password", CertificatePin(tmp_path / "pin"))
    assert plain.call(ConsoleCall("stop"), 5.0).outcome == "unreachable"


def test_a_secret_is_written_through_nobodys_link(tmp_path: pathlib.Path) -> None:
    # The folder is the bridge's own, and root writes the kit of its leash there: names that the service foresaw.
    victim = tmp_path / "victim"
    victim.write_text("root:x:0:0")
    kit = tmp_path / "kit"
    kit.mkdir()
    for name in (*FILES, KEY):
        (kit / name).symlink_to("../victim")
        (kit / f"{name}.{os.getpid()}.part").symlink_to("../victim")
    (kit / KEY).unlink()
    write_kit(kit)
    write_secret(kit / KEY, "again")
    assert victim.read_text() == "root:x:0:0"
    assert not any((kit / name).is_symlink() for name in (*FILES, KEY))
    assert read_secret(kit / KEY, "the key") == "again"


def test_secrets_are_for_their_owner_alone(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "secret"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_secret(file, "the password")
    write_secret(file, "one\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_secret(file, "the password") == "one"
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret(file, "the password")
    file.chmod(0o600)
    file.write_text("\nsecond line\n")
    with pytest.raises(ConfigError, match="is missing"):
        read_secret(file, "the password")
