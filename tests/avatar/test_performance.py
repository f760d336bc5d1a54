import numpy as np
import pytest

from avatar.expression import EMOTIONS, expression
from avatar.geometry import weights_of
from avatar.lipcheck import closures, lip_gap_mm, unclosed
from avatar.performance import Performer, frame_count, perform
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.rig import load_rig
from speech.timeline import Phoneme, Speech
from tests.avatar.lines import SENTENCE, spoken

BLINK = [i for i, n in enumerate(ARKIT_BLENDSHAPES) if n.startswith(("eyeBlink", "eyeLook", "eyeWide"))]
MOUTH = [i for i, n in enumerate(ARKIT_BLENDSHAPES) if n.startswith(("mouth", "jaw", "tongue"))]
BILABIALS = sum(phoneme.symbol in ("p", "b", "m") for phoneme in SENTENCE.phonemes)


def matrix(poses: list[Pose]) -> np.ndarray:
    return np.stack([weights_of(pose) for pose in poses])


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0])
def test_one_pose_a_frame(fps: float) -> None:
    poses = perform(SENTENCE, fps=fps)
    assert len(poses) == frame_count(SENTENCE.duration_s, fps)
    assert abs(len(poses) - SENTENCE.duration_s * fps) <= 0.5


def test_empty_speech_has_no_poses() -> None:
    assert perform(Speech(np.zeros(0, np.float32), 16000, ())) == []


def test_poses_hold_known_shapes_in_bounds() -> None:
    for pose in perform(SENTENCE, "surprised"):
        assert set(pose.blendshapes) <= set(ARKIT_BLENDSHAPES)
        assert all(0 <= weight <= 1 for weight in pose.blendshapes.values())
        assert 0 <= pose.breath <= 1
        assert max(map(abs, pose.head)) < 9


def test_the_same_seed_is_the_same_performance() -> None:
    assert perform(SENTENCE, "happy", seed=4) == perform(SENTENCE, "happy", seed=4)
    assert perform(SENTENCE, "happy", seed=4) != perform(SENTENCE, "happy", seed=5)


@pytest.mark.parametrize("emotion", EMOTIONS)
@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0])
def test_lips_close_at_every_p_b_m_in_every_emotion(emotion: str, fps: float) -> None:
    rig = load_rig()
    poses = perform(SENTENCE, emotion, fps=fps)
    assert len(closures(rig, poses, SENTENCE.phonemes, fps)) == BILABIALS
    assert unclosed(rig, poses, SENTENCE.phonemes, fps) == []


def test_vowels_open_the_mouth() -> None:
    speech = spoken("p ɑː p ɑː p ɑː p", vowel_s=0.16)
    gaps = lip_gap_mm(load_rig(), perform(speech))
    assert gaps.max() > 10


def test_the_check_finds_lips_that_stay_open() -> None:
    poses = [Pose({"jawOpen": 0.4})] * frame_count(SENTENCE.duration_s, 25)
    assert len(unclosed(load_rig(), poses, SENTENCE.phonemes)) == BILABIALS


@pytest.mark.parametrize("emotion", ["neutral", "happy", "apologetic", "concerned"])
def test_pauses_show_no_speech(emotion: str) -> None:
    silence = Speech(np.zeros(32000, np.float32), 16000, (Phoneme("", 0, 2.0),))
    weights = matrix(perform(silence, emotion))[20:]
    assert np.abs(weights[:, MOUTH] - expression(emotion)[MOUTH]).max() < 0.01


def test_the_seven_emotions_look_different() -> None:
    faces = np.stack([expression(emotion) for emotion in EMOTIONS])
    apart = np.abs(faces[:, None] - faces[None]).sum(-1)
    assert apart[~np.eye(len(EMOTIONS), dtype=bool)].min() > 0.6
    assert np.array_equal(expression("no such emotion"), expression("neutral"))


def test_expressions_arrive_gently() -> None:
    silence = Speech(np.zeros(16000, np.float32), 16000, (Phoneme("", 0, 1.0),))
    brow = matrix(perform(silence, "surprised", fps=100))[:, ARKIT_BLENDSHAPES.index("browInnerUp")]
    moving = np.abs(brow - brow[-1]) > 0.02
    assert 0.2 <= moving.sum() / 100 <= 0.6
    assert np.abs(np.diff(brow)).max() < 0.05


def test_nothing_jumps_between_speech_and_silence() -> None:
    performer = Performer(seed=9)
    poses = list(performer.idle(30, "listening"))
    poses += performer.idle(20, "thinking")
    poses += performer.speak(SENTENCE, "happy")
    poses += performer.speak(spoken("ɑː m uː p ɑː"), "apologetic")
    poses += performer.idle(40)
    weights = matrix(poses)
    still = [i for i in range(52) if i not in BLINK and i not in MOUTH]
    assert np.abs(np.diff(weights[:, still], axis=0)).max() < 0.16
    assert np.abs(np.diff(weights[:, MOUTH], axis=0)).max() < 0.6
    assert np.abs(np.diff([pose.head for pose in poses], axis=0)).max() < 1.2
    assert np.abs(np.diff([pose.breath for pose in poses])).max() < 0.1


def test_an_interrupted_speech_goes_on_smoothly_into_silence() -> None:
    performer = Performer(seed=1)
    speaking = performer.speak(spoken("ɑː ɑː ɑː ɑː ɑː"), "neutral")
    before = [next(speaking) for _ in range(14)]
    speaking.close()
    after = list(performer.idle(25))
    rig = load_rig()
    gaps = lip_gap_mm(rig, [*before, *after])
    assert gaps[13] > 5
    assert gaps[14] > 0.3 * gaps[13]
    assert gaps[-1] < 0.15
    assert performer.time_s == pytest.approx((14 + 25) / 25)


def test_silence_before_and_after_is_closed() -> None:
    gaps = lip_gap_mm(load_rig(), perform(SENTENCE))
    assert gaps[0] < 0.15
    assert gaps[-1] < 0.15


def test_a_minute_of_idling_repeats_nothing() -> None:
    poses = list(Performer(seed=7).idle(60 * 25))
    seen = {(pose.head, pose.gaze, pose.breath) for pose in poses}
    assert len(seen) == len(poses)


def test_looks_differ() -> None:
    def gaze(look: str) -> np.ndarray:
        return np.mean([pose.gaze for pose in list(Performer(seed=0).idle(100, look))[25:]], axis=0)  # type: ignore[arg-type]

    assert np.abs(gaze("thinking") - gaze("idle")).max() > 5
    pitch = {
        look: np.array([p.head[1] for p in Performer(seed=0).idle(500, look)])
        for look in ("idle", "listening")
    }
    assert pitch["listening"].max() > pitch["idle"].max() + 0.8


def test_stress_nods() -> None:
    stressed, flat = spoken("t 'ɑː t _ t 'ɑː t _ t 'ɑː"), spoken("t ɑː t _ t ɑː t _ t ɑː")
    nodding = np.array([pose.head[1] for pose in perform(stressed)]) - [
        pose.head[1] for pose in perform(flat)
    ]
    assert 1.0 < nodding.max() < 2.5


def test_eyes_stay_on_the_visitor_while_the_head_moves() -> None:
    poses = list(Performer(seed=3).idle(500))
    world = np.array([[p.gaze[0] + p.head[0], p.gaze[1] - p.head[1]] for p in poses])
    assert np.abs(world).max() <= 3.01
