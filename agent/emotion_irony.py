"""Praise that is none: "great, another broken tent", "thanks for nothing", "not happy", "真行啊，又坏了"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum

from agent.emotion_clauses import told_of

NO_JOY = 0.1
"""Highest score of joy in words that may be ironic."""
BITTER = 0.6
"""Least score of anger in words that are."""
NOT_SURE = 0.3
"""Least score of "neutral" in words that only may be."""

_PRAISE = (
    r"(?:great|wonderful|fantastic|brilliant|perfect|lovely|terrific|awesome|amazing|marvell?ous|superb"
    r"|splendid"
    r"|excellent|nice|fabulous|beautiful|delightful|well done|(?:good|great|nice) (?:job|work|one|going)"
    r"|way to go"
    r"|bravo|congrat(?:ulation)?s|yay|hooray|hurray|cool|super)"
)
_OPENS = re.compile(
    r"^\W*(?:(?:oh|ah|well|wow|yeah|yay|okay|ok|so|and|now|just|how|really|simply|absolutely|that's|that is"
    r"|this is"
    r"|what an?|such|bloody|ha(?:ha)*|hm+)\W+)*"
    + _PRAISE
    + r"(?:(?: \w+)?\s*[,.!:;…—-]+| (?:service|quality|support"
    r"|work|stuff|timing|experience|delivery))*(?=\W)\s*",
    re.IGNORECASE,
)
_WRONG = (
    r"(?:broken?|broke|breaks|loses?|losing|lost|late|wrong|missing|damaged|defective|faulty|cracked|torn"
    r"|ripped"
    r"|leak(?:s|y|ing|ed)|delay(?:s|ed)?|cancel+ed|fail(?:s|ed|ure)?|errors?|crash(?:es|ed)?|dead|stuck"
    r"|ruined"
    r"|on hold|nobody|no one|no (?:answer|reply|refund|tent|parcel|response)|never (?:came|arrived|comes"
    r"|works?)"
    r"|(?:charged|billed) (?:me )?twice|overcharged|useless|rubbish|garbage|ignored|scam(?:med)?|refus\w+"
    r"|declin\w+"
    r"|sold out|out of stock|rejected|waiting (?:again|for (?:\w+ )?(?:hours|days|weeks|months))"
    r"|another (?:\w+ )?(?:hour|day|week|month|wait)|(?:hours|days|weeks|months) (?:on hold|late|of waiting)"
    r"|(?:not|n't) (?:even )?(?:work|arrive|come|fit|open|start|answer|reply|help|respond|deliver\w*|turn"
    r"|load|care|here))"
)
_AGAIN = re.compile(
    r"\b(?:again|another|once more|as (?:usual|always|ever|expected)|of course|still|as if"
    r"|(?:second|third|fourth|fifth|sixth|tenth|[2-9](?:nd|rd|th)) (?:time|one))\b",
    re.IGNORECASE,
)
_TROUBLE = re.compile(rf"(?:\b|(?<=n)){_WRONG}\b", re.IGNORECASE)
_SINCERE = re.compile(
    r"\b(?:thank(?:s| you)|cheers|finally|fixed|repaired|replac\w+|solved|sorted|resolved|refunded"
    r"|works? (?:now|again)"
    r"|never (?:broken?|lost|failed|leak\w*|late)|not (?:broken|lost|late|damaged|wrong|cracked)|helped|kept"
    r"|no (?:problems?|delays?|leaks?|issues?|errors?|waiting|wait)|without|despite|even (?:when|though|if"
    r"|in)|but|although"
    r"|if|in case|suppose|what happens|how (?:do|can|long|much))\b",
    re.IGNORECASE,
)
_BITTER = re.compile(
    r"\bthank(?:s| you)(?: (?:a lot|so much|very much))? for (?:nothing|(?:wasting|ruining|losing|breaking"
    r"|ignoring|lying"
    r"|cheating|forgetting|messing|not|never|making me wait|keeping me waiting)\b"
    r"|sending (?:me )?(?:the wrong|a broken"
    r"|another))"
    r"|\b(?:oh|another)\b.{0,30}\bjust what (?:i|we) (?:needed|wanted|wished for)\b(?!.*\bthank)"
    rf"|\bhow (?:very )?(?:nice|lovely|kind|generous|convenient|thoughtful|helpful) of (?:you"
    rf"|them) to .{{0,20}}"
    r"\b(?:lose|break|forget|ignore|cancel|charge|not|never|keep me)\b"
    r"|\b(?:love|adore|enjoy)(?:ing)? (?:waiting (?:for (?:\w+ )?(?:hours|days|weeks)|on hold|forever)"
    r"|being (?:ignored|lied|put on hold|kept waiting|charged twice)|paying (?:twice|for nothing)"
    rf"|(?:how|it when|that) (?:you|they|nobody|no one|your \w+|my \w+)\b.{{0,20}}\b(?:never|nobody|ignore"
    rf"|{_WRONG}))"
    r"|\byou must (?:all )?be (?:so |very |really )?proud\b|\b(?:stars|points) for (?:wasting|losing"
    r"|breaking|ruining)\b"
    r"|\bslow clap\b|(?:^|[.,!]\s*)(?:oh,? )?(?:yeah|sure),? right(?=\s*(?:[.,!]|$))(?!.{0,3}\b(?:here|there"
    r"|away|now)\b)",
    re.IGNORECASE,
)
_SPARED = re.compile(
    r"\b(?:not|never|without)(?: ever)? (?:(?:over)?charging|losing|breaking|wasting|forgetting|ignoring"
    r"|cancell?ing|messing|lying|judging|rushing|giving up"
    r"|(?:arrive|come|be|get|show up) (?:late|lost|broken|damaged|wrong))\b",
    re.IGNORECASE,
)
"""What one may well be thanked for, or like."""
_UNDERSTATED = re.compile(
    r"\b(?:not|isn'?t|wasn'?t|aren'?t|weren'?t)(?: (?:exactly|really|particularly|overly|terribly|very|too"
    r"|all that|that"
    r"|so|the|my|a|what i'?d call|especially|entirely|quite))+ (?:happy|pleased|impressed|thrilled|satisfied"
    r"|delighted|best"
    r"|great|good|glad|helpful|nice|finest|amused|ideal|fun|joy|pleasure|highlight)\b"
    r"|\b(?:can'?t|cannot|can not|couldn'?t|wouldn'?t) (?:really |exactly )?(?:say|claim"
    r"|call)\b.{0,24}\b(?:happy|pleased"
    r"|impressed|thrilled|satisfied|delighted|great|good|best|love|like|enjoy\w*)\b"
    r"|\b(?:less than|far from|hardly|barely|anything but|nowhere near) (?:happy|pleased|impressed|thrilled"
    r"|satisfied|great"
    r"|good|ideal|perfect|delighted|helpful|the best)\b"
    r"|\bcould (?:be|have been|do|have done) (?:much |a lot |a bit )?better\b|\bnot my (?:best|favou?rite)\b"
    r"|(?:不太|不怎么|不是很|不算|算不上|谈不上|说不上|称不上|没那么|没多|并不|不见得|不咋)(?:很|太|那么|多"
    r"|是很)?"
    r"(?:开心|高兴|满意|好|愉快|喜欢|舒服|靠谱|令人满意|理想)",
    re.IGNORECASE,
)
_MARK_ZH = (
    r"(?:真行|真有你|可真|还真是?|你?们?真(?:会|厉害|棒|好)|太好了|太棒了|好极了|真棒|真不错|好样的|真厉害"
    r"|厉害了|真好"
    r"|服务真|效率真|真贴心|真及时|真靠谱|真周到|真负责|谢谢啊|佩服|恭喜|漂亮|绝了|完美|真是(?:谢谢|多谢"
    r"|感谢|太感谢))"
)
_WRONG_ZH = (
    r"(?:又(?:双叒)?(?:\w{0,4})?(?:坏|破|断|丢|错|漏|晚|迟|延|等|没|发错|取消|缺|出问题|扣|失败|崩|骗|不)"
    r"|第[二三四五六七八九十几\d]+次"
    r"|还(?:是)?(?:没|不)|坏了|丢了|破了|断了|发错|送错|寄错|弄丢|搞丢|弄坏|没人(?:理|管|接|回)"
    r"|等了?(?:快|整整|足足)?(?:半|一|两|三|四|五|六|七|八|九|十|好几|几|\d+)(?:个)?(?:小时|天|周|星期|礼拜"
    r"|月|年)"
    r"|延误|退不了|打不通|用不了|不能用|漏水|散架|压[扁坏]|摔坏|惹[怒毛]|少了|过期|骗|白等|忘了?我)"
)
_IRONIC_ZH = re.compile(
    rf"(?:真行|真有你|可真|真是(?:谢谢|多谢|感谢)).{{0,14}}{_WRONG_ZH}|{_WRONG_ZH}.{{0,14}}(?:真行|真有你"
    rf"|可真|真是谢谢)"
    rf"|(?:呵呵|哼).{{0,12}}(?:{_MARK_ZH}|真)"
    rf"|{_MARK_ZH}[^，。！!]{{0,4}}[，,。！!\s]*又(?!来买)\w{{0,4}}(?:坏|破|断|丢|错|漏|晚|迟|延|等|没)"
    r"|谢谢[你您]们?全家|(?:谢谢|感谢|多谢)[你您]们?(?:的)?(?:敷衍|忽悠|浪费|耽误|欺骗)"
)
_MAYBE_ZH = re.compile(rf"{_MARK_ZH}.{{0,14}}{_WRONG_ZH}|{_WRONG_ZH}.{{0,14}}{_MARK_ZH}|^\W*呵呵")
_MIXED = re.compile(
    rf"\b(?:but|except|however)\b.{{0,40}}(?:\b|(?<=n)){_WRONG}\b"
    r"|(?:但是?|不过|可是|可惜|就是).{0,16}(?:坏|破|断|漏|错|丢|少了|缺|太?慢|太?差|失望)",
    re.IGNORECASE,
)
"""Praise that goes on to a complaint."""
_SINCERE_ZH = re.compile(
    r"终于|修好|换了(?:个)?新|解决|从来?没|没有?(?:坏|破|断|丢|漏|错|延误|迟)|不(?:会|怕)?(?:漏|坏)"
    r"|就[到好修]|如果|要是|万一|但|不过|虽然"
)


class Irony(IntEnum):
    """How surely praise is none."""

    NONE = 0
    MAYBE = 1
    SURE = 2


def irony(text: str) -> Irony:
    """Tell whether the praise in an utterance is meant; what is asked in it tells nothing of that."""
    text = text.replace("’", "'")
    if _BITTER.search(text) and not _SPARED.search(text):
        return Irony.SURE
    said = told_of(text) or text
    if not _SINCERE_ZH.search(said):
        if _IRONIC_ZH.search(said):
            return Irony.SURE
        if _MAYBE_ZH.search(said):
            return Irony.MAYBE
    if _UNDERSTATED.search(text) or _MIXED.search(said):
        return Irony.MAYBE
    opening = _OPENS.match(said)
    rest = said[opening.end() :] if opening else ""
    if not _TROUBLE.search(rest) or _SINCERE.search(said):
        return Irony.NONE
    return Irony.SURE if _AGAIN.search(rest) else Irony.MAYBE


def disenchanted(text: str, scores: Mapping[str, float]) -> dict[str, float]:
    """Return the scores of feelings without the joy of ironic praise; where it only may be, not sure.

    Args:
        text: one utterance.
        scores: label → 0..1.
    """
    found, kind = dict(scores), irony(text)
    if kind is not Irony.NONE:
        found["joy"] = min(found["joy"], NO_JOY)
        found["neutral"] = max(found["neutral"], NOT_SURE)
    if kind is Irony.SURE:
        found["anger"] = max(found["anger"], BITTER)
        found.update({label: min(found[label], NOT_SURE) for label in ("neutral", "surprise", "fear")})
    return found
