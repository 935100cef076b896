"""A bridge's core, a mock console with its car and perhaps a leash, together on virtual time: 20 ms a step.

A call reaches the console after `LATENCY_NS`. One that hangs is answered as the console does it, `success: false` after
ten seconds; `obeys_late` says whether the car does at that moment what it was asked.
"""

from dataclasses import dataclass, field, replace

from shared.protocol.messages import CarMode, DriveOrder, Grant, Lease, OrderAction
from shared.units import NS_PER_MS, NS_PER_S
from vehicle.bridge.core.console_calls import ConsoleCall, StockConsoleAnswer, answer_of, http_call
from vehicle.bridge.core.stock_car import StockCar, StockCarOptions
from vehicle.bridge.leash.raceday_leash import NO_LINE, Leash, LeashState
from vehicle.bridge.mock_console import csrf
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import SERVICE_S, ConsoleRequest, ConsoleVersion, MockConsole
from vehicle.bridge.mock_console.outputs import MOTOR, NEUTRAL_NS, CarOutputs

STEP_NS = 20 * NS_PER_MS
LATENCY_NS = 20 * NS_PER_MS
BOOT = "boot-1"
MODEL = "Sample_single_cam"


@dataclass(slots=True)
class _Sent:
    """A call on its way: when it acts on the console, and when its answer arrives."""

    call: ConsoleCall
    acts_ns: int
    answer_ns: int
    answer: StockConsoleAnswer | None = None
    is_lost: bool = False


@dataclass
class VirtualCar:
    """Everything at once; `now_ns` starts away from zero, as clocks do."""

    version: ConsoleVersion = "stock"
    is_leashed: bool = False
    now_ns: int = 1000 * NS_PER_S
    grant: Grant = "none"
    is_bridge_alive: bool = True
    is_console_away: bool = False
    obeys_late: bool = True
    is_someone_logged_in: bool = False
    has_line: bool = True
    sent: list[_Sent] = field(default_factory=list)
    log: list[str] = field(default_factory=list)  # the kinds of the calls, oldest first
    orders: int = 0

    def __post_init__(self) -> None:
        self.outputs = CarOutputs()
        self.car = MockCar(self.outputs, load_ns=NS_PER_S)
        self.console = MockConsole(self.car, self.version)
        self.bridge = StockCar(BOOT, StockCarOptions(MODEL, 50, is_leashed=self.is_leashed), self.now_ns)
        self.leash = Leash(b"n" * 16) if self.is_leashed else None
        self._was_released = False
        self._heartbeat = 0
        self._heartbeat_due_ns = 0
        self._session = csrf.new_session()

    @property
    def mode(self) -> CarMode:
        return self.bridge.mode

    @property
    def is_moving(self) -> bool:
        return self.outputs.is_moving

    @property
    def reason(self) -> str:
        return self.bridge.state(self.now_ns).reason

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds * NS_PER_S / STEP_NS)):
            self.step()

    def order(self, action: OrderAction, throttle_percent: int | None = None) -> None:
        """An order of the station that answers the newest heartbeat."""
        self.orders += 1
        order = DriveOrder(f"o-{self.orders}", action, BOOT, self._heartbeat, 2000, "run-1", throttle_percent)
        if self.is_bridge_alive:
            self.bridge.on_order(order, self.now_ns)

    def drive(self, throttle_percent: int | None = 50) -> None:
        """From a fresh start to driving, as a station orders it."""
        self.grant = "drive"
        self.run(2.5)
        goals: list[tuple[OrderAction, CarMode]] = [("arm", "ready"), ("start", "driving")]
        for action, goal in goals:
            for _ in range(4):
                if self.mode != goal:
                    self.order(action, throttle_percent)
                    self.run(1.9)
        assert self.mode == "driving", self.reason

    def step(self) -> None:
        self.now_ns += STEP_NS
        self.car.advance(self.now_ns)
        if self.is_bridge_alive:
            self._step_bridge()
        for sent in [sent for sent in self.sent if sent.acts_ns <= self.now_ns and sent.answer is None]:
            self._act(sent)
        for sent in [sent for sent in self.sent if sent.answer_ns <= self.now_ns]:
            self.sent.remove(sent)
            if self.is_bridge_alive and sent.answer is not None:
                self.bridge.on_answer(sent.answer, self.now_ns)
        self._step_leash()

    def _step_bridge(self) -> None:
        for call in self.bridge.tick(self.now_ns):
            self.log.append(call.kind)
            path = http_call(call).path
            hung = path in self.console.hung
            wait_ns = round(SERVICE_S * NS_PER_S) if hung else LATENCY_NS
            self.sent.append(_Sent(call, self.now_ns + wait_ns, self.now_ns + wait_ns + LATENCY_NS, is_lost=hung))
        if self.now_ns >= self._heartbeat_due_ns:
            self._heartbeat_due_ns = self.now_ns + 100 * NS_PER_MS
            if self.bridge.is_online(self.now_ns):
                self._heartbeat = self.bridge.next_heartbeat(self.now_ns).heartbeat
                self.bridge.on_lease(Lease(BOOT, self._heartbeat, self.grant, "run-1", 500), self.now_ns)
            self._hold()

    def _hold(self) -> None:
        if self.leash is None or self.bridge.leash is None:
            return
        hold = self.bridge.leash.next_hold()
        self.leash.on_hold(hold, self.now_ns)
        self._step_leash()
        line = self.outputs.line if self.has_line else NO_LINE
        state = LeashState(self.leash.nonce, self.now_ns, hold.number, self.leash.state, self.outputs.motor_ns, line, 0)
        self.bridge.leash.on_state(state, self.now_ns)

    def _step_leash(self) -> None:
        if self.leash is None:
            return
        self.leash.tick(self.now_ns)
        if not self.leash.is_released:
            self.outputs.set_duty(MOTOR, NEUTRAL_NS)
            if self.has_line:
                self.outputs.set_line(1)
        elif not self._was_released:
            self.outputs.set_line(0)
        self._was_released = self.leash.is_released

    def _act(self, sent: _Sent) -> None:
        """The call reaches the console, which acts and answers."""
        if self.is_console_away:
            sent.answer = StockConsoleAnswer(sent.call, "unreachable", "connection refused")
            return
        taken_back = False
        if self.is_someone_logged_in:
            if not sent.call.may_log_in or sent.call.kind == "start":  # no login within a start
                sent.answer = StockConsoleAnswer(sent.call, "thrown_out")
                return
            self.is_someone_logged_in, taken_back = False, True
        if sent.is_lost and not self.obeys_late:
            sent.answer = StockConsoleAnswer(sent.call, "refused", "Error")
            return
        http = http_call(sent.call)
        headers = {"x-csrftoken": csrf.token_of(self._session, self.now_ns // NS_PER_S)}
        request = ConsoleRequest(http.method, http.path, headers, {"session": self._session}, http.body or b"")
        response = self.console.handle(request, self.now_ns, through_front_door=False)
        answer = answer_of(sent.call, response.status, response.body)
        if response.status == 0:
            answer = StockConsoleAnswer(sent.call, "unreachable", "no answer")
        answer = StockConsoleAnswer(sent.call, "refused", "Error") if sent.is_lost else answer
        sent.answer = replace(answer, logged_in_again=taken_back)
