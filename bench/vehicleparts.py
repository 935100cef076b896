"""What the vehicle bench compares: the network at its true size, our tick to the pulses, donkeycar's worker."""

import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from shared.clock import SystemClock
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.ages import Safety
from vehicle.core.helm import Helm
from vehicle.core.limiter import Limits, limit
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.core.words import Wish
from vehicle.hardware.devices import Frame, Pixels
from vehicle.hardware.motors.mock import MockMotors
from vehicle.ipc import Channel, pair
from vehicle.models.policy import Policy
from vehicle.pilot import Pilot
from vehicle.wheels import Wheels

CLASSES = 21
PEERS = pathlib.Path("run") / "peers"
_LAYERS = ((32, 1, 8, 4), (64, 32, 4, 2), (64, 64, 3, 1))  # DEEP_CONVOLUTIONAL_NETWORK_SHALLOW, all VALID


def write_shallow(folder: pathlib.Path) -> pathlib.Path:
    """The 23 MB network with random weights, and its metadata: what it computes costs what a trained one costs."""
    random = np.random.default_rng(1)
    held: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def weight(name: str, *shape: int) -> str:
        values = (random.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[1:])))).astype(np.float32)
        held.append(numpy_helper.from_array(values, name))
        return name

    held.append(helper.make_tensor("scale", TensorProto.FLOAT, [1], [255.0]))
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
        held,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    actions = [{"steering_angle": -30.0 + 3 * k, "speed": 1.0 + k % 3} for k in range(CLASSES)]
    (folder / "model_metadata.json").write_text(json.dumps({"action_space": actions, "version": "5"}))
    return folder / "model.onnx"


class Agent:
    """Our whole way of a frame, in one process: pilot, the pipe to the guard, helm, limiter, pulses, mock motors."""

    def __init__(self, policy: Policy) -> None:
        self.clock = SystemClock()
        ours, theirs = pair()
        self._guard = Channel(ours)
        self._pilot = Pilot(policy, Channel(theirs))
        self._helm = Helm(self.clock.boot_id, Limits(), Safety(arm_frames=1), 50, calibrated=True)
        self._helm.model_ready()
        self._wheels = Wheels(MockMotors({}, self.clock), STOCK_CALIBRATION)
        self._seq = 0
        self._last = NEUTRAL
        self.ages_us: list[float] = []

    def tick(self, pixels: Pixels, at_ns: int | None = None) -> None:
        """One frame to the motors. Every frame differs, as from a sensor."""
        self._seq += 1
        pixels[:8, :8] = self._seq % 251
        now_ns = self.clock.now_ns()
        self._pilot.look(Frame(pixels, now_ns if at_ns is None else at_ns, self._seq))
        wish = None
        for word in self._guard.receive():
            if isinstance(word, Wish):
                wish = word
                self._helm.take_wish(word, self.clock.now_ns())
        done_ns = self.clock.now_ns()
        self._helm.tick(done_ns)
        if isinstance(wish, Wish):  # the car is not armed here, so the last stage is fed by hand
            self._last = limit(Action(wish.steering, wish.throttle), self._last, 33_000_000, Limits())
        self._wheels.turn(self._last)
        self.ages_us.append((done_ns - (now_ns if at_ns is None else at_ns)) / 1e3)


class Donkey:
    """The worker process of donkeycar's environment."""

    def __init__(self, python: pathlib.Path, model: pathlib.Path) -> None:
        script = pathlib.Path(__file__).with_name("donkeyworker.py")
        self._process = subprocess.Popen(
            [str(python), str(script), str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._line()

    def timed(self, what: str, count: int, pace_s: float) -> list[int]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {count} {pace_s}\n")
        self._process.stdin.flush()
        taken: list[int] = json.loads(self._line())
        return taken

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("donkeycar's worker ended; run it by hand to see why")
        return line


def donkey_python() -> pathlib.Path | str:
    """The Python of donkeycar's environment, made on first use; or a sentence why there is none."""
    folder = PEERS / "donkeycar"
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making an environment for donkeycar in {folder} (once) ...", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True, check=False)
        wanted = [str(python), "-m", "pip", "install", "-q", "donkeycar", "onnxruntime"]
        if made.returncode == 0:
            made = subprocess.run(wanted, capture_output=True, text=True, check=False)
        if made.returncode:
            return f"not measured: donkeycar could not be installed here ({made.stderr.strip().splitlines()[-1][:120]})"
    found = subprocess.run([str(python), "-c", "import donkeycar, onnxruntime"], capture_output=True, check=False)
    return python if found.returncode == 0 else "not measured: its environment under run/peers is incomplete; remove it"


def paced(call: Callable[[], Any], count: int, pace_s: float) -> list[int]:
    """Times in ns of `count` calls, one each `pace_s` on absolute deadlines; 0 is a hot loop."""
    taken, due_s = [], time.monotonic()
    for _ in range(count):
        began_ns = time.perf_counter_ns()
        call()
        taken.append(time.perf_counter_ns() - began_ns)
        due_s += pace_s
        if pace_s:
            time.sleep(max(0.0, due_s - time.monotonic()))
    return taken
