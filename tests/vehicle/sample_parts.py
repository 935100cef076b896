"""What the car's tests are built from: tiny models, a config on mock hardware, a station that only leases."""

import json
import pathlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from shared.link.interface import Delivery, Link, Subscription
from shared.protocol import topics
from shared.protocol.messages import (
    CarHeartbeat,
    CarLap,
    CarState,
    CarTelemetry,
    DriveOrder,
    LapAck,
    Lease,
    OrderAction,
)

ACTIONS = [
    {"steering_angle": -30.0, "speed": 1.0},
    {"steering_angle": 0.0, "speed": 2.0},
    {"steering_angle": 15.0, "speed": 1.0},
]
METADATA: dict[str, Any] = {"action_space": ACTIONS, "sensor": ["FRONT_FACING_CAMERA"], "version": "5"}


def tiny_graph(bias: list[float], shape: tuple[int, ...] = (1, 1, 120, 160), outputs: int = 3) -> onnx.ModelProto:
    """A policy whose answer does not depend on the picture: the softmax of `bias`."""
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [1, outputs], [0.0] * outputs)
    offset = helper.make_tensor("offset", TensorProto.FLOAT, [outputs], bias)
    axes = helper.make_tensor("shape", TensorProto.INT64, [2], [1, 1])
    nodes = [
        helper.make_node("ReduceMean", ["observation"], ["mean"], axes=list(range(1, len(shape))), keepdims=0),
        helper.make_node("Reshape", ["mean", "shape"], ["row"]),
        helper.make_node("Gemm", ["row", "weight", "offset"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["policy"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("policy", TensorProto.FLOAT, [1, outputs])],
        [weight, offset, axes],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write_model(folder: pathlib.Path, model: onnx.ModelProto | None = None, metadata: Any = METADATA) -> pathlib.Path:
    """A model's folder; by default the model that always goes straight at full speed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes((model or tiny_graph([0.0, 9.0, 0.0])).SerializeToString())
    (folder / "model_metadata.json").write_text(json.dumps(metadata))
    return folder


def config_text(folder: pathlib.Path, port: int, camera: str = 'driver = "mock"', extra: str = "") -> str:
    """A car on mock hardware that records the pulses of its motors."""
    return f"""
device = "car-1"
[camera]
{camera}
[motors]
driver = "mock"
options = {{ record = "{folder}/pulses.jsonl" }}
[calibration]
stock = true
[model]
path = "{folder}/model"
throttle_percent = 50
[outbox]
path = "{folder}/laps.db"
[local]
socket = "{folder}/car.sock"
[mqtt]
host = "127.0.0.1"
port = {port}
[comms]
resend_s = 0.3
[safety]
hold_periods = 4.0
trip_periods = 10.0
realtime = false
{extra}
"""


def pulses(folder: pathlib.Path) -> list[tuple[int, int]]:
    """The pulses that were set, as (steering, throttle) pulse widths."""
    lines = (folder / "pulses.jsonl").read_text().splitlines()
    return [(line["steering_ns"], line["throttle_ns"]) for line in map(json.loads, lines)]


class Station:
    """Answers heartbeats with leases while `granting`, and records what the car reports."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.granting = True
        self.lease_ms = 800
        self.acknowledging = True
        self.states: list[CarState] = []
        self.laps: list[tuple[str, int, CarLap]] = []
        self.telemetry: list[CarTelemetry] = []
        self.boot, self.beat, self.orders = "", 0, 0
        self._changed = threading.Condition()
        kinds = (CarHeartbeat, CarState, CarLap, CarTelemetry)
        link.start([Subscription(topics.BY_BODY[kind]) for kind in kinds], self._on_delivery)

    def _on_delivery(self, delivery: Delivery) -> None:
        body, envelope = delivery.message.body, delivery.message.envelope
        with self._changed:
            if isinstance(body, CarHeartbeat):
                self.boot, self.beat = envelope.boot, body.heartbeat
                if self.granting:
                    self.link.publish(Lease(self.boot, self.beat, "drive", "run-1", self.lease_ms), "car-1")
            elif isinstance(body, CarState):
                self.states.append(body)
            elif isinstance(body, CarTelemetry):
                self.telemetry.append(body)
            elif isinstance(body, CarLap):
                self.laps.append((envelope.boot, envelope.seq, body))
                if self.acknowledging:
                    self.link.publish(LapAck(envelope.boot, envelope.seq), "car-1")
            self._changed.notify_all()
        delivery.ack()

    def order(self, action: OrderAction, **more: Any) -> None:
        """Send an order that answers the newest heartbeat."""
        with self._changed:
            self.orders += 1
            order_id = f"order-{self.orders}"
        self.link.publish(DriveOrder(order_id, action, self.boot, self.beat, 5000, "run-1", **more), "car-1")

    def wait(self, what: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Wait until `what` holds; it is checked after every message of the car."""
        with self._changed:
            assert self._changed.wait_for(what, timeout_s), (
                f"the condition never held; the car's last states: {[(s.mode, s.reason) for s in self.states[-5:]]}"
            )

    def wait_mode(self, mode: str, timeout_s: float = 60.0) -> CarState:
        """Wait until the car reports this mode; returns its state."""
        self.wait(lambda: bool(self.states) and self.states[-1].mode == mode, timeout_s)
        return self.states[-1]

    def drive(self, **more: Any) -> None:
        """Arm and start, and wait until it drives."""
        self.wait(lambda: self.beat > 0)
        self.order("arm")
        self.order("start", **more)
        self.wait_mode("driving")


def frame(value: int = 0, shape: tuple[int, int] = (240, 320)) -> Any:
    """A grey picture of one value."""
    return np.full(shape, value, np.uint8)


def scene(value: int = 0, shape: tuple[int, int] = (240, 320)) -> Any:
    """A picture that shows something: light bars on dark ground; another one for each value up to 255."""
    picture = np.full(shape, 60, np.uint8)
    picture[:, :: max(2, shape[1] // 12)] = picture[:, 1 :: max(2, shape[1] // 12)] = 240
    picture[:: max(2, shape[0] // 6)] = 180
    picture[: shape[0] // 8, : shape[1] // 8] = value
    return picture
