"""The guard's reports: the pilot gets each mode once, also while comms is away, and again after it has restarted."""

from types import SimpleNamespace
from typing import Any, cast

from shared.clock import SystemClock
from vehicle.core.messages import ModeNotice, PilotReady
from vehicle.guard.reporter import Reporter


class Children:
    """Records what is sent to each child; those in `away` take nothing."""

    def __init__(self) -> None:
        self.ready, self.away = {"comms"}, set[str]()
        self.sent: list[tuple[str, Any]] = []

    def send(self, name: str, message: Any) -> bool:
        if name in self.away:
            return False
        self.sent.append((name, message))
        return True

    def notices(self) -> list[str]:
        return [message.mode for name, message in self.sent if name == "pilot" and isinstance(message, ModeNotice)]


def test_a_mode_is_told_to_the_pilot_once_while_comms_is_away() -> None:
    children = Children()
    controller = SimpleNamespace(mode="ready", reason="", throttle_percent=50, is_practice=False)
    reporter = Reporter(cast(Any, controller), SystemClock(), cast(Any, children), cast(Any, None))
    children.away.add("comms")
    for _ in range(5):
        reporter.report_state()
    assert children.notices() == ["ready"]
    controller.mode = "driving"
    children.away.add("pilot")
    reporter.report_state()
    children.away.clear()
    for _ in range(3):
        reporter.report_state()
    assert children.notices() == ["ready", "driving"]
    reporter.model = PilotReady("", "")  # another pilot has started
    reporter.report_state()
    reporter.report_state()
    assert children.notices() == ["ready", "driving", "driving"]
    assert len([name for name, _ in children.sent if name == "comms"]) == 1
