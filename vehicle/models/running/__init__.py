"""Running a model with ONNX Runtime: checks, session, policy, timing."""
