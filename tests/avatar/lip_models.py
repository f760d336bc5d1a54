"""Tiny ONNX models of the Wav2Lip interface, made on the spot: what they do is known, so it can be tested."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SPOT_CENTRE = (0.5, 0.76)
"""Where the spot models darken the face: across and down, in sides of the face."""
HEARD_STEP = 5
"""The step of the mel window that lies in the middle of the frame: 60 ms after its begin, 12.5 ms a step."""

Kind = Literal["same", "tinted", "spot", "heard", "nothing"]


def spot(size: int, depth: float) -> np.ndarray:
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    across, down = SPOT_CENTRE
    return (-depth * np.exp(-(((x - across) / 0.10) ** 2) - ((y - down) / 0.05) ** 2)).astype(np.float32)


def lip_model(
    path: Path,
    kind: Kind = "same",
    *,
    size: int = 96,
    open_size: bool = False,
    batch: int | str = "n",
    face_first: bool = False,
    names: tuple[str, str, str] = ("mel_spectrogram", "video_frames", "predicted_frames"),
    half: bool = False,
    mel_bands: int = 80,
    face_channels: int = 6,
) -> Path:
    """Write a model.

    "same" gives the reference back, "tinted" gives it in another colour, "spot" with a dark spot on it,
    "heard" with a spot as dark as the sound in the middle of the frame is loud, "nothing" gives NaN.
    """
    kind_of = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    number: Any = np.float16 if half else np.float32
    mel, face, out = names
    side: int | str = "s" if open_size else size
    constants = {
        "first": np.array([face_channels - 3]), "last": np.array([face_channels]), "channels": np.array([1]),
        "steps": np.array([3]), "heard_first": np.array([HEARD_STEP]),
        "heard_last": np.array([HEARD_STEP + 1]),
        "all": np.array([1, 2, 3]), "floor": number(4), "eighth": number(1 / 8), "nan": number(np.nan),
        "tint": np.array([14, -6, 9], number).reshape(1, 3, 1, 1) / number(255),
        "spot": np.broadcast_to(spot(size, 0.4), (1, 3, size, size)).astype(number),
        "loud_spot": np.broadcast_to(spot(size, 0.8), (1, 3, size, size)).astype(number),
    }  # fmt: skip
    node = helper.make_node
    nodes = [node("Slice", [face, "first", "last", "channels"], ["reference"])]
    nodes += {
        "same": [node("Identity", ["reference"], [out])],
        "tinted": [node("Add", ["reference", "tint"], [out])],
        "spot": [node("Add", ["reference", "spot"], [out])],
        "nothing": [node("Add", ["reference", "nan"], [out])],
        "heard": [
            node("Slice", [mel, "heard_first", "heard_last", "steps"], ["heard"]),
            node("ReduceMean", ["heard", "all"], ["level"], keepdims=1),
            node("Add", ["level", "floor"], ["above"]),
            node("Mul", ["above", "eighth"], ["share"]),
            node("Mul", ["share", "loud_spot"], ["change"]),
            node("Add", ["reference", "change"], [out]),
        ],
    }[kind]
    used = sorted({name for n in nodes for name in n.input} & set(constants))
    tensor = helper.make_tensor_value_info
    inputs = [
        tensor(mel, kind_of, [batch, 1, mel_bands, 16]),
        tensor(face, kind_of, [batch, face_channels, side, side]),
    ]
    graph = helper.make_graph(
        nodes, "lips", inputs[::-1] if face_first else inputs, [tensor(out, kind_of, [batch, 3, side, side])],
        [numpy_helper.from_array(np.asarray(constants[name]), name) for name in used],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
