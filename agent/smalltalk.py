"""What visitors say that is no question to the knowledge: greetings, thanks, who are you, a person please."""

from __future__ import annotations

import re
from enum import StrEnum


class Talk(StrEnum):
    """Kinds of small talk; the values are the names of the desk's phrases."""

    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    IDENTITY = "identity"
    HANDOFF = "handoff"


_PERSON = (
    r"(?:(?:real|actual|live|human|proper|of your|of the|your|customer|service|support) )*"
    r"(?:persons?|people|human(?: being)?|someone(?: else| real)?|somebody(?: else| real)?|agent|representative"
    r"|rep|operator|colleagues?|advis[eo]r|manager|supervisor|staff|employee|member of staff)"
)
_A = r"(?:an? |the |some |one |any )?"
_SPEAK = r"(?:talk(?:ing)?|speak(?:ing)?|chat(?:ting)?|connect(?:ed)?|transfer(?:red)?|put|pass(?:ed)?|hand(?:ed)?)"
_HANDOFF = (
    rf"\b{_SPEAK} (?:me )?(?:directly |through |on |over )?(?:to|with) {_A}{_PERSON}\b",
    rf"\b(?:get|give|find|fetch|bring|call) me {_A}{_PERSON}\b",
    rf"\b(?:want|need|would like|wanna|prefer) (?:an? |the )(?:real |actual |live )?"
    r"(?:person|human(?: being)?|human agent|agent|representative|operator|manager|supervisor)$",
    rf"^{_A}(?:real |live )?(?:human|person|agent|operator|representative|manager)(?: please| now)*$",
    r"\b(?:human|real person|agent|operator|representative) (?:please|now)\b",
    r"\bno (?:more )?(?:bots?|robots?|machines?)\b",
    r"(?:转|找|换|叫|要|接)(?:个|一个|一位|位|到|一下|成)*(?:人工|真人|活人|客服人员|经理|主管|工作人员|负责人)",
    r"(?:和|跟|与)(?:一个|一位|个|位|你们的|你们)*(?:真人|人工|客服人员|工作人员|经理|主管|活人)",
    r"^(?:人工|真人)(?:客服|服务)?(?:吧|谢谢)?$",
    r"不(?:想)?(?:要|跟|和).{0,4}机器人",
)
_BEING = r"(?:human|person|bot|robot|chatbot|machine|computer|ai|artificial|real|alive|program|recording)"
_IDENTITY = (
    r"\bwho (?:are you|am i (?:talking|speaking|chatting) (?:to|with))\b",
    r"\bwhat are you$",
    r"\b(?:what(?:'s| is) your name|do you have a name)\b",
    rf"\bare you (?:(?:an?|the|really|actually|even|just|some|kind of|sort of|living|real) )*{_BEING}\b",
    rf"\bam i (?:talking|speaking|chatting) (?:to|with) (?:an? |the )?(?:real )?{_BEING}\b",
    r"你是(?:谁|什么人|什么东西|什么$)",
    r"你(?:叫|的)(?:什么)?名字",
    r"你(?:到底|究竟)?(?:是不是|是)(?:个|一个|真的)?(?:真人|机器人|人工智能|ai|人类|活人|电脑|程序|机器)",
    r"我(?:是)?在(?:跟|和)(?:谁|真人|机器人|人)",
)

_SAYINGS: dict[Talk, tuple[str, ...]] = {
    Talk.GREETING: (
        "hi", "hello", "hey", "hiya", "howdy", "greetings", "good morning", "good afternoon", "good evening",
        "good day", "what's up", "whats up", "how are you doing", "how are you", "how do you do",
        "nice to meet you", "is anyone there", "is anybody there", "is someone there", "can you hear me",
        "what can you do", "what can you help with", "what can you help me with", "can you help me",
        "could you help me", "can you help", "i need some help", "i need help", "help me", "help",
        "i have a question", "can i ask you something", "can i ask a question",
        "你好", "您好", "大家好", "嗨", "哈喽", "哈啰", "喂", "早上好", "下午好", "晚上好", "早安", "有人吗", "在吗",
        "在不在", "你能做什么", "你会做什么", "你能帮我什么", "能帮帮我吗", "帮帮我", "我有个问题", "我想问个问题",
    ),
    Talk.THANKS: (
        "thank you", "thanks", "thank", "thx", "ty", "cheers", "much appreciated", "i appreciate it",
        "i appreciate that", "i appreciate your help", "that's all", "thats all", "that is all", "that's helpful",
        "very helpful", "that helps", "that helped", "you have been very helpful", "you've been very helpful",
        "you have been helpful", "great help", "谢谢", "多谢", "感谢", "谢了", "谢啦", "太感谢", "辛苦了", "没有别的问题了", "没问题了",
    ),
    Talk.GOODBYE: (
        "bye", "goodbye", "good bye", "good night", "see you", "see ya", "farewell", "take care", "so long",
        "have a nice day", "have a good day", "have a great day", "have a good one", "catch you later",
        "再见", "拜拜", "拜", "回见", "晚安", "下次见", "我走了",
    ),
}  # fmt: skip
"""What is said, longest match first; the rest of the utterance must be courtesy."""
_COURTESY = frozenset(
    "oh ok okay well um umm uh er ah great perfect good nice super cool alright all right yes yeah no so and there "
    "mira again everyone everybody sir madam miss dear you today friend please assistant very a lot much for your "
    "the help that this helping me really bunch million info information everything it is was wonderful lovely "
    "awesome helpful kind of then later soon now tomorrow just with my to answer answers explanation time i got "
    "know will try".split()
)
_COURTESY_ZH = re.compile(
    r"好的|好了|好|嗯|哦|太|明白了|知道了|了解了|那就|那|先这样|没事了|非常|十分|真的|真|多|你们|你|您|了|啦|啊|呀|的|帮助|帮忙|帮我|"
    r"解答|我|米拉|吗|哈|呢|这么|解释|耐心"
)
_ORDER = (Talk.GOODBYE, Talk.THANKS, Talk.GREETING)
"""Of "thanks, hello, bye" the last word counts."""

_PATTERNS = {
    talk: re.compile("|".join(patterns))
    for talk, patterns in ((Talk.HANDOFF, _HANDOFF), (Talk.IDENTITY, _IDENTITY))
}
_SAID = {
    talk: re.compile(
        "|".join(
            rf"\b{re.escape(saying)}\b" if saying.isascii() else re.escape(saying)
            for saying in sorted(sayings, key=len, reverse=True)
        )
    )
    for talk, sayings in _SAYINGS.items()
}


def small_talk(text: str) -> Talk | None:
    """Tell what kind of small talk a text is, or None where it asks for something."""
    text = re.sub(r"[^\w'\u3400-\u9fff]+", " ", text.lower().replace("’", "'")).strip()
    for talk, pattern in _PATTERNS.items():
        if pattern.search(text):
            return talk
    rest, found = text, []
    for talk in _ORDER:
        rest, times = _SAID[talk].subn(" ", rest)
        if times:
            found.append(talk)
    if not found:
        return None
    rest = _COURTESY_ZH.sub(" ", rest)
    return found[0] if all(word in _COURTESY for word in rest.split()) else None
