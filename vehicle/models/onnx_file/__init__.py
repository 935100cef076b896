"""Reads an ONNX file's bytes within limits, before any protobuf library does, and writes its checked parts anew."""
