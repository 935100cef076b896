"""Benchmarks: each measures beside a peer in the same run and reports ratios, medians and p99 as a table and JSON."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before any import of onnxruntime
