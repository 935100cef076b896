"""The guard's children: a new channel at each start, a growing pause before a restart, an orderly end; the sandbox."""

import errno
import json
import os
import pathlib
import resource
import select
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from vehicle.core.actions import Action
from vehicle.core.messages import CommsReady, FrameCounts, PilotReady, Setpoint
from vehicle.guard.child import END_PATIENCE_S, FIRST_RETRY_S, MAX_RETRY_S, Child, describe_exit
from vehicle.guard.children import ChildProcesses
from vehicle.guard.loop_stats import LoopStats
from vehicle.process.channel import socket_pair
from vehicle.process.sandbox import PILOT, limits_of

HELLO = (
    "import sys; from vehicle.process.channel import channel_from_fd; from vehicle.core.messages import CommsReady;"
    "channel = channel_from_fd(int(sys.argv[sys.argv.index('--guard-fd') + 1])); channel.send(CommsReady());"
)
WAITS = HELLO + "import select; select.select([channel], [], [])"
DEAF = HELLO + "import signal, select; signal.signal(15, signal.SIG_IGN); select.select([], [], [], 60)"
STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN);" + HELLO + "import select; select.select([], [], [], 60)"


def start_child(program: str) -> tuple[Child, list[int]]:
    ends = socket_pair()
    child = Child("pilot", (sys.executable, "-c", program), lap_fd=ends[0].fileno())
    child.start()
    return child, [end.detach() for end in ends]


def receive(child: Child) -> list[object]:
    """The child's next messages; waits for them."""
    assert child.channel is not None
    select.select([child.channel], [], [], 120)
    return list(child.channel.receive())


@pytest.mark.slow
def test_a_child_speaks_dies_and_is_due_again_after_a_while() -> None:
    child, fds = start_child(WAITS)
    assert receive(child) == [CommsReady()]
    assert child.poll_exit() is None
    assert not child.restart_due()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    assert receive(child) == []
    assert child.channel is not None
    assert child.channel.closed
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.poll_exit() == -signal.SIGKILL
    assert child.poll_exit() is None
    child.close_channel()
    assert not child.restart_due()  # not at once
    child.start()
    assert receive(child) == [CommsReady()]
    child.terminate()
    child.wait_or_kill(5.0)
    for fd in fds:
        os.close(fd)


@pytest.mark.slow
def test_a_child_that_does_not_listen_is_ended_all_the_same() -> None:
    child, fds = start_child(DEAF)
    assert receive(child) == [CommsReady()]
    child.terminate()
    child.wait_or_kill(0.1)
    assert child.pid is None
    for fd in fds:
        os.close(fd)


@pytest.mark.slow
def test_a_child_is_as_nice_as_the_service_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "getpriority", lambda _which, _who: -10)
    monkeypatch.setattr(os, "setpriority", lambda _which, who, nice: set_to.append((who, nice)))
    child, fds = start_child(WAITS)
    assert set_to == [(child.pid, -10)]
    child.wait_or_kill(0.0)
    for fd in fds:
        os.close(fd)


def test_patience_grows_and_is_bounded() -> None:
    assert 0 < FIRST_RETRY_S < MAX_RETRY_S <= 10


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "was ended by SIGKILL"), (2, "ended with exit code 2"), (0, "ended with exit code 0")]
)
def test_an_end_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


def test_what_a_child_gives_up() -> None:
    program = (
        "import json, os, resource; from vehicle.process.sandbox import PILOT, confine, limits_of;"
        "failed = confine(os.getppid(), PILOT);"
        "flags = dict(line.split(':', 1) for line in open('/proc/self/status'));"
        "score = open('/proc/self/oom_score_adj').read().strip();"
        "flags = [flags['NoNewPrivs'].strip(), flags['CapPrm'].strip(), score];"
        "print(json.dumps([failed, flags, [resource.getrlimit(which)[0] for _, which, _ in limits_of(PILOT)]]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    hard_limits = {which: resource.getrlimit(which)[1] for _, which, _ in limits_of(PILOT)}
    expected = [
        limit if hard_limits[which] == resource.RLIM_INFINITY else min(limit, hard_limits[which])
        for _, which, limit in limits_of(PILOT)
    ]
    kept_turns = os.geteuid() == 0 and expected[-2] < PILOT.priority  # root of a container that may not raise a limit
    failed, flags, limits = json.loads(done.stdout)
    assert [sentence for sentence in failed if "CAP_SYS_NICE" not in sentence or not kept_turns] == []
    assert flags == ["1", f"{1 << 23 if kept_turns else 0:016x}", "500"]
    assert limits == expected or os.geteuid() == 0


def test_a_child_whose_parent_is_gone_ends_at_once() -> None:
    program = "from vehicle.process.sandbox import PILOT, confine; confine(1, PILOT); print('still here')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_the_statistics_count_and_clear() -> None:
    stats = LoopStats()
    stats.count_tick(0.001, 0.016)
    stats.count_tick(0.009, 0.016)
    stats.count_applied(5_000_000)  # no setpoint yet: nothing to report
    stats.setpoint = Setpoint(4, 2_000_000, 0.5, 0.5, 900, 100, 1_500)
    stats.frame_counts = FrameCounts(4, 1, 2)
    stats.action = Action(0.5, 0.25)
    stats.count_applied(5_000_000)
    model = PilotReady("m", "ab", "int8", realtime=True)
    figures = stats.take_telemetry(model, guard_is_realtime=False)
    assert (figures.late_ticks, figures.frame_ages_us, figures.policy_us) == (1, (3000,), (900,))
    assert (figures.frames, figures.dropped, figures.repeated, figures.throttle) == (4, 1, 2, 0.25)
    assert (figures.capture_us, figures.preprocess_us, figures.rest_us, figures.act_us) == (
        (1500,),
        (100,),
        (2000,),
        (500,),
    )
    assert (figures.precision, figures.realtime) == ("int8", "pilot")
    assert stats.take_telemetry(model, guard_is_realtime=True).frame_ages_us == ()
    for _ in range(10_000):
        stats.count_applied(5_000_000)
    assert len(stats.take_telemetry(model, guard_is_realtime=True).act_us) < 1_000


@pytest.mark.slow
@pytest.mark.parametrize("ends", [Child.terminate, Child.close_channel])
def test_a_child_that_was_told_to_end_and_goes_on_is_killed(
    ends: Callable[[Child], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hijacked pilot may ignore the signal, and act as if its channel were open: another model must drive then."""
    child, fds = start_child(STUBBORN)
    assert receive(child) == [CommsReady()]
    now_s = time.monotonic()
    monkeypatch.setattr("vehicle.guard.child.time.monotonic", lambda: now_s)
    ends(child)
    assert child.pid is not None
    assert child.poll_exit() is None
    now_s += END_PATIENCE_S
    assert child.poll_exit() is None  # killed now, and reaped when it has ended
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.poll_exit() == -signal.SIGKILL
    child.close_channel()
    for fd in fds:
        os.close(fd)


@pytest.mark.slow
def test_a_child_is_told_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LEADERBOARD_TOKEN", "aws_secret_access_key", "RACE_NAME"):
        monkeypatch.setenv(name, "a value")
    child, fds = start_child(WAITS)
    assert receive(child) == [CommsReady()]
    variables = pathlib.Path(f"/proc/{child.pid}/environ").read_bytes()
    assert b"RACE_NAME=a value" in variables
    assert variables.count(b"a value") == 1
    child.wait_or_kill(0.0)
    for fd in fds:
        os.close(fd)


def test_a_child_that_cannot_be_started_now_is_tried_again_and_the_guard_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hijacked pilot may take all threads of the service: nobody can be started then."""

    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refused)
    ends = socket_pair()
    pilot, comms = (Child(name, ("true",), lap_fd=ends[0].fileno()) for name in ("pilot", "comms"))
    with selectors.DefaultSelector() as selector:
        children = ChildProcesses(pilot, comms)
        children.start(selector)
        assert not selector.get_map()
    assert "the comms process cannot be started (Resource temporarily unavailable)" in capsys.readouterr().err
    now_s = time.monotonic() + MAX_RETRY_S
    monkeypatch.setattr("vehicle.guard.child.time.monotonic", lambda: now_s)
    assert pilot.restart_due()
    assert not children.send("comms", CommsReady())
    for end in ends:
        end.close()
