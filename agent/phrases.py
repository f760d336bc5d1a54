"""The fixed lines that a desk says in its own name, in each language."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Phrases(BaseModel):
    """Lines that need no knowledge; `{name}`, `{company}` and `{contact}` are filled in from the desk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    greeting: str
    thanks: str
    never_mind: str
    """Said when the visitor takes a question back."""
    goodbye: str
    identity: str
    """Who or what am I talking to: honest that it is an AI."""
    unknown: str
    """The knowledge does not answer the question."""
    rest: str
    """The knowledge answers one of the visitor's questions and not the other; goes behind the answer."""
    glad: str
    """The visitor praises something, and asks for nothing."""
    distress: str
    """The visitor is angry, sad or afraid, and asks for nothing that is known."""
    clarify: str
    """Two answers are close: `{first}` and `{second}` are their titles."""
    repeat: str
    """Speech was heard but not understood."""
    nothing_heard: str
    """No speech at all."""
    handoff: str
    """The visitor wants a person."""
    other_language: str
    """What follows is in another language, since only that is written."""
    failed: str
    """The answering engine broke off."""
    read_back: str
    """Says back what was dictated: `{value}`."""
    so_far: str
    """Part of a number was heard: `{value}`."""
    take_time: str
    """The visitor looks something up."""
    again: str
    """Goes before a question that is put again."""
    gave_up: str
    """What was asked for did not come in two tries."""
    confirm: str
    """Whether to do something that has no question of its own: `{what}`."""
    yes_or_no: str
    """Goes before that question where the answer was neither."""
    left: str
    """The visitor does not want it any more: nothing was done."""
    done_before: str
    """It was done earlier in this conversation, and is not done twice."""
    unsure: str
    """Something was begun, and whether it was done is not known."""
    upset: str
    """Goes before the offer of a person where the visitor is angry and nothing else said sorry."""
    offer: str
    """Whether to pass the visitor on to a person."""
    declined: str
    """The visitor wants no person, or no longer."""
    handing: str
    """The visitor is to be passed on."""
    consent: str
    """Whether a person may be told what the visitor said of themselves: `{data}` names the kinds."""
    passed_on: str
    """The visitor has been passed on and waits."""
    place: str
    """The visitor's place among those who wait: `{place}`, from 2."""
    next: str
    """The visitor is the first among those who wait."""
    nobody: str
    """No person is there at this time of day: `{elsewhere}` says where one can be reached."""
    unreachable: str
    """No person can be reached from here, where words are only typed: `{elsewhere}`."""
    nobody_free: str
    """No person came in time: `{elsewhere}`."""
    message: str
    """Goes before the question what to write down for the people who are not there."""
    joined: str
    """A person, `{person}`, has taken over."""
    given_back: str
    """The person, `{person}`, has handed the conversation back."""
    person_away: str
    """The person, `{person}`, has not answered for too long."""


ENGLISH = Phrases(
    greeting="Hello, I am {name}, the AI assistant of {company}. How can I help you?",
    thanks="You are very welcome. Is there anything else I can help you with?",
    never_mind="All right. Is there anything else I can help you with?",
    goodbye="Goodbye, and thank you for stopping by.",
    identity="I am {name}, an AI assistant of {company}, not a person. "
    "I answer from our help pages, and I can pass you on to my human colleagues.",
    unknown="I am sorry, I do not have an answer to that. {contact}",
    rest="To the rest of your question I have no answer.",
    glad="I am glad to hear that. Is there anything else I can help you with?",
    distress="Please tell me a little more, and I will help where I can. {contact}",
    clarify="I want to be sure that I understand. Do you mean {first}, or {second}?",
    repeat="I am sorry, I did not catch that. Could you say it again, please?",
    nothing_heard="I did not hear anything. Please ask me again, a little closer to the microphone.",
    handoff="Of course, I will pass you on to a colleague. {contact}",
    other_language="I only have this in another language.",
    failed="I am sorry, something went wrong on my side. {contact}",
    read_back="That was {value}.",
    so_far="So far I have {value}. And then?",
    take_time="Take your time.",
    again="I am sorry, I did not get that.",
    gave_up="I am sorry, we do not get further like this. {contact}",
    confirm="May I confirm this with you: {what}?",
    yes_or_no="Please say yes or no.",
    left="All right, I have changed nothing.",
    done_before="That is done already.",
    unsure="I am sorry, I cannot tell whether that worked, so I will not try it twice. {contact}",
    upset="I am sorry that this is so annoying.",
    offer="Shall I pass you on to a colleague?",
    declined="All right, then we go on together. What else can I do for you?",
    handing="Of course, I will get a colleague for you.",
    consent="May I tell them {data} as well?",
    passed_on="A colleague will be with you as soon as possible. You can go on asking me meanwhile.",
    place="You are number {place} in line.",
    next="You are next in line.",
    nobody="I am sorry, my colleagues are not there at the moment. {elsewhere}",
    unreachable="I am sorry, I cannot pass you on to a person from here. {elsewhere}",
    nobody_free="I am sorry, none of my colleagues is free just now. {elsewhere}",
    message="I can take a message for them.",
    joined="You are now talking with {person}, a person. I speak their words.",
    given_back="{person} has passed you back to me, the AI assistant. What else can I do for you?",
    person_away="I am sorry, {person} does not answer any more. It is me again, the AI assistant.",
)

CHINESE = Phrases(
    greeting="您好，我是{company}的人工智能助理{name}。请问有什么可以帮您？",
    thanks="不客气。还有什么可以帮您的吗？",
    never_mind="好的。还有什么可以帮您的吗？",
    goodbye="再见，感谢您的光临。",
    identity="我是{name}，{company}的人工智能助理，不是真人。我根据帮助文档回答问题，也可以为您转接人工客服。",
    unknown="抱歉，这个问题我暂时没有答案。{contact}",
    rest="您问的另一点，我暂时没有答案。",
    glad="听您这么说，我很高兴。还有什么可以帮您的吗？",
    distress="请您再多说一点，我会尽力帮您。{contact}",
    clarify="我想确认一下，您是想问{first}，还是{second}？",
    repeat="抱歉，我没有听清楚。请您再说一遍，好吗？",
    nothing_heard="我没有听到声音。请您靠近麦克风再问一次。",
    handoff="好的，我为您转接人工客服。{contact}",
    other_language="这部分内容目前只有其他语言的版本。",
    failed="抱歉，我这边出了点问题。{contact}",
    read_back="您说的是 {value}。",
    so_far="我先记下 {value}，后面呢？",
    take_time="好的，您慢慢来。",
    again="抱歉，我没有听清楚。",
    gave_up="抱歉，这样我没有办法继续。{contact}",
    confirm="请您确认一下，要办的是{what}吗？",
    yes_or_no="请回答是或者不是。",
    left="好的，我什么都没有改动。",
    done_before="这件事已经办过了。",
    unsure="抱歉，我不能确定是否办成了，所以不会再办一次。{contact}",
    upset="很抱歉给您添了麻烦。",
    offer="需要我为您转接人工同事吗？",
    declined="好的，那我继续为您服务。请问还有什么可以帮您？",
    handing="好的，我为您转接人工同事。",
    consent="可以把{data}也告诉同事吗？",
    passed_on="同事会尽快过来，等待时您可以继续问我。",
    place="您排在第 {place} 位。",
    next="下一位就是您。",
    nobody="抱歉，同事现在不在。{elsewhere}",
    unreachable="抱歉，这里无法转接人工。{elsewhere}",
    nobody_free="抱歉，现在没有空闲的同事。{elsewhere}",
    message="我可以为您留言。",
    joined="现在由人工同事{person}为您服务，我来转述。",
    given_back="{person}已把您转回给我，我是人工智能助理。请问还有什么可以帮您？",
    person_away="抱歉，{person}没有再回应。我是人工智能助理，继续为您服务。",
)

DEFAULTS = {"en": ENGLISH, "zh": CHINESE}
