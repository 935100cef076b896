"""Fuzz targets of what a racer brings: archives, TensorFlow graphs, ONNX models and their metadata."""

import io
import json

from bench.fuzz.target import FuzzTarget, TargetTable


def metadata() -> FuzzTarget:
    import numpy as np

    from tests.vehicle.sample_parts import METADATA
    from vehicle.models.metadata import parse_metadata

    def call(data: bytes) -> None:
        found = parse_metadata(data, any_sensors=True)
        found.space.decode(np.full(found.space.size, 0.3, np.float32), 0.5)

    lidar = {
        "action_space": {"steering_angle": {"low": -30, "high": 30}, "speed": {"low": 1, "high": 4}},
        "action_space_type": "continuous",
        "sensor": ["LIDAR", "LEFT_CAMERA"],
        "lidar_config": {"num_sectors": 8},
    }
    return FuzzTarget(call, [json.dumps(each).encode() for each in (METADATA, lidar)])


def onnx_models() -> FuzzTarget:
    from tests.vehicle.sample_parts import tiny_graph
    from vehicle.models.onnx_file.scan import scan_model
    from vehicle.models.running.onnx_check import allowed_graph

    def call(data: bytes) -> object:
        scanned = scan_model(data)
        scanned.pieces()
        return allowed_graph(scanned.outline)

    small = tiny_graph([0.1, 0.2, 0.3], shape=(1, 1, 4, 4)).SerializeToString()
    return FuzzTarget(call, [small[:6000], small[:200]])


def frozen_graphs() -> FuzzTarget:
    from tests.vehicle.models.tensorflow.protobuf_writer import dense, graph
    from tests.vehicle.sample_parts import METADATA
    from vehicle.models.metadata import parse_metadata
    from vehicle.models.tensorflow.converter import convert
    from vehicle.models.tensorflow.graphdef import read_graph

    known = parse_metadata(json.dumps(METADATA).encode())
    return FuzzTarget(lambda data: convert(read_graph(data), known), [graph(*dense()), graph(*dense(last="Identity"))])


def tars() -> FuzzTarget:
    from tests.vehicle.models.importing.tars import Member, pax, tar
    from vehicle.models.importing.archive import model_names
    from vehicle.models.importing.packing import regular_files

    def call(data: bytes) -> None:
        """Each block has the checksum that it would need as a header."""
        packed = with_checksums(data)
        for name in model_names(io.BytesIO(packed)):
            assert not name.startswith("/")
            assert ".." not in name.split("/")
        for _, member in regular_files(io.BytesIO(packed)):
            for _ in member.pieces(1 << 20):
                pass

    files = (Member(b"agent/model.pb", b"x" * 600), Member(b"model_metadata.json", b"{}"))
    return FuzzTarget(call, [tar(*files), tar(pax(path="agent/model.onnx"), *files)])


def with_checksums(data: bytes) -> bytes:
    """The blocks of a tar, each with the right checksum where a header has it."""
    blocks = bytearray(data)
    for at in range(0, len(blocks) - 511, 512):
        block = blocks[at : at + 512]
        if any(block):
            blocks[at + 148 : at + 156] = b"%06o\0 " % (sum(block) - sum(block[148:156]) + 256)
    return bytes(blocks)


def archives() -> FuzzTarget:
    from tests.vehicle.models.importing.tars import Member, tar, tar_gz
    from tests.vehicle.models.importing.zips import zip_of
    from vehicle.models.importing.archive import extract_model, model_names

    files = (Member(b"agent/model.pb", b"x" * 600), Member(b"model_metadata.json", b"{}"))

    def call(data: bytes) -> None:
        extract_model(io.BytesIO(data))
        model_names(io.BytesIO(data))

    named = {"agent/model.pb": b"x" * 60, "model_metadata.json": b"{}"}
    return FuzzTarget(call, [tar_gz(*files), tar(*files), zip_of(named)])


MODELS: TargetTable = {
    "metadata": metadata,
    "onnx": onnx_models,
    "frozen-graphs": frozen_graphs,
    "tars": tars,
    "archives": archives,
}
