import pytest

from agent.backchannel import is_backchannel, is_hum, is_stop, is_wait

GO_ON = """mm-hm|Mhm.|uh-huh|Yeah.|yeah yeah|Okay, okay.|I see|oh okay|right, got it|Sure!|hmm
嗯|嗯嗯嗯|对对对|好的|哦，明白了|是的是的|對|好的好的 ok"""
MORE = """no|yeah but what about shipping|okay so how much is it|hello|the other one|I see a problem
right now|a|4711|???
不是|好的那运费呢|对了我想问一下|嗯我的订单呢"""
STOP = """stop|Stop!|stop stop stop|please stop talking|okay, wait|hold on|just a moment please|be quiet
never mind
that's enough|shh|停|停停停|等一下|等等|请等一下|别说了|好了别说了|稍等一下|你先停一下|別說了|够了够了
安静|算了"""
ABOUT = """where is the bus stop|stop my order|I can't wait|how long do I have to wait
wait, I meant the blue one|no
please|okay|停车场在哪|等一下我还有个问题|怎么停用账号|我等了一个星期|请|好|?"""


def phrases(text: str) -> list[str]:
    return [phrase for line in text.split("\n") for phrase in line.split("|")]


@pytest.mark.parametrize("text", phrases(GO_ON))
def test_who_follows_says_go_on(text: str) -> None:
    assert is_backchannel(text)
    assert not is_stop(text)


@pytest.mark.parametrize("text", phrases(MORE))
def test_who_says_more_means_something(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize("text", phrases(STOP))
def test_who_wants_silence_gets_it(text: str) -> None:
    assert is_stop(text)
    assert not is_backchannel(text)


@pytest.mark.parametrize("text", phrases(ABOUT))
def test_what_only_contains_a_stop_word_is_answered(text: str) -> None:
    assert not is_stop(text)


def test_hums_are_less_than_agreement() -> None:
    assert is_hum("mm-hm")
    assert is_hum("嗯嗯")
    assert not is_hum("yes")
    assert not is_hum("好的")


def test_asking_for_a_moment_is_less_than_stop() -> None:
    assert is_wait("just a second")
    assert is_wait("等一下")
    assert not is_wait("stop")


@pytest.mark.parametrize("text", ["m" * 10_000, "mm " * 10_000, "嗯" * 10_000, "stop " * 5_000])
def test_endless_text_is_neither(text: str) -> None:
    assert not is_stop(text)
    assert is_backchannel(text[:12]) or "stop" in text
