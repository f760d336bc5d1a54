"""Picture files made on the spot, whole and broken."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PNG = b"\x89PNG\r\n\x1a\n"


def noise(height: int = 80, width: int = 120) -> np.ndarray:
    """A picture whose left half is red and whose right half is noisy grey: RGB."""
    picture = np.random.default_rng(3).integers(90, 160, (height, width, 3), dtype=np.uint8)
    picture[:, : width // 2] = (220, 20, 20)
    return picture


def encoded(suffix: str, picture: np.ndarray | None = None) -> bytes:
    picture = noise() if picture is None else picture
    return bytes(cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]))[1])


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return png[:33] + chunk(kind, body) + png[33:]


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def exif(orientation: int = 1, *, place: bool = False) -> bytes:
    """The TIFF block of EXIF, little-endian."""
    entries = [struct.pack("<HHII", 0x0112, 3, 1, orientation)]
    if place:
        entries.append(struct.pack("<HHII", 0x8825, 4, 1, 0))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + b"\0\0\0\0"


def huge_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return PNG + body


def webp_of(*pieces: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in pieces
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def red_model(
    folder: Path, *, outputs: int = 2, channels_first: bool = True, labels: str | None = None
) -> Path:
    """An image classifier: "red" scores high where a picture is mostly red, "other" otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = ["n", 3, 16, 16] if channels_first else ["n", 16, 16, 3]
    axes = [2, 3] if channels_first else [1, 2]
    weights = np.zeros((3, outputs), np.float32)
    weights[:, 0] = (20, -10, -10)
    nodes = [
        helper.make_node("ReduceMean", ["picture", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
    ]
    bias = np.full(outputs, 2, np.float32)
    bias[0] = 0
    graph = helper.make_graph(
        nodes,
        "red",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", outputs])],
        [
            numpy_helper.from_array(np.array(axes, np.int64), "axes"),
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(bias, "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    default = '{"labels": ["red", "other"], "categories": {"red": {"category": "sexual", "threshold": 0.6}}}'
    (folder / "labels.json").write_text(labels or default)
    return folder
