"""Which motion of head and face goes with a sentence."""

from __future__ import annotations

from agent.sentence import Outcome, Sentence
from avatar import gesture_for

_BY_OUTCOME = {
    Outcome.CLARIFIED: "ask",
    Outcome.ABSTAINED: "apologise",
    Outcome.REFUSED: "disagree",
    Outcome.HANDOFF: "reassure",
}


def gesture_of(sentence: Sentence, *, first: bool) -> str | None:
    """Name of the gesture for a sentence, None for none.

    The sentence's own wish counts; else only the first sentence of a reply gets one, by how the turn ends
    and by its emotion: a face that moves with every sentence is restless.
    """
    if sentence.gesture:
        return sentence.gesture
    if not first:
        return None
    return _BY_OUTCOME.get(sentence.outcome) or gesture_for(sentence.emotion.label)
