import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from agent.errors import AgentError
from agent.events import Spoken
from agent.frames import whole_frames
from agent.line import SAMPLES
from agent.live_face import HANGS
from agent.painter import Easels, ThreadPainter
from agent.sentence import Emotion, Sentence
from agent.stage import Began, Failed, Finished, LiveMoment, ReplyOver, Stage, StageEvent
from avatar import Performer, Pose, Renderer, load_renderer, load_rig
from speech.scripted_voice import ScriptedSynthesizer
from speech.timeline import Phoneme, Speech
from tests.agent.stage_parts import RATE, AtOnce, Watched, place_s, ramp

LONG = "one two three four five six seven"


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return load_renderer(load_rig("mira"), size=128)


class Show:
    """A stage with what left it."""

    def __init__(self, renderer: Renderer, pool: Executor, *, seed: int = 0, **easels: object) -> None:
        self.renderer = Watched(renderer)
        self.events: list[StageEvent] = []
        self.moments: list[LiveMoment] = []
        painter = ThreadPainter(Easels(self.renderer, **easels), pool)
        self.stage = Stage(painter, seed=seed, on_event=self.events.append)
        self.index = 0

    async def run(self, moments: int, skip: Callable[[], int] = lambda: 0) -> list[LiveMoment]:
        new = []
        for _ in range(moments):
            new.append(await self.stage.next(self.index))
            self.index += 1 + skip()
        self.moments += new
        return new

    def told(self, kind: type[StageEvent]) -> list[StageEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def jaw(self, moment: LiveMoment) -> float:
        assert moment.frame is not None
        return self.renderer.pose_of(moment.frame).blendshapes.get("jawOpen", 0.0)


@pytest.fixture(autouse=True)
def _times_do_not_matter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not let frames be left out, except where the test is about that."""
    if "slow" not in request.node.name:
        monkeypatch.setattr("agent.live_face.LEARN", 0.0)


@pytest.fixture
def show(renderer: Renderer) -> Iterator[Show]:
    opened = Show(renderer, AtOnce())
    yield opened
    opened.stage.close()


def loud(moment: LiveMoment) -> bool:
    return bool(np.abs(moment.pcm).max() > 20)


def bursts() -> Spoken:
    """An "a" of 0.4 s, 0.44 s of silence, and so on: four times."""
    phonemes, parts = [], []
    for number in range(4):
        at = number * 0.84
        phonemes += [Phoneme("a", at, at + 0.4, 2), Phoneme("", at + 0.4, at + 0.84)]
        tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(round(0.4 * RATE)) / RATE)
        parts += [tone.astype(np.float32), np.zeros(round(0.44 * RATE), np.float32)]
    speech = Speech(np.concatenate(parts), RATE, tuple(phonemes), text="Ah, ah, ah, ah.")
    return Spoken(Sentence("Ah, ah, ah, ah."), whole_frames(speech, pause_s=0.28), 0.0, 0.0)


async def test_an_idle_face_lives_in_silence(show: Show) -> None:
    moments = await show.run(75)
    assert [moment.index for moment in moments] == list(range(75))
    for moment in moments:
        assert moment.frame is not None
        assert moment.frame.shape == (128, 128, 3)
        assert moment.pcm.dtype == np.int16
        assert moment.pcm.shape == (1920,)
        assert not moment.pcm.any()
        assert not moment.speaking
        assert moment.caption == ""
    changed = [not np.array_equal(a.frame, b.frame) for a, b in zip(moments, moments[1:], strict=False)]
    assert sum(changed) > 30


async def test_each_frame_leaves_with_its_own_sound(show: Show) -> None:
    spoken = bursts()
    await show.run(10)
    show.stage.say(spoken)
    count = round(spoken.speech.duration_s * 25)
    moments = await show.run(count)
    sound = np.concatenate([moment.pcm for moment in moments])
    times = np.arange(len(sound)) / 48_000
    inner = [(times > n * 0.84 + 0.01) & (times < n * 0.84 + 0.39) for n in range(4)]
    for part in inner:
        wanted = 32767 * 0.5 * np.sin(2 * np.pi * 200 * (times[part] - times[part][0] + 0.01 + 1 / 48_000))
        assert np.abs(sound[part]).max() > 16_000
        assert np.corrcoef(sound[part], wanted)[0, 1] > 0.98
    jaws = np.array([show.jaw(moment) for moment in moments])
    performer = Performer(25, 3)
    list(performer.idle(25))
    alone = np.array([pose.blendshapes.get("jawOpen", 0.0) for pose in performer.speak(spoken.speech)])
    assert np.abs(jaws[5:] - alone[5:]).max() < 0.02
    assert np.abs(jaws[5:] - alone[4:-1]).max() > 0.05  # one frame off would be seen


async def test_indices_that_are_left_out_shift_nothing(renderer: Renderer) -> None:
    runs = []
    for skips in (False, True):
        random_ = random.Random(1)
        show = Show(renderer, AtOnce(), seed=5)
        await show.run(5)
        show.stage.say(bursts())
        gaps = (lambda r=random_: r.choice([0, 0, 0, 3, 7])) if skips else (lambda: 0)
        runs.append(await show.run(100, gaps))
    straight, gappy = runs
    assert gappy[-1].index > straight[-1].index + 50
    for one, other in zip(straight, gappy, strict=True):
        assert np.array_equal(one.pcm, other.pcm)
        assert np.array_equal(one.frame, other.frame)


async def test_a_reply_of_sentences_is_told_from_beginning_to_end(show: Show) -> None:
    first, second = ramp("one two"), ramp("three four", start_s=1.0)
    await show.run(3)
    show.stage.look("thinking")
    show.stage.say(first)
    show.stage.say(second)
    show.stage.finish()
    assert show.stage.replying
    await show.run(60)
    begun = show.told(Began)
    assert [event.spoken for event in begun] == [first, second]
    assert begun[0].index == 3
    assert begun[1].index == 3 + round(first.speech.duration_s * 25)
    assert [type(event) for event in show.events] == [Began, Finished, Began, Finished, ReplyOver]
    assert show.events[-1] == ReplyOver("one two three four", interrupted=False)
    assert not show.stage.replying
    captions = [moment.caption for moment in show.moments if moment.caption]
    assert captions[0] == "one two"
    assert captions[-1] == "three four"
    for moment in show.moments:
        assert moment.speaking == bool(moment.caption)
        assert moment.speaking or not loud(moment)


async def test_a_reply_without_an_end_stays_open_until_it_is_finished(show: Show) -> None:
    show.stage.say(ramp("one two"))
    await show.run(40)
    assert not show.told(ReplyOver)
    show.stage.finish()
    assert show.told(ReplyOver) == [ReplyOver("one two", interrupted=False)]


async def test_the_next_reply_does_not_wait_for_the_silence_after_the_last(show: Show) -> None:
    show.stage.say(ramp("one two"))
    show.stage.finish()
    while not show.told(ReplyOver):
        await show.run(1)
    show.stage.say(ramp("three four"))
    await show.run(1)
    assert len(show.told(Began)) == 2


async def test_after_a_cancel_no_old_sound_leaves(show: Show) -> None:
    show.stage.thin(0)
    for frames in range(1, 50, 4):
        old = replace(ramp(LONG), sentence=Sentence(LONG))
        show.stage.say(old)
        show.stage.say(ramp("never to be heard"))
        await show.run(frames)
        show.events.clear()
        show.stage.cancel()
        assert [type(event) for event in show.events] == [ReplyOver]
        assert show.events[0].interrupted
        (fading,) = await show.run(1)
        assert not fading.pcm[480:].any()
        assert np.abs(np.diff(fading.pcm.astype(int))).max() < 1_000
        for moment in await show.run(12):
            assert not moment.pcm.any()
            assert not moment.speaking
        show.stage.finish()  # a pipeline that is being closed may still say so
        assert len(show.told(ReplyOver)) == 1
        assert not show.told(Began)


async def test_what_was_cancelled_is_known_as_far_as_it_was_heard(show: Show) -> None:
    show.stage.say(ramp(LONG))
    await show.run(18)  # 0.72 s: in the third word
    assert show.stage.heard() == "one two"
    show.stage.cancel()
    assert show.events[-1] == ReplyOver("one two", interrupted=True)
    assert show.stage.heard() == "one two"
    show.stage.say(ramp("eight nine"))
    assert show.stage.heard() == ""


async def test_a_reply_that_was_cancelled_before_its_first_sound_was_not_heard(show: Show) -> None:
    show.stage.say(ramp(LONG))
    show.stage.cancel()
    assert show.events == [ReplyOver("", interrupted=True)]
    assert not any(loud(moment) for moment in await show.run(20))
    assert not show.told(Began)


@pytest.mark.parametrize("timed", [True, False])
async def test_a_pause_loses_nothing_and_repeats_a_word_at_most(renderer: Renderer, timed: bool) -> None:
    for frames in range(1, 60, 5):
        show = Show(renderer, AtOnce())
        show.stage.thin(0)
        spoken = ramp(LONG, timed=timed)
        show.stage.say(spoken)
        show.stage.finish()
        before = await show.run(frames)
        show.stage.pause()
        (fading, *quiet) = await show.run(10)
        assert not fading.pcm[480:].any()
        assert not any(moment.pcm.any() for moment in quiet)
        assert not any(moment.caption or moment.speaking for moment in quiet)
        show.stage.resume()
        after = await show.run(90)
        left_s = place_s(before[-1].pcm[-1], spoken)
        again_s = place_s(after[0].pcm[700], spoken) - 700 / 48_000
        lost = [p for p in spoken.speech.phonemes if p.symbol and left_s + 0.01 < p.end_s <= again_s]
        assert not lost
        if timed:
            words = spoken.speech.words
            repeated = [w for w in words if w.start_s >= again_s - 0.005 and w.end_s <= left_s + 0.005]
            assert len(repeated) <= 1
        assert len(show.told(Began)) == 1
        assert len(show.told(Finished)) == 1
        assert show.events[-1] == ReplyOver(LONG, interrupted=False)


async def test_a_second_pause_goes_on_too(show: Show) -> None:
    show.stage.say(ramp(LONG))
    show.stage.finish()
    for _ in range(6):
        await show.run(12)
        show.stage.pause()
        await show.run(4)
        show.stage.resume()
    await show.run(100)
    assert show.events[-1] == ReplyOver(LONG, interrupted=False)
    assert len(show.told(Began)) == 1


async def test_the_mouth_closes_in_a_pause_and_goes_on_with_the_sound(show: Show) -> None:
    spoken = bursts()
    show.stage.say(spoken)
    await show.run(8)
    show.stage.pause()
    paused = await show.run(30)
    assert show.jaw(paused[0]) > 0.1
    assert max(show.jaw(moment) for moment in paused[10:]) < 0.05
    show.stage.resume()
    again = await show.run(60)
    for number, moment in enumerate(again[:50]):
        in_tone = (number + 0.5) * 0.04 % 0.84
        if 0.12 < in_tone < 0.36:
            assert show.jaw(moment) > 0.08
        if 0.62 < in_tone < 0.76:
            assert show.jaw(moment) < 0.08


async def test_pause_and_resume_between_two_moments_lose_nothing(show: Show) -> None:
    show.stage.say(ramp(LONG))
    show.stage.finish()
    await show.run(15)
    show.stage.pause()
    show.stage.resume()
    await show.run(90)
    assert show.events[-1] == ReplyOver(LONG, interrupted=False)


async def test_sentences_that_come_in_a_pause_wait(show: Show) -> None:
    show.stage.say(ramp("one two"))
    await show.run(5)
    show.stage.pause()
    show.stage.say(ramp("three four"))
    show.stage.finish()
    assert not any(loud(moment) for moment in (await show.run(30))[1:])
    show.stage.resume()
    await show.run(60)
    assert show.events[-1] == ReplyOver("one two three four", interrupted=False)


async def test_a_paused_reply_can_be_cancelled(show: Show) -> None:
    show.stage.say(ramp(LONG))
    await show.run(18)
    show.stage.pause()
    await show.run(3)
    show.stage.cancel()
    show.stage.resume()
    assert not any(loud(moment) for moment in await show.run(20))
    assert show.events[-1] == ReplyOver("one two", interrupted=True)


@pytest.mark.parametrize("order", ["pause", "cancel"])
@pytest.mark.parametrize("frames", [0, 18])
async def test_an_order_while_a_frame_is_drawn_holds_for_its_sound(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch, order: str, frames: int
) -> None:
    monkeypatch.setattr("agent.live_face.WAIT_S", 10.0)
    going = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        show = Show(renderer, pool)
        await show.run(2)
        show.stage.say(ramp(LONG))
        await show.run(frames)
        show.renderer.before = going.wait
        for _ in range(2):  # one frame may have been drawn before
            waiting = asyncio.create_task(show.stage.next(show.index))
            await asyncio.wait({waiting}, timeout=0.1)
            if not waiting.done():
                break
        assert not waiting.done()
        getattr(show.stage, order)()
        going.set()
        moment = await waiting
        assert not moment.pcm[480:].any()
        assert not any(loud(moment) for moment in await show.run(5))
        show.stage.close()


async def test_orders_without_a_reply_do_nothing(show: Show) -> None:
    show.stage.pause()
    show.stage.resume()
    show.stage.cancel()
    show.stage.finish()
    await show.run(2)
    assert show.events == []
    show.stage.say(ramp("one two"))
    assert any(loud(moment) for moment in await show.run(5))


async def test_the_face_reacts_while_it_listens(show: Show) -> None:
    show.stage.look("listening")
    await show.run(10)

    def pitch(moment: LiveMoment) -> float:
        assert moment.frame is not None
        return show.renderer.pose_of(moment.frame).head[1]

    before = pitch(show.moments[-1])
    show.stage.react("nod", 1.5)
    assert max(pitch(moment) for moment in await show.run(15)) > before + 2.0


async def test_only_the_first_sentence_of_a_reply_brings_its_gesture(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    gestures = []
    speak = Performer.speak

    def watched(
        self: Performer, speech: Speech, emotion: str, intensity: float, gesture: str | None
    ) -> Iterator[Pose]:
        gestures.append(gesture)
        return speak(self, speech, emotion, intensity, gesture)

    monkeypatch.setattr(Performer, "speak", watched)
    happy = Emotion("happy", 0.6)
    for words in ("one two", "three four"):
        show.stage.say(replace(ramp(words), sentence=Sentence(words, emotion=happy)))
    await show.run(30)
    assert gestures == ["welcome", None]


async def test_a_gesture_that_does_not_exist_costs_no_sound(show: Show) -> None:
    spoken = replace(ramp("one two"), sentence=Sentence("one two", gesture="somersault"))
    show.stage.say(spoken)
    show.stage.finish()
    moments = await show.run(60)
    assert sum(loud(moment) for moment in moments) >= 14
    assert len(show.told(Failed)) == 1
    assert "somersault" in show.told(Failed)[0].message
    assert moments[-1].frame is not None


async def test_a_renderer_that_raises_costs_no_sound(renderer: Renderer) -> None:
    def fail() -> None:
        raise RuntimeError("out of memory")

    show = Show(renderer, AtOnce())
    await show.run(3)
    show.renderer.before = fail
    show.stage.say(bursts())
    show.stage.finish()
    moments = await show.run(95)
    assert all(moment.frame is None for moment in moments[1:])
    assert sum(loud(moment) for moment in moments) >= 40
    assert [event.message for event in show.told(Failed)] == [
        "the face cannot be drawn (out of memory): the voice goes on; look at the desk's avatar"
    ]
    assert show.told(ReplyOver)
    show.renderer.before = lambda: None
    assert all(moment.frame is not None for moment in (await show.run(40))[2:])
    show.renderer.before = fail
    await show.run(5)
    assert len(show.told(Failed)) == 2


async def test_a_renderer_that_hangs_costs_no_sound(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.live_face.HANGS_S", 0.01)
    going = threading.Event()
    going.set()
    with ThreadPoolExecutor(1) as pool:
        show = Show(renderer, pool)
        show.renderer.before = going.wait
        try:
            await show.run(3)
            going.clear()
            spoken = bursts()
            show.stage.say(spoken)
            moments = await show.run(HANGS + 15)
            assert all(moment.frame is None for moment in moments[2:])
            assert sum(loud(moment) for moment in moments) >= 15
            assert len(show.told(Failed)) == 1
        finally:
            going.set()
        # when it comes back, the face is where the sound is
        jaws = {}
        for _ in range(200):
            await asyncio.sleep(0.002)
            (moment,) = await show.run(1)
            if moment.frame is not None and moment.speaking:
                jaws[len(show.moments) - 4] = show.jaw(moment)
        open_ = [jaw for place, jaw in jaws.items() if 0.16 < (place + 0.5) * 0.04 % 0.84 < 0.36]
        shut = [jaw for place, jaw in jaws.items() if 0.66 < (place + 0.5) * 0.04 % 0.84 < 0.76]
        assert len(jaws) > 10
        assert min(open_, default=1.0) > 0.08
        assert max(shut, default=0.0) < 0.08
        show.stage.close()


async def test_a_slow_renderer_gives_fewer_frames_in_step_with_the_sound(renderer: Renderer) -> None:
    with ThreadPoolExecutor(1) as pool:
        show = Show(renderer, pool)
        slow = threading.Event()
        show.renderer.before = lambda: slow.wait(0.09)
        spoken = bursts()
        show.stage.say(spoken)
        begun_s = asyncio.get_running_loop().time()
        seen = []
        for number in range(84):
            await asyncio.sleep(begun_s + number * 0.04 - asyncio.get_running_loop().time())
            (moment,) = await show.run(1)
            if moment.frame is not None:
                seen.append(((number + 0.5) * 0.04 % 0.84, show.jaw(moment)))
        show.stage.close()
    assert 5 <= len(seen) < 60
    assert show.stage.late > 20
    for place, jaw in seen[2:]:
        if 0.16 < place < 0.36:
            assert jaw > 0.08
        if 0.66 < place < 0.76:
            assert jaw < 0.08


async def test_fewer_frames_on_demand(show: Show) -> None:
    await show.run(10)
    show.stage.say(bursts())
    show.stage.thin(3)
    moments = await show.run(60)
    assert [moment.index for moment in moments[1:] if moment.frame is not None] == list(range(12, 70, 3))
    assert max(map(show.jaw, [m for m in moments if m.frame is not None])) > 0.1
    show.stage.thin(0)
    moments = await show.run(20)
    assert not any(moment.frame is not None for moment in moments[3:])
    assert sum(loud(moment) for moment in moments) > 5
    assert show.stage.late == 0
    show.stage.thin(1)
    assert all(moment.frame is not None for moment in (await show.run(10))[1:])


async def test_smaller_frames_on_demand(renderer: Renderer) -> None:
    small = load_renderer(load_rig("mira"), size=64)
    show = Show(renderer, AtOnce(), smaller={0.5: small})
    assert show.stage.size == (128, 128)

    async def sizes(moments: int) -> set[int]:
        return {len(moment.frame) for moment in await show.run(moments) if moment.frame is not None}

    assert await sizes(5) == {128}
    show.stage.thin(1, 0.5)
    await show.run(3)  # what was begun before
    assert await sizes(5) == {64}
    show.stage.thin(1, 0.75)  # nothing draws that
    await show.run(3)
    assert await sizes(5) == {128}
    show.stage.close()


async def test_too_much_to_say_is_refused(show: Show) -> None:
    minute = Speech(np.zeros(60 * 8_000, np.float32), 8_000, (Phoneme("a", 0, 60),))
    for _ in range(4):
        show.stage.say(Spoken(Sentence("Ah."), minute, 0.0, 0.0))
    with pytest.raises(AgentError, match="wait until queued_s is smaller"):
        show.stage.say(Spoken(Sentence("Ah."), minute, 0.0, 0.0))
    show.stage.cancel()
    assert show.stage.queued_s == 0


async def test_an_event_may_give_orders(show: Show) -> None:
    def orders(event: StageEvent) -> None:
        show.events.append(event)
        if isinstance(event, Finished):
            show.stage.cancel()
        if isinstance(event, ReplyOver) and len(show.told(ReplyOver)) == 1:
            show.stage.say(ramp("three four"))
            show.stage.finish()

    show.stage.on_event = orders
    show.stage.say(ramp("one two"))
    show.stage.say(ramp("five six"))
    await show.run(60)
    assert [type(event) for event in show.events] == [Began, Finished, ReplyOver] * 2
    assert show.told(ReplyOver)[0] == ReplyOver("one two", interrupted=True)


async def test_whatever_is_ordered_each_reply_ends_once(renderer: Renderer) -> None:
    random_ = random.Random(11)
    synthesizer = ScriptedSynthesizer(rate=3.0)
    lines = ["Good morning, we are open.", "您好，今天九点开门。", "Yes.", "…"]
    texts = [
        Spoken(Sentence(line), whole_frames(synthesizer.speak(line), pause_s=0.28), 0.0, 0.0)
        for line in lines
    ]
    for seed in range(10):
        show = Show(renderer, AtOnce(), seed=seed)
        if seed:  # mostly only the sound matters here
            show.stage.thin(0)
        opened = 0
        for _ in range(120):
            order = random_.choice(["say", "pause", "resume", "cancel", "finish", "look", "", "", "", ""])
            if order == "say":
                opened += not show.stage.replying
                show.stage.say(random_.choice(texts))
            elif order == "look":
                show.stage.look(random_.choice(["idle", "listening", "thinking"]))
            elif order:
                getattr(show.stage, order)()
            for moment in await show.run(random_.choice([0, 1, 1, 2, 9])):
                assert moment.pcm.shape == (SAMPLES,)
        show.stage.resume()
        show.stage.finish()
        await show.run(2_000 if seed else 100)
        if show.stage.replying:
            show.stage.cancel()
        assert len(show.told(ReplyOver)) == opened
        assert not show.told(Failed)
        assert show.stage.queued_s == 0


async def test_nothing_is_left_behind(renderer: Renderer) -> None:
    with ThreadPoolExecutor(1) as pool:
        show = Show(renderer, pool)
        show.stage.say(bursts())
        await show.run(30)
        waiting = asyncio.create_task(show.stage.next(30))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        show.stage.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert (await show.stage.next(31)).frame is None
