# SPDX-License-Identifier: GPL-3.0-or-later
#
# This one program loads piper-tts (which carries espeak-ng), free software under the GNU General Public
# License, version 3 or later, and is therefore itself under that licence. It is stand-alone: it imports
# nothing of the project, and the project never imports it or the library. The two talk over pipes only,
# in the neutral protocol described below.
"""Speak texts with a Piper voice: text in, PCM and phoneme lengths out, over standard input and output.

Started as `piper_worker.py VOICE.onnx`, with the voice's configuration beside it (VOICE.onnx.json).
Every message, in both directions, is one frame::

    uint32 little-endian   length of the header in bytes
    uint32 little-endian   length of the body in bytes (0 in requests)
    header                 a JSON object in UTF-8
    body                   raw PCM, mono, 32 bit float little-endian

The worker first sends a greeting, `{"ok": true, "engine": "piper", "version": …, "sample_rate": 22050}`,
or `{"ok": false, "code": "unavailable", "message": …}` and ends. Then it answers each request in turn:

    {"text": …, "length_scale": 1.0, "noise_scale": 1.0, "noise_w_scale": 1.0}

whose scales multiply the voice's own, by

    {"ok": true, "sample_rate": 22050, "format": "f32le", "samples": n,
     "sentences": [{"samples": n, "phonemes": [IPA code point, …], "lengths": [samples, …] or null}, …]}

where `phonemes` are Piper's, with "^" and "$" for begin and end, and `lengths` are null where the voice
does not tell; or by `{"ok": false, "code": "request" | "engine", "message": …}`. It ends when standard
input closes, and ignores SIGINT: its parent decides.
"""

import json
import os
import signal
import struct
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

FRAME = struct.Struct("<II")
MAX_HEADER_BYTES = 4 << 20


class RequestError(Exception):
    """A request that cannot be answered: code and message."""


class Engine:
    """One voice, loaded once."""

    def __init__(self, model: Path) -> None:
        # Some voices' phonemisers fetch data when it is missing: a voice must not wait for a network.
        os.environ["HF_HUB_OFFLINE"] = "1"
        from piper import PiperVoice

        self._voice: Any = PiperVoice.load(model, include_alignments=True, download_dir=model.parent)
        self.sample_rate = int(self._voice.config.sample_rate)
        try:
            self.version = version("piper-tts")
        except PackageNotFoundError:
            self.version = ""

    def speak(self, request: dict[str, Any]) -> tuple[dict[str, object], bytes]:
        """Answer one request with header and PCM."""
        from piper import SynthesisConfig

        text = request.get("text")
        if not isinstance(text, str):
            raise RequestError("request", "text must be a string")
        config = self._voice.config
        try:
            manner = SynthesisConfig(
                length_scale=config.length_scale * float(request.get("length_scale", 1.0)),
                noise_scale=config.noise_scale * float(request.get("noise_scale", 1.0)),
                noise_w_scale=config.noise_w_scale * float(request.get("noise_w_scale", 1.0)),
            )
        except (TypeError, ValueError):
            raise RequestError("request", "the scales must be numbers") from None
        sentences: list[dict[str, object]] = []
        body = bytearray()
        samples = 0
        for chunk in self._voice.synthesize(text, syn_config=manner, include_alignments=True):
            sound = chunk.audio_float_array.reshape(-1).astype("<f4")
            phonemes = list(chunk.phonemes)
            lengths: list[int] | None = None
            if chunk.phoneme_alignments:
                phonemes = [aligned.phoneme for aligned in chunk.phoneme_alignments]
                lengths = [int(aligned.num_samples) for aligned in chunk.phoneme_alignments]
            sentences.append({"samples": len(sound), "phonemes": phonemes, "lengths": lengths})
            body += sound.tobytes()
            samples += len(sound)
        header: dict[str, object] = {
            "ok": True,
            "sample_rate": self.sample_rate,
            "format": "f32le",
            "samples": samples,
            "sentences": sentences,
        }
        return header, bytes(body)


def read_exactly(stream: BinaryIO, count: int) -> bytes | None:
    """Return `count` bytes, or None when the stream ended before."""
    data = stream.read(count)
    return data if len(data) == count else None


def send(stream: BinaryIO, header: dict[str, object], body: bytes = b"") -> None:
    """Write one frame."""
    encoded = json.dumps(header).encode()
    stream.write(FRAME.pack(len(encoded), len(body)) + encoded)
    stream.write(body)
    stream.flush()


def main() -> int:
    """Serve until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries may print: keep the pipe to ourselves and point descriptor 1 at standard error.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    source = sys.stdin.buffer
    try:
        engine = Engine(Path(sys.argv[1]))
    except Exception as error:  # whatever a broken model raises, the parent must hear of it
        send(output, {"ok": False, "code": "unavailable", "message": f"{type(error).__name__}: {error}"})
        return 1
    greeting = {"ok": True, "engine": "piper", "version": engine.version, "sample_rate": engine.sample_rate}
    try:
        send(output, greeting)
        while (prefix := read_exactly(source, FRAME.size)) is not None:
            header_bytes, body_bytes = FRAME.unpack(prefix)
            if header_bytes > MAX_HEADER_BYTES or body_bytes:
                return 2
            encoded = read_exactly(source, header_bytes)
            if encoded is None:
                break
            try:
                request = json.loads(encoded)
                if not isinstance(request, dict):
                    raise RequestError("request", "the header must be a JSON object")
                header, body = engine.speak(request)
            except RequestError as error:
                header, body = {"ok": False, "code": error.args[0], "message": error.args[1]}, b""
            except Exception as error:  # one text must not end the voice
                message = f"{type(error).__name__}: {error}"
                header, body = {"ok": False, "code": "engine", "message": message}, b""
            send(output, header, body)
    except BrokenPipeError:
        pass  # the parent is gone
    return 0


if __name__ == "__main__":
    sys.exit(main())
