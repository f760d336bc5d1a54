"""How a visitor feels as a conversation goes on: words, voice and face together, smoothed over turns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.emotion import detect_emotion
from agent.emotion_voice import VoiceFeatures, VoiceFeeling, voice_feeling
from agent.sentence import Emotion
from moderation.feelings import FEELINGS
from moderation.verdict import Action, Category, Verdict

if TYPE_CHECKING:
    from agent.events import Felt, Heard
    from agent.history import Memory

ROUSED, SOOTHED, OTHERWISE = 0.8, 0.35, 0.6
"""Share of the newest turn where anger grows, where it wanes, and for every other feeling: what was said in
anger is believed at once, and one calm word does not undo it."""
HALF_LIFE_S = 90.0
"""After so long without a word half of a feeling is left."""
UNSURE = 0.35
"""Confidence below which the answer is "not sure": neutral."""
FACE_SHARE = 1.0
"""Largest change of a logit by a face."""
EDGE = 0.002
"""Scores are kept so far from 0 and 1 when they become logits again."""
FURIOUS = 0.7
"""Anger from which on a person is offered at once."""
CROSS = 0.35
"""Anger at which one is offered when it was as much the turn before."""
BY_VOICE = 0.3
"""How much angrier than their words a visitor may be by voice and by what went before."""
INSULT, SWEARING = 0.7, 0.35
"""What the guard's finding an insult that is listed, or a swear word, adds to anger. An insult that an engine
heard alone counts as a swear word: it may have misheard."""

_DISPLEASED = re.compile(
    r"\b(?:disappoint\w*|unacceptable|ridiculous|frustrat\w+|annoy(?:ed|ing)|complain(?:t|ing)"
    r"|(?:third|fourth|fifth|sixth|tenth|hundredth|3rd|4th|5th) time|how many times|still (?:not|no|nothing)"
    r"|you (?:don'?t|do not|didn'?t|never) (?:understand|listen|answer|help)|are you (?:even )?listening)\b"
    r"|失望|投诉|不满|太差|差劲|第[三四五六七八九十]次|说了(?:多少|几|好几)[遍次]|到底(?:能不能|会不会|管不管|有没有)"
    r"|还没(?:解决|处理|到|收到)[！!啊]",
    re.IGNORECASE,
)
_CALM = re.compile(
    r"\b(?:not|isn'?t|aren'?t|wasn'?t|never|no longer|don'?t get) (?:\w+ ){0,2}"
    r"(?:annoyed|disappointed|frustrated|complaining)\b"
    r"|\bhow (?:do|can|could|would|should|to)\b.{0,30}\bcomplain(?:t|ing)?\b"
    r"|\bcomplaints? (?:form|policy|process|team)\b"
    r"|(?:不|没有?|别|没那么)(?:是)?(?:失望|投诉|不满)|(?:怎么|如何|哪里|在哪).{0,6}投诉|投诉(?:电话|渠道|流程|部门)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Feeling:
    """What a visitor feels, as far as it is known."""

    emotion: Emotion = field(default_factory=lambda: Emotion("neutral", 0.0, {}))
    confidence: float = 0.0
    """0..1, the share of the label's odds in all; below `UNSURE` the emotion is neutral."""
    arousal: float = 0.0
    """-1 weary … 1 agitated, by the voice; 0 where nothing was heard."""
    at_s: float = 0.0
    """When it was felt, on the clock of who asks."""


def fused(
    words: Emotion,
    voice: VoiceFeeling | None = None,
    face: Mapping[str, float] | None = None,
    *,
    at_s: float = 0.0,
) -> Feeling:
    """Put together what one turn tells.

    Args:
        words: of `detect_emotion`.
        voice: of `agent.emotion_voice`; None: typed, or too little was heard.
        face: label → 0..1, of `agent.emotion_face`; None: no camera.
        at_s: when, in seconds of one clock.
    """
    logits = {label: _logit(words.scores.get(label, float(label == words.label))) for label in FEELINGS}
    if voice is not None:
        for label, evidence in zip(FEELINGS, voice.evidence, strict=True):
            logits[label] += evidence
    if face is not None:
        for label in FEELINGS:
            logits[label] += FACE_SHARE * (
                face.get(label, 0.0) - face.get("neutral", 0.0) * (label != "neutral")
            )
    scores = {label: round(_chance(logit), 4) for label, logit in logits.items()}
    arousal = voice.arousal if voice is not None else 0.0
    return _felt(scores, {words.label: words.intensity}, arousal, at_s)


def feeling_of(
    words: Emotion,
    features: VoiceFeatures | None,
    before: Feeling | None,
    turns: Sequence[VoiceFeatures],
    at_s: float,
    face: Mapping[str, float] | None = None,
) -> tuple[Feeling, VoiceFeeling | None]:
    """Tell what a visitor feels after a turn: all together, and by the voice alone.

    Args:
        words: what their words tell; see `detect_emotion`.
        features: of their voice; None: typed.
        before: what they felt after the turn before.
        turns: of their voice, of the turns before.
        at_s: now, in seconds of one clock.
        face: label → 0..1, of `agent.emotion_face`; None: no camera.
    """
    voice = voice_feeling(features, turns)
    return smoothed(before, fused(words, voice, face, at_s=at_s)), voice


def felt_of(heard: Heard, memory: Memory, at_s: float, feels: Callable[[str], Emotion]) -> Felt:
    """Tell what a visitor feels who was heard, as an event.

    Args:
        heard: their words, and how they were spoken.
        memory: the conversation before.
        at_s: now, in seconds of one clock.
        feels: tells what words tell.
    """
    from agent.events import Felt

    words = feels(heard.transcript.text.strip())
    feeling, voice = feeling_of(words, heard.voice, memory.feeling, memory.voices, at_s, memory.face)
    return Felt(feeling.emotion, words, voice.emotion if voice else None, feeling, heard.voice)


def smoothed(before: Feeling | None, now: Feeling) -> Feeling:
    """Return how a visitor feels after a turn, given how they felt before it.

    Args:
        before: after the turn before; None: this is the first.
        now: what this turn tells; its `at_s` is the time.
    """
    if before is None or not before.emotion.scores:
        return now
    kept = 0.5 ** (max(now.at_s - before.at_s, 0.0) / HALF_LIFE_S)
    glad = now.emotion.label == "joy"
    scores: dict[str, float] = {}
    for label in FEELINGS:
        old, new = before.emotion.scores.get(label, 0.0), now.emotion.scores.get(label, 0.0)
        share = OTHERWISE
        if label == "anger":
            share = ROUSED if new > old else 1.0 if glad else SOOTHED  # who thanks is not angry any more
        share = 1.0 - (1.0 - share) * kept
        scores[label] = round(old + share * (new - old), 4)
    strengths = {now.emotion.label: now.emotion.intensity}
    was = before.emotion
    faded = min(scores[was.label] / was.scores[was.label], 1.0) if was.scores.get(was.label) else kept
    strengths.setdefault(was.label, was.intensity * min(faded, kept))
    return _felt(scores, strengths, now.arousal, now.at_s)


def anger_of(emotion: Emotion, verdict: Verdict | None = None) -> float:
    """Return how angry a visitor is, 0..1.

    Args:
        emotion: of their words, or `Feeling.emotion`.
        verdict: what the guard thinks of the words: insults and swear words count.
    """
    score = emotion.scores.get("anger", 0.0)
    if emotion.label == "anger":
        score = max(score, emotion.intensity)
    found = verdict.category if verdict is not None and verdict.action is not Action.ALLOW else ""
    if verdict is not None and found == Category.HARASSMENT:
        score += INSULT if any(one.category == found for one in verdict.spans) else SWEARING
    elif found == Category.PROFANITY:
        score += SWEARING
    return min(score, 1.0)


def anger_now(felt: Felt, text: str, verdict: Verdict | None = None) -> float:
    """Return how angry a visitor is in this turn, 0..1: calm words are calm, whatever went before.

    Args:
        felt: what the turn told.
        text: its words.
        verdict: the guard's on them.
    """
    told = min(anger_of(felt.emotion, verdict), anger_of(felt.words, verdict) + BY_VOICE)
    return max(told, displeasure(text))


def displeasure(text: str) -> float:
    """Return `CROSS` for words by which customers say, however calmly, that it is enough; else 0."""
    return CROSS if _DISPLEASED.search(_CALM.sub(" ", text.replace("’", "'"))) else 0.0


def anger(text: str, verdict: Verdict | None = None) -> float:
    """Return how angry words sound, 0..1; see `anger_of`."""
    return max(anger_of(detect_emotion(text), verdict), displeasure(text))


def _felt(scores: dict[str, float], strengths: dict[str, float], arousal: float, at_s: float) -> Feeling:
    """Choose the label, or "not sure"."""
    best = max(FEELINGS, key=scores.__getitem__)
    odds = {each: math.exp(_logit(scores[each])) for each in FEELINGS}
    confidence = round(odds[best] / sum(odds.values()), 3)
    label = best if confidence >= UNSURE else "neutral"
    intensity = strengths.get(label, 0.1 if label == "neutral" else scores[label])
    if label != "neutral":
        intensity = min(max(intensity + 0.1 * max(arousal, 0.0), 0.1), 1.0)
    return Feeling(Emotion(label, round(intensity, 3), scores), confidence, arousal, at_s)


def _logit(score: float) -> float:
    score = min(max(score, EDGE), 1.0 - EDGE)
    return math.log(score / (1.0 - score))


def _chance(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit))
