"""The car: guard, pilot and comms; a pure core, drivers, models and the lap watcher."""

import os

# ONNX Runtime 1.29 and later report home, and keep a file in the home folder, unless this is set before its first
# import. A car reports to its station alone.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
