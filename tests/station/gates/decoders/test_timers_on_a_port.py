"""Timers on a real connection: a control unit that is polled, a Timy that echoes, a strip that the station stamps."""

import threading

from shared.clock import SystemClock
from tests.station.gates.decoders.port_peer import Box, gate, pty

STATE = b"?:????????080082$"
PASSINGS = (b"?2003037?>1=$", b"?20030:9211<$", b"?20030:9211<$")  # the last is sent twice, as the unit does


def test_a_control_unit_answers_each_question_once() -> None:
    with pty() as (write, read, path), gate(protocol="carrera", url=path) as driver:
        box, polled = Box(), threading.Event()

        def unit() -> None:
            answers = [b"05321;$", STATE, *PASSINGS, STATE]
            requests = b""
            while answers:
                requests += read(64)
                while answers and b"$" in requests:
                    question, _, requests = requests.partition(b"$")
                    write(question + b"$" + answers.pop(0))  # it echoes what it receives
            polled.set()

        answering = threading.Thread(target=unit, daemon=True)
        answering.start()
        driver.start({}, box.put)
        first, second = box.take(2)
        assert second.at_ns - first.at_ns == (236_050 - 226_287) * 1_000_000
        assert polled.wait(10.0)
        answering.join(10.0)
        assert box.empty


def test_a_timy_is_set_up_and_its_echo_is_no_time() -> None:
    with pty() as (write, read, path), gate(protocol="alge", url=path, sensors=("C0", "C1")) as driver:
        box = Box()
        driver.start({}, box.put)
        echo = b""
        while echo.count(b"\r") < 4:
            echo += read(64)
        assert echo.startswith(b"CHK1\r")
        write(echo + b" 0008 C0M 18:27:42.27   00>;\r 0009 C1  18:27:42.40")
        write(b"10 00\r")
        edges = box.take(4)
        assert [(edge.sensor, edge.broken) for edge in edges] == [
            ("C0", True),
            ("C0", False),
            ("C1", True),
            ("C1", False),
        ]
        assert edges[2].at_ns - edges[0].at_ns == 131_000_000


def test_a_strip_without_a_clock_gets_ours() -> None:
    clock = SystemClock()
    with pty() as (write, _, path), gate(clock, protocol="fsr", url=path) as driver:
        box = Box()
        driver.start({}, box.put)
        before_ns = clock.now_ns()
        write(b"lap\r\n")
        press, release = box.take(2)
        assert before_ns <= press.at_ns <= clock.now_ns()
        assert (press.boot, press.at_ns, release.broken) == (clock.boot_id, release.at_ns, False)
