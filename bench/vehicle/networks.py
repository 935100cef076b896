"""What the vehicle benchmark measures: the network at its true size, in fp32 and int8, and a frame's whole path."""

import json
import math
import pathlib
import shutil
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from shared.clock import SystemClock
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.controller import DriveController
from vehicle.core.frame_age import SafetyOptions
from vehicle.core.limiter import DriveLimits, limit
from vehicle.core.messages import ControlTrace, Setpoint
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.guard.actuators import Actuators
from vehicle.guard.loop_stats import LoopStats
from vehicle.hardware.frame import Frame, Pixels
from vehicle.hardware.motors.mock import MockMotors
from vehicle.models.int8.quantise import quantised
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.pilot.pilot import Pilot
from vehicle.process.channel import Channel, socket_pair

CLASSES = 21
_LAYERS = ((32, 1, 8, 4), (64, 32, 4, 2), (64, 64, 3, 1))  # DEEP_CONVOLUTIONAL_NETWORK_SHALLOW, all VALID


def write_shallow(folder: pathlib.Path) -> pathlib.Path:
    """Write the 23 MB network with random weights, and its metadata; it costs the same time as a trained one."""
    random = np.random.default_rng(1)
    initializers: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def weight(name: str, *shape: int) -> str:
        values = (random.standard_normal(shape) / np.sqrt(max(1, math.prod(shape[1:])))).astype(np.float32)
        initializers.append(numpy_helper.from_array(values, name))
        return name

    initializers.append(helper.make_tensor("scale", TensorProto.FLOAT, [1], [255.0]))
    nodes.append(helper.make_node("Div", ["observation", "scale"], ["x"]))
    last = "x"
    for number, (out, into, side, stride) in enumerate(_LAYERS):
        names = [last, weight(f"w{number}", out, into, side, side), weight(f"b{number}", out)]
        nodes.append(helper.make_node("Conv", names, [f"c{number}"], strides=[stride, stride]))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"r{number}"]))
        last = f"r{number}"
    nodes.append(helper.make_node("Flatten", [last], ["flat"]))
    for number, (into, out) in enumerate(((11264, 512), (512, CLASSES))):
        names = ["flat" if number == 0 else "hidden", weight(f"d{number}", into, out), weight(f"e{number}", out)]
        nodes.append(helper.make_node("Gemm", names, [f"g{number}"]))
    nodes.insert(-1, helper.make_node("Relu", ["g0"], ["hidden"]))
    nodes.append(helper.make_node("Softmax", ["g1"], ["policy"], axis=1))
    graph = helper.make_graph(
        nodes,
        "shallow",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, 1, 120, 160])],
        [helper.make_tensor_value_info("policy", TensorProto.FLOAT, [1, CLASSES])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    actions = [{"steering_angle": -30.0 + 3 * k, "speed": 1.0 + k % 3} for k in range(CLASSES)]
    (folder / "model_metadata.json").write_text(json.dumps({"action_space": actions, "version": "5"}))
    return folder / "model.onnx"


def write_int8(model: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Write the same network in int8, as `raceday model quantise` makes it, with ranges from random pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = np.random.default_rng(3).integers(0, 256, (60, 120, 160), np.uint8)
    (folder / "model.onnx").write_bytes(quantised(check_model(model), frames))
    shutil.copy(model.with_name("model_metadata.json"), folder)
    return folder / "model.onnx"


class Agent:
    """A frame's whole path in one process: pilot, pipe to the guard, controller, limiter, pulses, mock motors."""

    def __init__(self, policy: Policy) -> None:
        self.clock = SystemClock()
        ours, theirs = socket_pair()
        self._ends = (ours, theirs)
        self._guard = Channel(ours)
        self._pilot = Pilot(policy, Channel(theirs), self.clock)
        self._controller = DriveController(
            self.clock.boot_id, DriveLimits(), SafetyOptions(arm_frames=1), 50, calibrated=True
        )
        self._controller.set_model_ready()
        self._wheels = Actuators(MockMotors({}, self.clock), STOCK_CALIBRATION)
        self._seq = 0
        self._last = NEUTRAL
        self.tally: LoopStats | None = None
        self.on_trace: Callable[[ControlTrace], object] = lambda _: None
        self.ages_us: list[float] = []

    def close(self) -> None:
        """Close both ends of the pipe."""
        for end in self._ends:
            end.close()

    def tick(self, pixels: Pixels, at_ns: int | None = None) -> None:
        """Move one frame to the motors. Every frame differs, as from a sensor."""
        self._seq += 1
        pixels[:8, :8].fill(self._seq % 251)
        now_ns = self.clock.now_ns()
        self._pilot.process_frame(Frame(pixels, now_ns if at_ns is None else at_ns, self._seq))
        setpoint = None
        for message in self._guard.receive():
            if isinstance(message, Setpoint):
                setpoint = message
                self._controller.on_setpoint(message, self.clock.now_ns())
        done_ns = self.clock.now_ns()
        self._controller.tick(done_ns)
        assert setpoint is not None, "the pilot did not accept the picture: nothing was measured"
        # The car is not armed here, so the last stage is called directly.
        self._last = limit(Action(setpoint.steering, setpoint.throttle), self._last, 33_000_000, DriveLimits())
        pulses = self._wheels.apply_action(self._last, "driving")
        began_ns = now_ns if at_ns is None else at_ns
        self.ages_us.append((self.clock.now_ns() - began_ns) / 1e3)
        if self.tally is not None:
            self.tally.setpoint = setpoint
            trace = self.tally.trace(done_ns, "driving", self._last, pulses, fresh=True)
            self.tally.count_applied(done_ns)
            if trace is not None:
                self.on_trace(trace)
