"""Chinese questions that lean on the one before: "那国外呢?", "要多久?", "那个也可以退吗?"."""

from __future__ import annotations

import re

SHORTEST = 8
"""Characters of a question that can hardly say what it is about."""
LONGEST = 18
"""Characters of a question that may still lean on another one."""

_LEAD = re.compile(
    r"^(?:(?:好的?|嗯+|哦+|噢|行|明白了?|知道了?|谢谢|那么|那就|那|还有|另外|然后|而且|所以|请问|不过|但是?|如果是?|要是|换成|至于|假如|若是)"
    r"[，,。\s]*)+"
)
_TAIL = re.compile(
    r"(?:也(?:是|行|可以|一样|能)?)?(?:呢|吗|嘛|啊|呀|吧|啦|的话|怎么样|怎么说|怎么算|又?如何|行不行|一样)+$"
)
_POINTS = re.compile(
    r"它们?|他们|她们|这个|那个|这些|那些|这种|那种|这样|那样|这边|那边|这里|那里|这儿|那儿"
    r"|这(?=要|得|是|能|可|会|需|多|算|怎|贵)|其中|上面|刚才说的"
)
_ASKS = re.compile(
    r"多久|多长时间?|多少钱?|几天|几个?工作日|几点|几个|什么时候|何时|时间|为什么|为啥|怎么办|怎么弄|怎么样|怎样|怎么"
    r"|如何|哪里|哪儿|哪天|在哪|可不可以|能不能|要不要|是不是|有没有|行不行|可以|能|需要|必须|要花|要钱|花钱|免费|收费|费用"
    r"|价格|贵|便宜|钱|大概|一般|通常|最快|最多|最少|一共|大约|要|得|是|有|会不会|会|吗|呢|了|的|也|都|还|就|在|到|对|我"
    r"|你们?|您|才|又|再|想|知道|请问|一下|具体|什么|谁|哪个|哪些|算|说|做|办|弄|花|用|上|下|里|个|天|给|和|跟|与|从"
    r"|把|被|让|这|那|们"
)
_PLACES = re.compile(
    r"国外|海外|境外|国内|本地|外地|郊区|农村|市区|港澳台|香港|澳门|台湾|欧洲|欧盟|亚洲|非洲|美洲|英国|爱尔兰|北爱尔兰|德国|法国|西班牙|意大利|荷兰|比利时"
    r"|奥地利|瑞士|挪威|瑞典|丹麦|芬兰|波兰|葡萄牙|希腊|美国|加拿大|中国|日本|韩国|印度|澳大利亚|澳洲|新西兰|新加坡|俄罗斯|都柏林|科克|戈尔韦|阿姆斯特丹"
    r"|伦敦|巴黎|柏林|北京|上海|深圳|广州|东京|其他国家|别的国家|岛上|内地|大陆"
)
_DAYS = re.compile(
    r"周末|工作日|节假日|节日|假期|平时|平日|(?:周|星期|礼拜)[一二三四五六日天]|今天|明天|后天|昨天|今晚|早上|上午"
    r"|中午|下午|晚上|夜里|国庆|春节|圣诞节?|元旦|五一|[一二三四五六七八九十\d]+月份?"
)
_PAYS = re.compile(
    r"支付宝|微信支付?|信用卡|借记卡|银行卡|现金|花呗|礼品卡|paypal|apple pay|转账|货到付款", re.IGNORECASE
)
_SORTS = (_PLACES, _DAYS, _PAYS)
_LIGHT = re.compile(
    r"取消|保留|加入|参加|报名|注册|申请|延长|续费|过期|退回|结束|开始|截止|到账|生效|送达|等|退|换|改|寄|送|买|付|修|查|拿|取|行|前|后|之|不|没"
)
"""Verbs that say nothing without what they are done to."""
_NEEDS = re.compile(
    r"^(?:还|也|都)?(?:(?:需要|要|用|得)[\u3400-\u9fff]{1,4}吗|(?:需要|要|得)(?:带|准备|提供|交|填|出示).{1,6})$"
)
_GAP = re.compile(r"[\s，。！？、,.!?;；:：“”\"']+")
_ENDS_OPEN = re.compile(
    r"(?:呢|也是吗|也一样吗|也可以吗|也行吗|也能.{0,4}吗|一样吗|也算吗|也要吗|也.{1,4}吗|怎么样|的话)[?？。\s]*$"
)
_PREDICATE = re.compile(
    r"多久|多少|几[点天个]|怎么|如何|什么|哪|能|可以|可不|会|要|需要|收|退|换|买|寄|送|付|修|开|关|取消|查|改"
    r"|有没有|是不是|支持|提供"
)


def standalone_chinese(question: str, earlier: str) -> str:
    """Return a Chinese question with what it leaves to the earlier one put in.

    Args:
        question: the visitor's words.
        earlier: the question before, itself standing alone; empty where there was none.
    """
    said = _GAP.sub("", question)
    if not earlier or len(said) > LONGEST:
        return question
    rest = _LEAD.sub("", said)
    led = rest != said
    own = _own(rest)
    before = earlier.strip(" ?？。.!！")
    bare = len(rest) <= SHORTEST and not _kind(rest) and (not _LIGHT.sub("", own) or _NEEDS.match(rest))
    if not own or bare:  # "那要多久？", "贵吗？", "可以取消吗？", "要利息吗？"
        return f"{before}，{rest}" if rest and not _LEAD.fullmatch(said) else question
    if _POINTS.search(rest):
        named = _own(_POINTS.sub("", rest))
        noun = re.search(r"(?:这|那)(?:个|些|种|款|张|件|位|家)(?=[\u3400-\u9fff]{2})", rest)
        alone = noun is not None and len(named) >= 4 and not led
        return question if alone else f"{before}，{rest}"
    if _ENDS_OPEN.search(question) or led and not _PREDICATE.search(rest):
        topic = _TAIL.sub("", rest)
        if _PREDICATE.search(topic) and len(own) >= 4:
            return question  # "那退货需要多久呢": all is said
        return _put_in(topic, before)
    if led and len(own) <= 2 or len(rest) <= 4 and _kind(rest):
        return _put_in(_TAIL.sub("", rest), before)
    return question


def _own(text: str) -> str:
    """Return what a question is about: all but pointing and asking."""
    return _GAP.sub("", _ASKS.sub("", _POINTS.sub("", text)))


def _kind(text: str) -> re.Pattern[str] | None:
    return next((sort for sort in _SORTS if sort.search(text)), None)


def _put_in(topic: str, before: str) -> str:
    """Return the earlier question with this topic where one of the same kind stood, else with both."""
    sort = _kind(topic)
    named = sort.search(topic) if sort is not None else None
    if sort is None or named is None:
        return f"{before}，{topic}"
    if not sort.search(before):
        return f"{topic}{before}"
    if topic == named.group():
        return sort.sub(topic, before, count=1)
    return f"{sort.sub('', before)}，{topic}"
