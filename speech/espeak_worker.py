# SPDX-License-Identifier: GPL-3.0-or-later
#
# This one program loads the espeak-ng library, which is free software under the GNU General Public
# License, version 3 or later, and is therefore itself under that licence. It is stand-alone: it imports
# nothing of the project, and the project never imports it or the library. The two talk over pipes only,
# in the neutral protocol described below.
"""Speak texts with espeak-ng: text in, PCM and phoneme times out, over standard input and output.

Every message, in both directions, is one frame::

    uint32 little-endian   length of the header in bytes
    uint32 little-endian   length of the body in bytes (0 in requests)
    header                 a JSON object in UTF-8
    body                   raw PCM, mono, signed 16 bit little-endian

The worker first sends a greeting, `{"ok": true, "engine": "espeak-ng", "version": …, "sample_rate": 22050}`,
or `{"ok": false, "code": "unavailable", "message": …}` and ends. Then it answers each request in turn:

    {"text": …, "voice": "en-us+f3", "rate": 170, "pitch": 50, "range": 50, "volume": 100}

with rate in words a minute (80 to 450), pitch and range 0 to 100, volume 0 to 200, and optionally
`"fresh": true` (the sound depends on nothing that was said before; the library is loaded anew), by

    {"ok": true, "sample_rate": 22050, "format": "s16le", "samples": n,
     "phonemes": [[mnemonic, first sample, character], …], "words": [[first sample, character, length], …]}

where `mnemonic` is espeak-ng's own ASCII name of the sound with its stress mark ("'aI", "_:" is a pause),
and `character` counts from 0 in `text`; or by `{"ok": false, "code": "voice" | "request" | "engine",
"message": …}`. It ends when standard input closes, and ignores SIGINT: its parent decides.
"""

import _ctypes
import array
import ctypes
import json
import os
import signal
import struct
import sys
from typing import BinaryIO

FRAME = struct.Struct("<II")
MAX_HEADER_BYTES = 4 << 20  # a text of a million characters is a mistake of the caller

AUDIO_OUTPUT_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: samples go to the callback, the call returns when done
INITIALIZE_PHONEME_EVENTS = 1  # with mnemonics: the event's name field has 8 bytes, too few for some IPA
INITIALIZE_DONT_EXIT = 0x8000  # report missing data instead of ending the process
BUFFER_MS = 60  # how much the library makes at a time
RELEASE_MS = 10  # after the end that the library reports, the last sound fades; then it only fills the buffer
CHARS_UTF8 = 1
POSITION_CHARACTER = 1
EVENT_LIST_END, EVENT_WORD, EVENT_END, EVENT_PHONEME = 0, 1, 5, 7
PARAMETER_RATE, PARAMETER_VOLUME, PARAMETER_PITCH, PARAMETER_RANGE = 1, 2, 3, 4
LIMITS = {"rate": (80, 450), "volume": (0, 200), "pitch": (0, 100), "range": (0, 100)}
DEFAULTS = {"rate": 170, "volume": 100, "pitch": 50, "range": 50}
RAND_SEED = 1  # of breath; left alone, the library takes the time of day
CODES = {
    "rate": PARAMETER_RATE,
    "volume": PARAMETER_VOLUME,
    "pitch": PARAMETER_PITCH,
    "range": PARAMETER_RANGE,
}


class Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


class RequestError(Exception):
    """A request that cannot be answered: code and message."""


class Engine:
    """The library, initialised; its voices waver on from one text to the next, so it can be loaded anew."""

    def __init__(self) -> None:
        self._callback = CALLBACK(self._receive)  # kept alive as long as the library may call it
        self._spoke = False
        self._load()

    def _load(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Info.restype = ctypes.c_char_p
        data = str(espeakng_loader.get_data_path()).encode()
        self.sample_rate = self._library.espeak_Initialize(
            AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, data, INITIALIZE_PHONEME_EVENTS | INITIALIZE_DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise OSError("espeak-ng could not be initialised: its data folder is missing or damaged")
        self.version = self._library.espeak_Info(None).decode("ascii", "replace")
        self._voice = ""
        self._samples = bytearray()
        self._phonemes: list[list[object]] = []
        self._words: list[list[int]] = []
        self._end = 0
        self._library.espeak_SetSynthCallback(self._callback)

    def _reload(self) -> None:
        handle = self._library._handle
        self._library.espeak_Terminate()
        del self._library
        _ctypes.dlclose(handle)
        self._load()

    def _receive(self, samples, count, events) -> int:  # type: ignore[no-untyped-def]
        index = 0
        while (event := events[index]).type != EVENT_LIST_END:
            if event.type == EVENT_PHONEME:
                name = event.name.decode("utf-8", "replace")
                self._phonemes.append([name, event.sample, max(0, event.text_position - 1)])
            elif event.type == EVENT_WORD:
                self._words.append([event.sample, max(0, event.text_position - 1), event.length])
            elif event.type == EVENT_END:
                self._end = max(self._end, event.sample)
            index += 1
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, 2 * count)
        return 0

    def speak(self, request: dict[str, object]) -> tuple[dict[str, object], bytes]:
        """Answer one request with header and PCM."""
        text, voice = request.get("text"), request.get("voice")
        if not isinstance(text, str) or not isinstance(voice, str):
            raise RequestError("request", "text and voice must be strings")
        if request.get("fresh") and self._spoke:
            self._reload()
        self._spoke = True
        # A voice that is not found leaves the previous one in place, so the return code decides.
        if voice != self._voice:
            self._voice = ""
            if self._library.espeak_SetVoiceByName(voice.encode("utf-8", "replace")) != 0:
                raise RequestError("voice", f"espeak-ng has no voice {voice!r}")
            self._voice = voice
        for name, (low, high) in LIMITS.items():
            value = request.get(name, DEFAULTS[name])
            if not isinstance(value, (int, float)):
                raise RequestError("request", f"{name} must be a number")
            self._library.espeak_SetParameter(CODES[name], int(min(max(value, low), high)), 0)
        self._samples = bytearray()
        self._phonemes = []
        self._words = []
        self._end = 0
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(RAND_SEED))
        # NUL would end the text early; a lone surrogate cannot be UTF-8.
        data = text.replace("\0", " ").encode("utf-8", "replace")
        status = self._library.espeak_Synth(
            data, len(data) + 1, 0, POSITION_CHARACTER, 0, CHARS_UTF8, None, None
        )
        if status != 0:
            raise RequestError("engine", f"espeak_Synth returned {status}")
        pcm = array.array("h", bytes(self._samples))
        if self._end:
            del pcm[self._end + self.sample_rate * RELEASE_MS // 1000 :]
        if sys.byteorder == "big":
            pcm.byteswap()
        header: dict[str, object] = {
            "ok": True,
            "sample_rate": self.sample_rate,
            "format": "s16le",
            "samples": len(pcm),
            "phonemes": self._phonemes,
            "words": self._words,
        }
        return header, pcm.tobytes()


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
    # The library may print: keep the pipe to ourselves and point descriptor 1 at standard error.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    source = sys.stdin.buffer
    try:
        engine = Engine()
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        send(output, {"ok": False, "code": "unavailable", "message": str(error)})
        return 1
    greeting = {
        "ok": True,
        "engine": "espeak-ng",
        "version": engine.version,
        "sample_rate": engine.sample_rate,
    }
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
            except ValueError as error:
                header, body = {"ok": False, "code": "request", "message": str(error)}, b""
            send(output, header, body)
    except BrokenPipeError:
        pass  # the parent is gone
    return 0


if __name__ == "__main__":
    sys.exit(main())
