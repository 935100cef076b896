"""Running a model in ONNX Runtime: checks, session, policy, timing."""
