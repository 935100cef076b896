"""What every test gets: no network beyond loopback, free ports, the shared data folder."""

import gc
import os
import pathlib
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before anybody imports onnxruntime: nothing reports home
ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
# Machines are shared: how long an example takes says nothing about the code. What CI sets beyond that stays.
settings.register_profile("raceday", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("raceday")
# Where the tests are started in the background, Ctrl-C is ignored, and would be by all that they start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Collecting makes millions of objects that all live to the end: looking for garbage among them is a third of the time.
gc.disable()
REQUIRE_ALL = os.environ.get("RACEDAY_REQUIRE_ALL") == "1"


def pytest_collection_finish() -> None:
    """From here on garbage is looked for again, but not among what was collected."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    """A test that reaches for the world fails at the connect, by name."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(address[0])):
            raise AssertionError(f"a test tried to reach {address!r}; only loopback is allowed")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


@pytest.fixture
def tmp_path() -> Iterator[pathlib.Path]:
    """A folder with a short name: sockets lie in it, and the kernel takes 107 bytes for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="rd-", ignore_cleanup_errors=True) as name:
        yield pathlib.Path(name)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that names a loopback port nobody listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def shared_data() -> pathlib.Path:
    """The folder of real tracks and boards; a test that needs it says so when it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder ../shared/data is absent: real boards and more tracks are not tried here")
    return SHARED_DATA


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With RACEDAY_REQUIRE_ALL=1 (CI) a skip is a failure: everything was promised to be there."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped though RACEDAY_REQUIRE_ALL=1: {report.longrepr}"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium, for the tests of a file; loaded only where a test asks for it."""
    from tests.browser import chromium

    with chromium() as opened:
        yield opened
