"""A lip model: an ONNX file of the Wav2Lip interface, run by onnxruntime.

What goes in, in any order and under any names: `mel` float[N, 1, 80, 16] (see `avatar.neural.mel`) and `face`
float[N, 6, S, S], the picture of a face in [0, 1] twice, its lower half black in channels 0-2, whole in 3-5.
What comes out: float[N, 3, S, S] in [0, 1], the face with the lips of the sound. Channels are blue, green,
red. S is 96 in the public model; 192, 256, 288 and 384 exist. N may be free or fixed. Half precision is
converted.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError, InputError
from avatar.neural.mel import BANDS, WINDOW_STEPS

F32 = NDArray[np.float32]

USUAL_SIZE = 96
"""Side in pixels of the face where the model leaves it open."""
MEL_SHAPE = (1, BANDS, WINDOW_STEPS)
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
EXPECTED = "mel float[N, 1, 80, 16] and face float[N, 6, S, S] in, face float[N, 3, S, S] out"
LONGEST_REASON = 300
"""Characters of onnxruntime's words that are passed on."""
_CODES = re.compile(r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ")
_TYPES: dict[str, type[np.floating[Any]]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class LipModel:
    """One loaded model; calls from several threads at once are allowed."""

    engine: str
    """What computes, on what: "onnxruntime/cuda" or "onnxruntime/cpu", and the file's name."""
    size: int
    """Side S of the face in pixels."""
    batch: int | None
    """Faces that a run must have, None where the model takes any number."""

    def __init__(self, path: Path | str, *, threads: int = 2) -> None:
        """Load the model, on CUDA where onnxruntime has it and it starts, else on the CPU, and try it once.

        Args:
            path: the ONNX file.
            threads: CPU threads that one run may use.

        Raises:
            InputError: the file is missing, is not ONNX, or has another interface.
        """
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"no lip model at {self.path}: give the ONNX file of a Wav2Lip model")
        try:
            self._load(threads, cuda=True)
        except AvatarError:
            if not _has_cuda():
                raise
            self._load(threads, cuda=False)  # a driver or library of CUDA may be missing
        provider = "cuda" if self._session.get_providers()[0] == CUDA else "cpu"
        self.engine = f"onnxruntime/{provider} {self.path.stem}"

    def _load(self, threads: int, *, cuda: bool) -> None:
        self._session = _open(self.path, threads, cuda=cuda)
        inputs: dict[str, str] = {}
        self._types: dict[str, type[np.floating[Any]]] = {}
        self.size, self.batch = USUAL_SIZE, None
        for node in self._session.get_inputs():
            kind = _kind(node.shape)
            if not kind or kind in inputs or node.type not in _TYPES:
                raise self._refusal()
            inputs[kind], self._types[kind] = node.name, _TYPES[node.type]
            if kind == "face":
                self.size = next((d for d in node.shape[2:] if isinstance(d, int)), USUAL_SIZE)
            if isinstance(node.shape[0], int):
                self.batch = node.shape[0]
        outputs = [node.name for node in self._session.get_outputs() if len(node.shape) == 4]
        if len(inputs) != 2 or not outputs:
            raise self._refusal()
        self._inputs, self._output = inputs, outputs[0]
        self._try()

    def __call__(self, mel: F32, face: F32) -> F32:
        """Run the model.

        Args:
            mel: float32[n, 1, 80, 16].
            face: float32[n, 6, S, S].

        Returns:
            float32[n, 3, S, S], clipped to [0, 1].

        Raises:
            AvatarError: the model failed (out of memory, say) or gave no numbers.
        """
        count, step = len(mel), self.batch or len(mel)
        parts = []
        for first in range(0, count, max(step, 1)):
            part = self._run(mel[first : first + step], face[first : first + step], step)
            parts.append(part[: count - first])
        faces = np.concatenate(parts) if parts else np.zeros((0, 3, self.size, self.size), np.float32)
        if not np.isfinite(faces).all():
            raise AvatarError(f"{self.path} gave numbers that are not finite: export it in full precision")
        return np.clip(faces, 0, 1)

    def _run(self, mel: F32, face: F32, batch: int) -> F32:
        """One run; a last batch that is short of `batch` repeats its last member."""
        fill = np.minimum(np.arange(batch), len(mel) - 1)
        feed = {
            self._inputs["mel"]: np.ascontiguousarray(mel[fill], self._types["mel"]),
            self._inputs["face"]: np.ascontiguousarray(face[fill], self._types["face"]),
        }
        try:
            (out,) = self._session.run([self._output], feed)
        except Exception as error:  # onnxruntime's errors have no public base
            raise AvatarError(
                f"{self.path} failed ({_reason(error)}): try a smaller batch, or export it again"
            ) from error
        return np.asarray(out, np.float32)

    def _try(self) -> None:
        """Shapes that a model leaves open are known only after a run."""
        count = self.batch or 1
        mel = np.full((count, *MEL_SHAPE), -4, np.float32)
        face = np.zeros((count, 6, self.size, self.size), np.float32)
        try:
            shape = self._run(mel, face, count).shape
        except AvatarError as error:
            raise self._refusal(f" ({_reason(error.__cause__ or error)})") from error
        if shape != (count, 3, self.size, self.size):
            raise self._refusal(f" (it gave a face of shape {list(shape)})")

    def _refusal(self, why: str = "") -> InputError:
        def said(nodes: list[Any]) -> str:
            return ", ".join(f"{node.name} {node.type}{node.shape}" for node in nodes)

        session = self._session
        found = f"{said(session.get_inputs())} in, {said(session.get_outputs())} out"
        return InputError(
            f"{self.path} is not of the Wav2Lip interface: expected {EXPECTED}; found {found}{why}. "
            "Export the generator of a Wav2Lip model to ONNX"
        )


def _reason(error: BaseException) -> str:
    """What onnxruntime says, without its own name and numbers."""
    return _CODES.sub("", str(error)).strip()[:LONGEST_REASON]


def _has_cuda() -> bool:
    import onnxruntime

    return CUDA in onnxruntime.get_available_providers()


def _open(path: Path, threads: int, *, cuda: bool) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = max(threads, 1), 1
    # threads that spin while they wait would take the cores that renderer and encoder need
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what goes wrong is raised below
    wanted = [CUDA, CPU] if cuda and _has_cuda() else [CPU]
    try:
        # onnxruntime's own fallback prints to standard output
        return onnxruntime.InferenceSession(str(path), options, providers=wanted, enable_fallback=0)
    except Exception as error:  # onnxruntime's errors have no public base
        raise InputError(
            f"{path} is not an ONNX model that onnxruntime {onnxruntime.__version__} reads: it is damaged, "
            "cut short, or of a newer format; download or export it again"
        ) from error


def _kind(shape: list[int | str | None]) -> str:
    """What an input of this shape is: "mel", "face" or ""; dimensions without a number are free."""
    if len(shape) != 4:
        return ""
    sizes = [d if isinstance(d, int) else None for d in shape[1:]]
    if all(d in (None, want) for d, want in zip(sizes, MEL_SHAPE, strict=True)) and sizes[0] == 1:
        return "mel"
    square = sizes[1] == sizes[2] or None in sizes[1:]
    return "face" if sizes[0] == 6 and square else ""
