"""Speed, measured beside a peer in the same run: ratios with medians and p99, a table and JSON."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before anybody imports onnxruntime
