"""Does it sound finished? Rules about how a visitor's words end, for English and Chinese.

The score is no probability but a measure of what speaks for going on: about 0.05 for "my order number is",
0.95 for "where is my order". Recognisers may or may not write punctuation; a comma or dots at the end count,
a full stop does not make a half sentence whole.
"""

from __future__ import annotations

import re

from agent.heard_words import heard_words, is_chinese

FINISHED = 0.95
"""Nothing speaks for going on."""
HANGING = 0.05
"""The last word cannot be the last: "and", "my", "因为"."""
OPEN = 0.2
"""Something is still missing: a main clause, an object."""
HALFWAY = 0.5
"""It may be all, or half of a number or of a list; good for about 1.4 s."""
GREETED = 0.7
"""A greeting is whole, but mostly something follows."""

DIGITS_SAID = {"card": 13, "phone": 7, "mobile": 7, "telephone": 7, "cell": 7, "tracking": 8, "iban": 15}
"""Digits without which such a number is not whole; of others nobody knows how many they have."""
DIGITS_ENOUGH = 4
"""From so many on, an order number or a post code may be whole."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HESITATIONS = _set("um umm uh uhh uhm er erm hmm hm mm ah eh well like basically actually anyway")
_HANGING = _set(
    """a an the my your our their its his and or but so because cause if unless although though since while whereas
    whether until till than as of for to from with without into onto about between against during per via by at
    im ive id ill were weve wed well youre youve youd youll theyre theyve theyd hes shes its thats theres whos whats
    wheres hows lets i we he she they who which whose every each another some any no very too quite really more
    is are was be been being am has had have could would should might must may will shall cannot gonna wanna
    please also then plus and/or regarding concerning mr mrs ms dr number called named""".replace(
        "and/or", ""
    )
)
_ASKED_PREPOSITIONS = _set("of for to from with without about at by into like as via in on than")
"""Questions may end in them: "what is it for", "where do you ship to"."""
_WEAK = _set(
    "in on over under after before around near off up out through what when where how why that this these those"
)
"""May end a sentence, mostly do not."""
_ASKING = _set(
    "what where when who whom whose which why how whats wheres whos hows do does did is are can could will would should"
)
_TRANSITIVE = _set(
    "want need wanted needed would'like like bought purchased ordered tell give send show find get make buy order use see"
)
_PRONOUNS = _set("i you we he she it they this that there these those my your the a an our")
_AUXILIARIES = _set(
    "do does did is are was were can could will would should may shall has have had dont doesnt didnt cant isnt arent wont"
)
_OPENERS = _set("if because since although though unless while once after before whenever")
_GREETINGS = _set(
    "hi hello hey good morning afternoon evening excuse me there yes ok okay so well oh dear sir madam"
)
_NUMBERS = _set(
    "zero one two three four five six seven eight nine oh double triple ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand nought dash hyphen"
)
_NUMBERED = re.compile(
    r"\b(number|code|reference|card|phone|mobile|telephone|cell|tracking|zip|postcode|iban|account|id|serial|invoice|pin)\b"
)
_MAIL = re.compile(r"\b(?:e ?mail|address|gmail|hotmail|outlook|yahoo)\b")
_MAIL_WHOLE = re.compile(
    r"@\S+\.[a-z]{2,}$|\b(?:dot|\.)\s?(?:com|net|org|edu|gov|de|uk|cn|co|io|eu|fr|info|biz)$"
)
_TRAILING = re.compile(r"(?:\.{2,}|…|—|--?|,|，|、|:|：|;|；)\s*$")
_QUESTION = re.compile(r"[?？]\s*$")
_OPEN_ENDS = re.compile(
    r"(?:^|\s)(?:how (?:much|many|long|often|far|do|does|can|about)|what (?:about|is|are|if|kind|time|do|does)|where (?:is|are|do|can)"
    r"|when (?:is|are|do|does|will)|who is|why (?:is|are|do|does|did)|can (?:i|you|we)|could (?:i|you|we)|do (?:i|you|we|they)|does (?:it|this|that)"
    r"|(?:i|we) (?:want|need|have|bought|ordered|got|would like|wanted|am|was|just|think|mean|guess|cant|dont|didnt)"
    r"|id like|(?:im|i am) (?:looking|calling|trying|wondering|going|having|not)|would you|will (?:you|it|i)|is (?:it|there|this|that)|are (?:you|there)"
    r"|you know|i mean|lets see|let me see|let me think|tell me|show me|give me|there is|there are|it is|this is|that is"
    r"|would like|want to|need to|have to|going to|try to|trying to|able to|used to|like to)$"
)
_ASKED_WHOLE = re.compile(
    r"^(?:.* )?(?:what|who|where|how|how much|how many|how long|how far|why|when) (?:is|are) (?:it|there|this|that)$"
)

_HESITATIONS_ZH = re.compile(r"(?:嗯+|呃+|额+|唔+|那个|这个|就是|就是说|怎么说呢?|我想想|让我想想|然后呢?)$")
_HANGING_ZH = re.compile(
    r"(?:因为|所以|但是|但|可是|不过|而且|并且|然后|还有|如果|要是|假如|虽然|由于|以及|或者|或|和|跟|与|及|把|被|将|向|往|从|对于|关于|按照|根据|为了|除了|通过"
    r"|比如|比如说|例如|像|一个|一件|一双|一台|一张|一些|这|那|每|某|该|其|我|你们|您|他|她|我们|咱们|我的|你的|您的|你们的|他的|她的|是|很|非常|特别|比较|更|最|太|挺"
    r"|想|想要|我要|需要|能|能不能|可不可以|是不是|有没有|会不会|要不要|应该|必须|可能|请|请问|麻烦|麻烦你|麻烦您|帮我|帮忙|给|给我|让|叫|想问|想问问|想问一下|问一下|咨询一下|请问一下|想咨询一下|想了解一下|了解一下|买了|订了|收到了一个|号码是|号是|地址是|的时候|时候|之后|以后|之前|以前|的话|不|没|没有|就|都|也|还|又|再|在|正在|已经|刚刚|刚才|只|才)$"
)
_WHOLE_ZH = re.compile(
    r"^(?:是|不是|没有|不|没|有|我|你们|您|这个|那个|应该|可能|需要|想|已经|能|会|以后|之前|刚才|那|我的|还有|还有呢|然后呢)$"
)
"""Whole as answers by themselves, though they hang at the end of more."""
_ASKING_ZH = re.compile(
    r"[吗呢吧么]$|什么|怎么|多少|哪|几|谁|为何|是否|能不能|可不可以|有没有|是不是|会不会|要不要|多久|多长|如何"
)
_OPENERS_ZH = re.compile(
    r"^(?:那|那么|我想问|请问|你好)?(?:如果|要是|假如|因为|由于|虽然|既然|除了|当|等到|自从|万一)"
)
_MAIN_ZH = re.compile(r"就|那么|所以|但是|可是|能|可以|会|怎么|什么|多少|吗|呢|应该|要|请|还是|也|都|如何|哪")
_NUMBERED_ZH = re.compile(r"号|电话|手机|卡|邮编|密码|验证码|编码|单")
_GREETINGS_ZH = re.compile(
    r"^(?:你好啊?|您好|喂|嗨|早上好|下午好|晚上好|哈[喽啰罗]|在吗|打扰一下|不好意思)+$"
)
_DIGITS_ZH = "零〇一二三四五六七八九幺两十百千"


def sounds_finished(text: str, language: str = "") -> float:
    """Tell how finished a visitor's words sound.

    Args:
        text: as recognised so far, with or without punctuation.
        language: ISO 639-1; Chinese characters are read by Chinese rules whatever it is.

    Returns:
        0..1: `TurnSettings.end_delay_s` makes a wait of it.
    """
    words = heard_words(text)
    if not words:
        return HALFWAY
    score = _chinese(words) if is_chinese(text, language) else _english(text, words)
    if _TRAILING.search(text):
        return min(score, OPEN)
    if _QUESTION.search(text) and score > HANGING:
        return max(score, HALFWAY if score < HALFWAY else FINISHED)
    return score


def _english(text: str, words: tuple[str, ...]) -> float:
    plain, last = " ".join(words), words[-1]
    asking = words[0] in _ASKING or any(word in ("what", "where", "which", "who") for word in words[:-2])
    if (number := _number(plain, words)) is not None:
        return number
    if _MAIL_WHOLE.search(text.casefold().rstrip(" .!?")) or _MAIL_WHOLE.search(plain):
        return FINISHED
    if _MAIL.search(plain) and last in (
        "at",
        "dot",
        "underscore",
        "dash",
        "gmail",
        "hotmail",
        "outlook",
        "yahoo",
    ):
        return HANGING
    if all(word in _GREETINGS for word in words) and words[0] in ("hi", "hello", "hey", "good", "excuse"):
        return GREETED
    if len(words) == 1:
        return HANGING if last in _HESITATIONS or last in _HANGING - _set("no please really") else FINISHED
    if last in _ASKED_PREPOSITIONS and asking and len(words) > 3:
        return HALFWAY
    if last in _HESITATIONS or last in _HANGING:
        return (
            HALFWAY if asking and last in ("is", "are", "it", "was", "have") and len(words) > 4 else HANGING
        )
    if _OPEN_ENDS.search(plain) and not _ASKED_WHOLE.search(plain):
        return OPEN if len(words) <= 8 or not asking else HALFWAY
    if last in _WEAK:
        return (
            OPEN
            if last in ("that", "this", "these", "those", "what", "how") and len(words) < 4
            else HALFWAY + 0.1
        )
    if _subordinate(words):
        return OPEN
    return FINISHED


def _subordinate(words: tuple[str, ...]) -> bool:
    """Whether it is a clause that waits for another: "if my parcel is late"."""
    while words and words[0] in ("so", "well", "and", "but", "ok", "okay", "yes", "um", "uh"):
        words = words[1:]
    opened = bool(words) and (
        words[0] in _OPENERS or (words[0] == "when" and len(words) > 1 and words[1] in _PRONOUNS)
    )
    if not opened:
        return False
    # The main clause begins with a question word, a question's turned verb, or a second subject and verb.
    rest = words[1:]
    for one, two in zip(rest[2:], rest[3:], strict=False):
        if one in ("what", "how", "where", "who", "which", "please", "then", "why"):
            return False
        if one in _AUXILIARIES and two in _PRONOUNS:
            return False
    subjects = sum(
        word in ("i", "you", "we", "it", "they", "ill", "youll", "well", "ive", "im", "id")
        for word in rest[:-1]
    )
    return subjects < 2


def _number(plain: str, words: tuple[str, ...]) -> float | None:
    """The score of words that end in digits or spelled letters; None for others."""
    run = 0
    for word in reversed(words):
        if word.isdigit():
            run += len(word)
        elif word in _NUMBERS or (len(word) == 1 and word.isalpha() and word not in "ai") or _code(word):
            run += sum(map(str.isalnum, word)) if _code(word) else 1
        else:
            break
    if not run:
        return None
    kind = _NUMBERED.search(plain)
    if kind is None:
        return HALFWAY if run >= 2 and len(words) <= run + 1 else FINISHED - 0.1
    least = DIGITS_SAID.get(kind.group(1))
    if least is None:
        return OPEN + 0.1 if run < DIGITS_ENOUGH else HALFWAY + 0.1
    return OPEN if run < least else HALFWAY + 0.2


def _code(word: str) -> bool:
    return len(word) > 1 and any(map(str.isdigit, word)) and any(map(str.isalpha, word))


def _chinese(words: tuple[str, ...]) -> float:
    plain = "".join(words)
    digits = len(plain) - len(plain.rstrip(_DIGITS_ZH + "0123456789"))
    if digits:
        if _NUMBERED_ZH.search(plain):
            return OPEN + 0.1 if digits < DIGITS_ENOUGH else HALFWAY + 0.1
        return HALFWAY if digits >= 2 and digits == len(plain) else FINISHED - 0.1
    if _GREETINGS_ZH.match(plain):
        return GREETED
    if plain.strip("嗯") == "":
        return HALFWAY  # it may be a yes
    if _HESITATIONS_ZH.search(plain) and not (
        _WHOLE_ZH.match(plain) or re.search(r"[是买要看选]这个$|[是买要看选]那个$", plain)
    ):
        return HANGING
    if _WHOLE_ZH.match(plain):
        return FINISHED - 0.1
    if _HANGING_ZH.search(plain):
        asked = _ASKING_ZH.search(plain[:-2]) is not None and re.search(r"(?:没有|不|我|你们|您|在)$", plain)
        return HALFWAY if asked else HANGING
    if _OPENERS_ZH.search(plain) and not _MAIN_ZH.search(plain[3:]):
        return OPEN
    return FINISHED
