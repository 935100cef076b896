"""donkeycar's own `Vehicle` loop, in its own environment: times rounds when asked on stdin. Imports nothing of ours."""

import json
import os
import sys
import time

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
ASIDE = sys.stdout
sys.stdout = sys.stderr  # donkeycar greets on stdout, which carries our answers

import numpy as np  # noqa: E402
import onnxruntime as ort  # noqa: E402
from donkeycar.vehicle import Vehicle  # noqa: E402


class Camera:
    """A picture in hand."""

    def __init__(self):
        self.picture = np.random.default_rng(1).integers(0, 256, (120, 160), np.uint8)

    def run(self):
        return self.picture


class Pilot:
    """The same session and options as ours."""

    def __init__(self, path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.feed = np.zeros((1, 1, 120, 160), np.float32)

    def run(self, picture):
        self.feed[0, 0] = picture
        out = self.session.run(None, {"observation": self.feed})[0]
        return float(out.argmax()) / 11 - 0.9, 0.3

    def bare(self):
        self.session.run(None, {"observation": self.feed})


class Actuator:
    """A pin that only remembers."""

    def run(self, value):
        self.value = value


def main():
    pilot, vehicle = Pilot(sys.argv[1]), Vehicle()
    vehicle.add(Camera(), outputs=["picture"])
    vehicle.add(pilot, inputs=["picture"], outputs=["steering", "throttle"])
    vehicle.add(Actuator(), inputs=["steering"])
    vehicle.add(Actuator(), inputs=["throttle"])
    calls = {"loop": vehicle.update_parts, "bare": pilot.bare}
    print("ready", file=ASIDE, flush=True)
    for line in sys.stdin:
        what, count, pace_s = line.split()
        print(json.dumps(timed(calls[what], int(count), float(pace_s))), file=ASIDE, flush=True)


def timed(call, count, pace_s):
    taken, due_s = [], time.monotonic()
    for _ in range(count):
        began = time.perf_counter_ns()
        call()
        taken.append(time.perf_counter_ns() - began)
        due_s += pace_s
        time.sleep(max(0.0, due_s - time.monotonic()) if pace_s else 0)
    return taken


if __name__ == "__main__":
    main()
