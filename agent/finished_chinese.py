"""Does it sound finished, in Chinese? The rules of `agent.finished` for words read character by character."""

from __future__ import annotations

import re

from agent.sounding import (
    ANSWERED,
    ATTRIBUTE,
    CLAUSE,
    FINISHED,
    GREETED,
    HALFWAY,
    HANGING,
    HESITANT,
    PARTED,
    WHOLE,
    Sounding,
    dictated,
)

DIGITS = "零〇一二三四五六七八九幺两十百千0123456789"
LEAST_DIGITS = {"手机": 11, "电话": 7, "卡号": 13}


def _endings(*lines: str) -> tuple[str, ...]:
    return tuple(ending for line in lines for ending in line.split())


_HESITATIONS = _endings("嗯 呃 额 唔 那个 这个 就是 就是说 怎么说 怎么说呢 我想想 让我想想 然后呢")
_ASKS_TO_ASK = _endings(
    "想问 想问问 想问一下 请问 问一下 咨询一下 请问一下 打听一下 想知道 想了解 想确认 想请教 想咨询 要问",
    "想说 老实说 说实话 比方说 比如说 能告诉我 请告诉我",
    "意思是 情况是 问题是 是这样的 据说 听说 据我所知 首先 其次 一方面 另一方面",
)
_JOINING = _endings("因为 但是 所以 如果 可是 不过 而且 并且 然后 要是 假如 虽然 由于 或者 以及 对于 关于")
"""Hardly ever last, whatever the model of ends thinks of the words before them."""
_CHOSEN = _endings("是这个 是那个 买这个 买那个 要这个 要那个 看这个 看那个 选这个 选那个")
_HANGING = _endings(
    "但 还有 或 和 跟 与 及",
    "把 被 将 向 往 从",
    "按照 根据 为了 除了 通过 比如 比如说 例如 像 一个 一件 一双 一台 一张 一些 这 那 每 某",
    "该 其 我们的",
    "我 你们 您 他 她 它 他们 她们 它们 我们 咱们 我的 你的 您的 你们的 他的 她的",
    "是 很 非常 特别 比较 更 最 太 挺 想",
    "想要 我要 需要 能",
    "能不能 可不可以 是不是 有没有 会不会 要不要 应该 必须 可能 请 请问 麻烦 麻烦你 麻烦您 帮我 帮忙 给",
    "给我 让 叫",
    "了解一下 买了 订了 号码 号是 地址 时候 之后 以后 之前 以前",
    "不 没 没有 就 都 也 还 又 再 在 正在 已经 刚刚 刚才 只 才",
)
_WHOLE = frozenset(
    _endings(
        "是 不是 没有 不 没 有 我 你们 您 应该 可能 需要 想 已经 能 会 以后 之前 刚才 我的 还有 然后呢",
        "不需要 不要 不想",
        "都没有 还没有 还没 也没有 可能不 应该不 这个 那个 就这个 就那个 都 不能 不会 你的 您的 想要",
        "没有没有 不是不是",
    )
)
"""Whole as answers by themselves, though they hang at the end of more."""
_MOVED = re.compile(r"[改换变写当寄送发退转打][成到给为]$")
"""Names no place and no thing yet: "想把地址改成"; but "还没寄到", "什么时候送到"."""
_ARRIVED = re.compile(r"没|未|(?<!能|可|会)不|已|都|就|什么时候|多久|几|(?<!不)[能会](?!不)|吗|了")
_WANTS = re.compile(r"(?<![不都也重还谁])[要得该]$")
"""Verbs that help another: "下个月要"; but "不要", "两个都要"."""
_REPORTS = re.compile(r"(?:[你您他她它们]|客服|页面|网上|网站|短信|邮件|上次|昨天|刚才|那边)说$")
_THANKS = re.compile(r"(?:谢谢|感谢|麻烦|拜托)了?(?:你们?|您|他们?|她们?|大家)$")
_ATTRIBUTE = re.compile(
    r"^(?!.*[是用要选换有会可喜给叫从在挺很真太才])"
    r".*(?:[这那左右前后上下]边?.?[个只件双台条些本]|[买订收寄发拿看说]到?|网上|[上里]面).?的$"
)
"""Mostly stands before what it belongs to: "左边那只鞋的"; but "是我先生订的", "我用支付宝付的"."""
_CLAUSE_ENDS = re.compile(r".{3,}(?:的话|的时候|以后|之后|以前|之前)$")
"""When, or if what; the main clause follows."""
_ASKS_AT_END = re.compile(
    r"(?:谁|要多久|等多久|多久了|多长时间|多少钱|怎么办|在哪里|在哪儿|吗|呢|第[一二三四五六七八九十两]个"
    r"|[叫做卖买有为选要]什么)$"
)
_CLOSED = re.compile(r"没有?.{1,2}到$|来[不得]及$|[暖柔温平缓]和$|[都就](?:要|行|好|可以|退|换|买|算了)$")
"""Whole, though as single words they would hang."""
_ENDS_QUESTION = _endings("没有 不 我 你们 您 在 是")
"""Hang in a statement; a question may end in them: "你们有货没有", "什么时候能给我"."""
_ASKING = re.compile(
    r"什么|怎么|多少|哪|几|谁|为何|是否|能不能|可不可以|是不是|会不会|要不要|多久|多长|如何|吗"
)
_OPENERS = re.compile(r"^(?:嗯|那|那么|我想问|请问|你好)*(?:如果|要是|假如|虽然|既然|除了|当|等到|自从|万一)")
_MAIN = re.compile(
    r"就|那么|所以|但是|可是|能|可以|会|怎么|什么|多少|吗|呢|应该|要|请|还是|也|都|如何|哪|得|想"
)
_NUMBERED = re.compile(r"号|电话|手机|邮编|密码|验证码|编码")
_GREETINGS = re.compile(r"(?:你好|您好|喂|嗨|早上好|下午好|晚上好|哈[喽啰罗]|在吗|打扰一下|不好意思)[啊呀]?")


def finished_chinese(words: tuple[str, ...]) -> Sounding:
    """Tell how words of `heard_words` sound."""
    plain = "".join(words)
    bare = plain.rstrip(DIGITS)
    if digits := len(plain) - len(bare):
        if _NUMBERED.search(bare):
            least = next((count for kind, count in LEAST_DIGITS.items() if kind in bare), None)
            return dictated(digits, least)
        return PARTED if digits >= 2 and not bare else ANSWERED
    if not plain.strip("嗯"):
        return PARTED
    if not _GREETINGS.sub("", plain):
        return GREETED
    if plain in _WHOLE:
        return ANSWERED
    if plain.endswith(_ASKS_TO_ASK + _JOINING) or (
        plain.endswith(_HESITATIONS) and not plain.endswith(_CHOSEN)
    ):
        return HESITANT
    if _ASKS_AT_END.search(plain) or _CLOSED.search(plain):
        return WHOLE
    if _THANKS.search(plain):
        return FINISHED
    if _CLAUSE_ENDS.search(plain) and not _ASKING.search(plain):
        return CLAUSE
    if _MOVED.search(plain):
        return FINISHED if _ARRIVED.search(plain) else CLAUSE
    if len(plain) > 3 and _WANTS.search(plain) or _REPORTS.search(plain):
        return CLAUSE if plain.startswith(("因为", "如果", "要是")) else HANGING
    if plain.endswith(_HANGING):
        asked = plain.endswith(_ENDS_QUESTION) and _ASKING.search(plain[:-2])
        return HALFWAY if asked else HANGING
    if _OPENERS.search(plain) and not _MAIN.search(plain[3:]):
        return CLAUSE
    return ATTRIBUTE if _ATTRIBUTE.search(plain) else FINISHED
