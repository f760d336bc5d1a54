"""A reply's sound turned back into words, by the desk's own recogniser: is what is said to be understood?"""

from __future__ import annotations

import numpy as np

from agent.line import MOMENT_S, RATE_HZ, SAMPLES
from evals.replay.record import ConversationRecord, TurnRecord
from evals.replay.tape import Heard
from speech.errors import SpeechError
from speech.recognizer import Recognizer

REST_S = 0.1
"""Silence before and after each sentence that is recognised."""


def transcribe_replies(record: ConversationRecord, tape: Heard, recognizer: Recognizer | None) -> None:
    """Write down what a recogniser makes of every reply's sound; what it has no ear for is told as a notice.

    Args:
        record: of the replay.
        tape: its sound.
        recognizer: of the desk.
    """
    for turn in record.turns:
        if turn.reply_began_s is None:
            continue
        languages = {sentence.language for sentence in turn.sentences}
        if recognizer is None or not languages <= set(recognizer.languages):
            turn.notices.append("not_transcribed")
            continue
        try:
            turn.transcribed = _words(turn, tape, recognizer)
        except SpeechError:
            turn.notices.append("not_transcribed")
    if recognizer is not None:
        record.engines["transcribing"] = recognizer.engine


def _words(turn: TurnRecord, tape: Heard, recognizer: Recognizer) -> str:
    """Recognise a reply sentence by sentence."""
    assert turn.reply_began_s is not None
    end_s = turn.reply_ended_s if turn.reply_ended_s is not None else tape.time(tape.count)
    rest = np.zeros(round(REST_S * RATE_HZ), np.int16)
    parts = list[str]()
    said: object = None
    sound = list[np.ndarray]()

    def understood() -> None:
        if sound:
            pcm = np.concatenate([rest, *sound, rest])
            parts.append(recognizer.transcribe(pcm, RATE_HZ).text)
            sound.clear()

    for index, moment in sorted(tape.moments.items()):
        at_s = tape.time(index)
        if not turn.reply_began_s - MOMENT_S / 2 <= at_s <= end_s:
            continue
        if moment.spoken is not said and moment.spoken is not None:
            understood()
            said = moment.spoken
        if moment.spoken is not None:
            sound.append(tape.between(at_s, SAMPLES))
    understood()
    apart = "" if turn.sentences and turn.sentences[0].language == "zh" else " "
    return apart.join(part for part in parts if part)
