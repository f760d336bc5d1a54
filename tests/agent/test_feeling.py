"""Words, voice and face put together, and smoothed over turns."""

from types import SimpleNamespace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from agent.emotion import detect_emotion
from agent.emotion_face import face_scores
from agent.emotion_voice import VoiceFeeling
from agent.events import Felt
from agent.feeling import Feeling, anger_of, fused, smoothed
from agent.handoff import Asked
from agent.handoff_offer import is_angry
from agent.history import Memory
from agent.sentence import Emotion
from moderation.feelings import FEELINGS
from moderation.verdict import Action, Span, Verdict


def words(label: str, score: float = 0.8) -> Emotion:
    rest = dict.fromkeys(FEELINGS, 0.05)
    return Emotion(label, score, {**rest, label: score})


def voice(**evidence: float) -> VoiceFeeling:
    return VoiceFeeling(0.5, 1.0, tuple(evidence.get(label, 0.0) for label in FEELINGS))


def turns(*labels: str, every_s: float = 5.0) -> Feeling:
    feeling: Feeling | None = None
    for number, label in enumerate(labels):
        feeling = smoothed(feeling, fused(words(label), at_s=number * every_s))
    assert feeling is not None
    return feeling


def test_words_alone_keep_their_feeling() -> None:
    feeling = fused(words("anger"))
    assert feeling.emotion.label == "anger"
    assert feeling.confidence > 0.6


def test_a_voice_decides_between_two_readings() -> None:
    either = Emotion("neutral", 0.1, {**dict.fromkeys(FEELINGS, 0.05), "neutral": 0.45, "anger": 0.4})
    assert fused(either, voice(anger=1.0, neutral=-0.5)).emotion.label == "anger"
    assert fused(either, voice(sadness=1.0)).emotion.label == "neutral"


def test_a_voice_does_not_overrule_clear_words() -> None:
    assert fused(words("neutral", 0.95), voice(anger=1.2, neutral=-0.6)).emotion.label == "neutral"
    assert fused(words("joy", 0.95), voice(anger=1.2)).emotion.label == "joy"


def test_not_sure_is_neutral_with_little_confidence() -> None:
    vague = Emotion("anger", 0.3, {**dict.fromkeys(FEELINGS, 0.2), "anger": 0.24})
    feeling = fused(vague)
    assert feeling.emotion.label == "neutral"
    assert feeling.confidence < 0.35


def test_anger_is_believed_at_once_and_fades_slowly() -> None:
    assert turns("neutral", "neutral", "anger").emotion.label == "anger"
    after_one = turns("anger", "neutral").emotion.scores["anger"]
    after_two = turns("anger", "neutral", "neutral").emotion.scores["anger"]
    assert 0.4 < after_one < 0.8
    assert after_two < after_one
    assert turns("anger", "neutral", "neutral", "neutral").emotion.label == "neutral"


def test_a_question_that_sounds_surprised_does_not_end_anger_at_once() -> None:
    after = turns("anger", "surprise").emotion
    assert after.label == "anger"
    assert after.intensity < turns("anger").emotion.intensity
    assert turns("anger", "surprise", "surprise", "surprise").emotion.label == "surprise"


def test_who_thanks_is_not_angry_any_more() -> None:
    after = turns("anger", "joy").emotion
    assert after.label == "joy"
    assert after.scores["anger"] < 0.1
    assert smoothed(turns("anger"), fused(detect_emotion("谢谢，明白了"), at_s=5.0)).emotion.label == "joy"


def test_time_makes_feelings_fade() -> None:
    soon = turns("anger", "neutral", every_s=1.0).emotion.scores["anger"]
    late = turns("anger", "neutral", every_s=600.0).emotion.scores["anger"]
    assert late < 0.1 < soon


@given(st.lists(st.sampled_from(FEELINGS), min_size=1, max_size=12))
def test_scores_stay_between_nothing_and_certain(labels: list[str]) -> None:
    feeling = turns(*labels)
    assert all(0.0 <= score <= 1.0 for score in feeling.emotion.scores.values())
    assert 0.0 <= feeling.confidence <= 1.0
    assert 0.0 <= feeling.emotion.intensity <= 1.0


def test_a_smile_is_joy_and_a_still_face_is_neutral() -> None:
    smile = face_scores(
        {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "cheekSquintLeft": 0.6, "cheekSquintRight": 0.6}
    )
    assert max(smile, key=smile.__getitem__) == "joy"
    still = face_scores({})
    assert max(still, key=still.__getitem__) == "neutral"
    assert set(still) == set(FEELINGS)


def test_brows_and_lips_tell_anger_sadness_surprise_and_disgust() -> None:
    def told(**both: float) -> str:
        shapes = {f"{name}{side}": value for name, value in both.items() for side in ("", "Left", "Right")}
        scores = face_scores(shapes)
        return max(scores, key=scores.__getitem__)

    assert told(browDown=0.9, mouthPress=0.7, eyeSquint=0.4) == "anger"
    assert told(browInnerUp=0.8, mouthFrown=0.8, mouthShrugLower=0.5) == "sadness"
    assert told(browInnerUp=0.7, browOuterUp=0.8, jawOpen=0.8, eyeWide=0.5) == "surprise"
    assert told(noseSneer=0.9, mouthUpperUp=0.7) == "disgust"
    assert told(browInnerUp=0.8, browOuterUp=0.5, eyeWide=0.9, mouthStretch=0.8) == "fear"


def test_a_face_helps_words_that_say_little() -> None:
    vague = detect_emotion("fine")
    smile = face_scores({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0})
    assert fused(vague, face=smile).emotion.scores["joy"] > fused(vague).emotion.scores["joy"]


def test_despair_is_no_anger_and_an_engines_insult_counts_less_than_a_listed_one() -> None:
    calm = words("neutral")

    def found(rule: str, *spans: Span) -> float:
        category = rule.partition(".")[0]
        return anger_of(calm, Verdict(Action.SOFTEN, rule, "", category=category, spans=spans))

    assert found("self_harm.risk") == anger_of(calm)
    listed = found("harassment.insult", Span(0, 4, "harassment"))
    assert listed > found("harassment.classifier") == found("profanity.mild") > anger_of(calm)


def test_nobody_is_offered_a_person_for_anger_who_speaks_of_despair() -> None:
    furious = words("anger", 0.95)
    felt = Felt(furious, furious)

    def angry(rule: str) -> bool:
        verdict = Verdict(Action.SOFTEN, rule, "", category=rule.partition(".")[0], rules=(rule,))
        asked = SimpleNamespace(memory=Memory(), text="I can't take this any more.", verdict=verdict)
        return is_angry(felt, cast("Asked", asked))

    assert angry("profanity.mild")
    assert not angry("self_harm.risk")
