"""Runs pocketsphinx in a process of its own, because it holds Python's interpreter lock while it works.

A program, not a module: `python -P sphinx_worker.py`, which imports nothing of the project. It reads frames
from standard input and answers each with one frame on standard output. A frame is its kind (one ASCII
letter), the length of its body (uint32, little-endian) and the body.

    I  JSON {lm, dict, cmn_prior}: load the model      ->  R
    B  begin an utterance                              ->  K
    A  its next int16 samples, mono, 16 kHz            ->  K, once they are decoded
    E  end the utterance                               ->  T  JSON {text, words: [[word, posterior, ln P,
                                                             start_s, end_s]]}
    W  int16 samples of a whole utterance              ->  T  normalised over all of it, so more precise
    X  throw the utterance away                        ->  K

A failure is answered with `F` and a text. The program ends when its input does, and leaves Ctrl-C to its
parent.
"""

from __future__ import annotations

import json
import math
import os
import signal
import struct
import sys
from typing import Any, BinaryIO

HEADER = struct.Struct("<cI")

BYTES_PER_S = 16_000 * 2

HEAD_BYTES = BYTES_PER_S
"""The first second of a stream is held back to learn the channel, its cepstral mean, from it."""

PRIOR_S = 0.5
"""Weight of the usual cepstral mean against the measured one, in seconds of sound."""

LANGUAGE_WEIGHT = 7.5
"""Of the language model against the sound: measured best on questions in the words of a desk."""

SEARCH = {"lw": LANGUAGE_WEIGHT, "fwdflatlw": LANGUAGE_WEIGHT + 1, "fwdflatsfwin": 12}
"""The second pass looks 12 frames (0.12 s) around the words of the first, half the usual: it ends sooner."""

LM_SCALE = 1024.0 / LANGUAGE_WEIGHT
"""From pocketsphinx's segment score, shifted by 10 bits and weighted, to ln P of a word."""

FRAMES_PER_S = 100
"""Of a decoder's times."""

METER_WORD = "hello"
"""Any word that every dictionary holds; the meter searches for it and never reports it."""


class Ear:
    """One decoder and the utterance that it hears."""

    def __init__(self, options: dict[str, Any]) -> None:
        import pocketsphinx

        common: dict[str, Any] = {
            "loglevel": "FATAL",
            "dict": options["dict"] or pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"),
        }
        model = options["lm"] or pocketsphinx.get_model_path("en-us/en-us.lm.bin")
        self._decoder = pocketsphinx.Decoder(lm=model, cmn="live", **SEARCH, **common)
        # A second decoder only measures cepstral means; its search is starved: 3 ms a second of sound.
        self._meter = pocketsphinx.Decoder(
            lm=None, keyphrase=METER_WORD, cmn="batch", ds=10, topn=1, **common
        )
        self._prior: list[float] = options["cmn_prior"]
        self._head = bytearray()
        self._open = False

    def begin(self) -> None:
        """Start an utterance."""
        self.cancel()

    def take(self, samples: bytes) -> None:
        """Decode the next samples of the utterance."""
        if self._open:
            self._decoder.process_raw(samples)
            return
        self._head += samples
        if len(self._head) >= HEAD_BYTES:
            self._start()

    def finish(self) -> dict[str, Any]:
        """End the utterance; returns what was heard."""
        if not self._open:
            self._start()
        self._open = False
        self._decoder.end_utt()
        return self._result()

    def whole(self, samples: bytes) -> dict[str, Any]:
        """Hear a whole utterance at once."""
        self.cancel()
        self._head += samples
        return self.finish()

    def cancel(self) -> None:
        """Throw the utterance away."""
        self._head.clear()
        if self._open:
            self._open = False
            self._decoder.end_utt()

    def _start(self) -> None:
        head = bytes(self._head)
        self._head.clear()
        self._decoder.set_cmn(",".join(f"{value:.3f}" for value in self._cepstral_mean(head)))
        self._decoder.start_stream()  # forgets the noise of the utterance before
        self._decoder.start_utt()
        self._open = True
        if head:
            self._decoder.process_raw(head)

    def _cepstral_mean(self, head: bytes) -> list[float]:
        """Mean of the head, drawn towards the usual one; a voice alone would need seconds to average out."""
        if not head:
            return self._prior
        self._meter.start_stream()
        self._meter.start_utt()
        self._meter.process_raw(head, no_search=True, full_utt=True)
        measured = [float(value) for value in self._meter.get_cmn(False).split(",")]
        self._meter.end_utt()
        length_s = len(head) / BYTES_PER_S
        mean = [
            (length_s * a + PRIOR_S * b) / (length_s + PRIOR_S)
            for a, b in zip(measured, self._prior, strict=True)
        ]
        mean[0] = measured[0]  # the loudness, which says nothing of the voice
        return mean

    def _result(self) -> dict[str, Any]:
        hypothesis = self._decoder.hyp()
        words = [
            [
                segment.word.split("(")[0],
                min(1.0, float(segment.prob)),
                math.log(max(float(segment.lscore), 1e-300)) * LM_SCALE,
                segment.start_frame / FRAMES_PER_S,
                (segment.end_frame + 1) / FRAMES_PER_S,
            ]
            for segment in (self._decoder.seg() if hypothesis else ())
            if segment.word[0] not in "<[+"  # silence and noises
        ]
        return {"text": hypothesis.hypstr if hypothesis else "", "words": words}


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer frames until the source ends."""
    ear: Ear | None = None
    while len(header := source.read(HEADER.size)) == HEADER.size:
        kind, length = HEADER.unpack(header)
        body = source.read(length)
        if len(body) < length:
            return
        reply, answer = b"K", b""
        try:
            if kind == b"I":
                ear, reply = Ear(json.loads(body)), b"R"
            elif ear is None:
                raise RuntimeError("no model is loaded")
            elif kind == b"B":
                ear.begin()
            elif kind == b"A":
                ear.take(body)
            elif kind in (b"E", b"W"):
                heard = ear.finish() if kind == b"E" else ear.whole(body)
                reply, answer = b"T", json.dumps(heard).encode()
            elif kind == b"X":
                ear.cancel()
            else:
                raise RuntimeError(f"frame kind {kind!r} is unknown")
        except Exception as error:  # the parent decides what an error means
            reply, answer = b"F", f"{type(error).__name__}: {error}".encode()
        sink.write(HEADER.pack(reply, len(answer)) + answer)
        sink.flush()


def main() -> None:
    """Serve standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    try:
        serve(sys.stdin.buffer, sink)
    except BrokenPipeError:
        os._exit(0)  # the parent is gone, nobody is left to tell


if __name__ == "__main__":
    main()
