"""What other tools call a script's keys, so that an unknown key leads to the right one."""

from __future__ import annotations

import re
from collections.abc import Collection

_SAID = {
    "user": "say says said text message input utterance human customer visitor question prompt query me",
    "wav": "audio recording file sound audio_file wave mp3",
    "pause_s": "pause wait delay sleep silence after",
    "barge_in": "bargein interrupt interrupts interruption",
    "expect": "expected expectations assert assertions checks check then",
    "title": "name description summary story test test_case",
    "language": "lang locale reply_language",
    "tags": "labels label categories category topic topics",
    "turns": "turn steps dialogue dialog conversation messages",
    "timeout_s": "timeout",
    "contains": "contain includes include must_contain must_include has text says answer reply response "
    "expected bot contains_all all_of",
    "contains_any": "contain_any any_of one_of either",
    "must_not": "not_contains not_contain must_not_contain does_not_contain excludes exclude forbidden never "
    "not none_of",
    "regex": "regexp pattern matches match",
    "cites": "citation citations cite source sources documents document",
    "outcome": "status result resolution intent_result",
    "tools": "tool tool_call tool_calls action actions calls function_calls functions",
    "handoff": "hand_off handover transfer escalation escalated escalate human",
    "refused": "refusal refuse refuses blocked",
    "emotion": "emotions reply_emotion expression mood",
    "visitor_emotion": "sentiment user_emotion customer_emotion",
    "verdicts": "verdict moderation flagged guard",
    "within_ms": "latency latency_ms max_latency max_latency_ms first_sound first_sound_ms response_time "
    "response_time_ms timing timings",
    "yielded_ms": "yield yields yielded yield_ms yielded_within yielded_within_ms",
    "resumed": "resume resumes continues",
    "heard_reply": "history heard",
    "understood": "transcript recognized asr",
    "wer": "max_wer word_error_rate",
    "reply_wer": "max_reply_wer",
    "grounded": "groundedness faithful faithfulness",
    "state": "database databases db sql final_state",
    "goal": "success judge rubric task",
    "media": "video picture lips face",
    "clock": "now time date datetime today",
    "customer": "user profile visitor persona slots",
    "files": "file database databases db data",
    "people": "agents operators staff humans",
    "knowledge": "knowledge_version index",
    "speaker": "accent gender voice name",
    "speed": "rate tempo",
    "noise": "background noise_kind snr snr_db",
    "kind": "type",
    "snr_db": "snr level db",
    "telephone": "phone phone_line telephony",
    "room_s": "reverb rt60 room",
    "query": "sql select statement",
    "file": "db database path",
    "rows": "equals result results expected values",
    "count": "number rows_count length",
    "arguments": "args params parameters input inputs",
    "times": "count how_often",
    "av_offset_ms": "av_offset offset_ms lip_sync lip_sync_ms",
    "face_present": "face",
    "freeze_s": "freeze freezes max_freeze_s",
}
"""Key → what it is called elsewhere."""
_KEYS: dict[str, list[str]] = {}
for _key, _names in _SAID.items():
    for _name in _names.split():
        _KEYS.setdefault(_name, []).append(_key)


def meant(key: str, here: Collection[str]) -> str:
    """Return the key that another tool's key stands for.

    Args:
        key: as it is written.
        here: keys that are known in its place.

    Returns:
        One of `here`; empty: none is known by that name.
    """
    plain = re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key)).strip("_").lower()
    return next((one for one in _KEYS.get(plain, ()) if one in here), "")
