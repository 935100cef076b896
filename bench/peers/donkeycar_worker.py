"""donkeycar's own `Vehicle` loop in its own environment: times rounds on request by stdin. Imports nothing of Raceday.

python donkeycar_worker.py MODEL.onnx INPUT CLASSES
"""

import json
import os
import sys
import time

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
ASIDE = sys.stdout
sys.stdout = sys.stderr  # donkeycar prints a banner on stdout, which carries the answers

import numpy as np  # noqa: E402
import onnxruntime as ort  # noqa: E402
from donkeycar.vehicle import Vehicle  # noqa: E402

MORE_PARTS = 11  # with the four, as many parts as donkeycar's own template: fifteen


class Camera:
    """A camera part: a different picture from memory each time, as from a sensor."""

    def __init__(self):
        self.picture = np.random.default_rng(1).integers(0, 256, (120, 160), np.uint8)
        self.seq = 0

    def run(self):
        self.seq += 1
        self.picture[:8, :8] = self.seq % 251
        return self.picture


class Pilot:
    """A pilot part with the same session and options as Raceday's."""

    def __init__(self, path, name, classes):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.name, self.half = name, (classes + 1) / 2
        self.feed = np.zeros((1, 1, 120, 160), np.float32)

    def run(self, picture):
        self.feed[0, 0] = picture
        out = self.session.run(None, {self.name: self.feed})[0]
        return float(out.argmax()) / self.half - 0.9, 0.3

    def bare(self):
        self.session.run(None, {self.name: self.feed})


class Actuator:
    """An actuator part that only stores its value."""

    def run(self, value):
        self.value = value


class Nothing:
    """A part that does nothing."""

    def run(self):
        pass


def car(pilot, more=0):
    vehicle = Vehicle()
    vehicle.add(Camera(), outputs=["picture"])
    vehicle.add(pilot, inputs=["picture"], outputs=["steering", "throttle"])
    vehicle.add(Actuator(), inputs=["steering"])
    vehicle.add(Actuator(), inputs=["throttle"])
    for _ in range(more):
        vehicle.add(Nothing())
    return vehicle


def main():
    pilot = Pilot(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    calls = {"loop": car(pilot).update_parts, "bare": pilot.bare}
    print("ready", file=ASIDE, flush=True)
    for line in sys.stdin:
        what, count, pace_s = line.split()
        if what == "start":  # donkeycar's own loop with its own sleep: the time of `count` turns
            _, answer = car(pilot, MORE_PARTS).start(rate_hz=1 / float(pace_s), max_loop_count=int(count) + 1)
        else:
            answer = timed(calls[what], int(count), float(pace_s))
        print(json.dumps(answer), file=ASIDE, flush=True)


def timed(call, count, pace_s):
    if not pace_s:
        for _ in range(2):
            call()
    taken, due_s = [], time.monotonic()
    for _ in range(count):
        began = time.perf_counter_ns()
        call()
        taken.append(time.perf_counter_ns() - began)
        due_s += pace_s
        if pace_s:
            time.sleep(max(0.0, due_s - time.monotonic()))
    return taken


if __name__ == "__main__":
    main()
