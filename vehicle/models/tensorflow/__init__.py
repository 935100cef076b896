"""Converts a frozen TensorFlow graph to ONNX, without TensorFlow."""
