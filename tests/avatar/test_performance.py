import itertools

import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.expression import EMOTIONS, expression
from avatar.geometry import weights_of
from avatar.gesture import gesture_names
from avatar.lipcheck import closures, lip_gap_mm, unclosed
from avatar.performance import HEAD_LIMIT_DEG, Performer, frame_count, perform
from avatar.pose import ARKIT_BLENDSHAPES, Pose
from avatar.rig import load_rig
from speech.timeline import Phoneme, Speech
from tests.avatar.lines import SENTENCE, spoken

QUICK = [i for i, n in enumerate(ARKIT_BLENDSHAPES) if n.startswith(("eyeBlink", "eyeLook", "eyeWide"))]
MOUTH = [i for i, n in enumerate(ARKIT_BLENDSHAPES) if n.startswith(("mouth", "jaw", "tongue"))]
SLOW = [i for i in range(52) if i not in QUICK and i not in MOUTH]
LOOKS = ("idle", "listening", "thinking")
BILABIALS = sum(phoneme.symbol in ("p", "b", "m") for phoneme in SENTENCE.phonemes)


def matrix(poses: list[Pose]) -> np.ndarray:
    return np.stack([weights_of(pose) for pose in poses])


def heads(poses: list[Pose]) -> np.ndarray:
    return np.array([pose.head for pose in poses])


def world(poses: list[Pose]) -> np.ndarray:
    """Where the eyes look, seen from the room: 0 is the visitor."""
    return np.array([[p.gaze[0] + p.head[0], p.gaze[1] - p.head[1]] for p in poses])


def silence(seconds: float) -> Speech:
    return Speech(np.zeros(int(16000 * seconds), np.float32), 16000, (Phoneme("", 0, seconds),))


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0])
def test_one_pose_a_frame(fps: float) -> None:
    poses = perform(SENTENCE, fps=fps)
    assert len(poses) == frame_count(SENTENCE.duration_s, fps)
    assert abs(len(poses) - SENTENCE.duration_s * fps) <= 0.5


def test_empty_speech_has_no_poses() -> None:
    assert perform(Speech(np.zeros(0, np.float32), 16000, ())) == []


def test_poses_hold_known_shapes_in_bounds() -> None:
    for pose in perform(SENTENCE, "surprised", gesture="surprise"):
        assert set(pose.blendshapes) <= set(ARKIT_BLENDSHAPES)
        assert all(0 <= weight <= 1 for weight in pose.blendshapes.values())
        assert 0 <= pose.breath <= 1
        assert all(abs(a) < limit for a, limit in zip(pose.head, HEAD_LIMIT_DEG, strict=True))


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


@pytest.mark.parametrize("gesture", gesture_names())
def test_lips_close_under_every_gesture(gesture: str) -> None:
    poses = perform(SENTENCE, "happy", gesture=gesture)
    assert unclosed(load_rig(), poses, SENTENCE.phonemes) == []


def test_vowels_open_the_mouth() -> None:
    speech = spoken("p ɑː p ɑː p ɑː p", vowel_s=0.16)
    gaps = lip_gap_mm(load_rig(), perform(speech))
    assert gaps.max() > 10


def test_joy_speaks_wider_than_sorrow() -> None:
    gaps = {e: lip_gap_mm(load_rig(), perform(SENTENCE, e)).max() for e in ("happy", "apologetic")}
    assert gaps["happy"] > 1.15 * gaps["apologetic"]


def test_the_check_finds_lips_that_stay_open() -> None:
    poses = [Pose({"jawOpen": 0.4})] * frame_count(SENTENCE.duration_s, 25)
    assert len(unclosed(load_rig(), poses, SENTENCE.phonemes)) == BILABIALS


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_pauses_show_the_expression_and_no_speech(emotion: str) -> None:
    weights = matrix(perform(silence(2.0), emotion))[:, MOUTH]
    assert np.abs(weights[25:30] - expression(emotion)[MOUTH]).max() < 0.12
    worn = expression(emotion)[MOUTH] + expression("neutral")[MOUTH]
    assert not weights[:, worn == 0][25:].any()


@pytest.mark.parametrize("emotion", [e for e in EMOTIONS if e != "neutral"])
def test_expressions_arrive_gently(emotion: str) -> None:
    weights = matrix(perform(silence(1.0), emotion, fps=100))[:, SLOW]
    shape = int(np.abs(weights[-1] - weights[0]).argmax())
    way = (weights[:80, shape] - weights[0, shape]) / (weights[79, shape] - weights[0, shape])
    assert 0.2 <= (way < 0.97).sum() / 100 <= 0.8
    assert np.abs(np.diff(weights, axis=0)).max() < 0.05


def test_a_new_expression_bends_the_old_ones_way() -> None:
    performer = Performer(fps=100, seed=2)
    half = list(itertools.islice(performer.speak(silence(3.0), "surprised"), 16))
    poses = half + list(performer.speak(silence(1.0), "apologetic"))
    brow = matrix(poses)[:, ARKIT_BLENDSHAPES.index("browOuterUpLeft")]
    speed = np.diff(brow) * 100
    assert speed[14] > 1.0
    # at the turn the brow goes on at the speed it had (some 3.7 a second): no kink from one frame to the next
    assert np.abs(np.diff(speed)).max() < 1.0


@pytest.mark.parametrize("seed", range(6))
def test_nothing_jumps_between_random_states(seed: int) -> None:
    rng = np.random.default_rng(seed)
    performer = Performer(seed=seed)
    poses: list[Pose] = []
    for _ in range(14):
        if rng.random() < 0.4:
            performer.gesture(str(rng.choice(gesture_names())), after_s=float(rng.uniform(0, 0.5)))
        if rng.random() < 0.5:
            poses += performer.idle(int(rng.integers(1, 60)), str(rng.choice(LOOKS)))  # type: ignore[arg-type]
        else:
            run = performer.speak(SENTENCE, str(rng.choice(EMOTIONS)), float(rng.uniform(0.3, 1)))
            poses += itertools.islice(run, int(rng.integers(1, 90)))
    weights = matrix(poses)
    # a brow flashes up in four frames, a nod reaches 50 degrees a second
    assert np.abs(np.diff(weights[:, SLOW], axis=0)).max() < 0.26
    assert np.abs(np.diff(weights[:, MOUTH], axis=0)).max() < 0.6
    assert np.abs(np.diff(heads(poses), axis=0)).max() < 2.0
    assert np.abs(np.diff([pose.breath for pose in poses])).max() < 0.1
    lids = weights[:, [i for i in QUICK if "Wide" in ARKIT_BLENDSHAPES[i]]]
    blinking = weights[:, ARKIT_BLENDSHAPES.index("eyeBlinkLeft")] > 0.01
    still = ~(blinking[1:] | blinking[:-1])
    assert np.abs(np.diff(lids, axis=0))[still].max() < 0.26


def test_an_interrupted_speech_goes_on_smoothly_into_silence() -> None:
    performer = Performer(seed=1)
    speaking = performer.speak(spoken("ɑː ɑː ɑː ɑː ɑː"), "neutral")
    before = list(itertools.islice(speaking, 14))
    after = list(performer.idle(25))
    gaps = lip_gap_mm(load_rig(), [*before, *after])
    assert gaps[13] > 5
    assert gaps[14] > 0.3 * gaps[13]
    assert gaps[-1] < 0.15
    assert performer.time_s == pytest.approx((14 + 25) / 25)


def test_silence_before_and_after_is_closed() -> None:
    gaps = lip_gap_mm(load_rig(), perform(SENTENCE))
    assert gaps[0] < 0.15
    assert gaps[-1] < 0.15


@pytest.mark.parametrize("look", LOOKS)
def test_idling_in_pieces_is_idling_in_one(look: str) -> None:
    whole, pieces = Performer(seed=5), Performer(seed=5)
    in_one = list(whole.idle(150, look))  # type: ignore[arg-type]
    in_many = [pose for _ in range(150) for pose in pieces.idle(1, look)]  # type: ignore[arg-type]
    assert in_one == in_many


def test_no_two_idle_minutes_are_alike() -> None:
    minutes = [heads(list(Performer(5.0, seed).idle(60 * 5))) for seed in (1, 2)]
    minutes += np.split(heads(list(Performer(5.0, 3).idle(120 * 5))), 2)
    for first, second in itertools.combinations(minutes, 2):
        a, b = (m[:, 0] - m[:, 0].mean() for m in (first, second))
        alike = np.correlate(a, b, "full") / np.sqrt(np.dot(a, a) * np.dot(b, b))
        assert np.abs(alike).max() < 0.75


def test_looks_differ() -> None:
    poses = {look: list(Performer(seed=0).idle(750, look)) for look in LOOKS}  # type: ignore[arg-type]
    away = {look: np.mean(np.hypot(*world(p).T) > 4) for look, p in poses.items()}
    assert away["thinking"] > 0.5
    assert away["listening"] < 0.15


def test_a_listener_nods_and_smiles_now_and_then() -> None:
    poses = list(Performer(seed=2).idle(1500, "listening"))
    fast = np.diff(heads(poses)[:, 1]) * 25
    nods = (fast[1:] > 4) & (fast[:-1] <= 4)
    assert 8 <= nods.sum() <= 60
    smile = matrix(poses)[:, ARKIT_BLENDSHAPES.index("mouthSmileLeft")]
    assert np.ptp(smile[50:]) > 0.08


def test_stress_moves_head_and_brows() -> None:
    stressed, flat = spoken("t 'ɑː t ɑː t 'ɑː _ " * 4), spoken("t ɑː t ɑː t ɑː _ " * 4)
    moved = heads(perform(stressed, seed=3)) - heads(perform(flat, seed=3))
    assert 1.0 < np.abs(moved).max() < 5
    brow = ARKIT_BLENDSHAPES.index("browInnerUp")
    assert (matrix(perform(stressed, seed=3)) - matrix(perform(flat, seed=3)))[:, brow].max() > 0.08


def test_mandarin_has_beats_too() -> None:
    vowel = Phoneme("a", 0.2, 0.5, stress=1)
    speech = Speech(np.full(16000, 0.1, np.float32), 16000, (Phoneme("", 0, 0.2), vowel, Phoneme("", 0.5, 1)))
    flat = Speech(speech.pcm, 16000, (Phoneme("", 0, 0.2), Phoneme("a", 0.2, 0.5), Phoneme("", 0.5, 1)))
    assert np.abs(heads(perform(speech)) - heads(perform(flat))).max() > 0.5


def test_eyes_stay_on_the_visitor_while_the_head_moves() -> None:
    poses = list(Performer(seed=3).idle(1500, "listening"))
    off = np.hypot(*world(poses).T)
    assert np.median(off) < 2
    assert np.mean(off > 4) < 0.1


def test_a_speaker_ends_with_a_look_at_the_visitor() -> None:
    away = 0
    for seed in range(12):
        off = np.hypot(*world(perform(SENTENCE, seed=seed)).T)
        away += off[:40].max() > 5
        assert off[-18:].max() < 4
    assert 2 <= away <= 11


def test_an_apology_lowers_the_eyes_for_a_moment() -> None:
    lowest = [world(perform(SENTENCE, "apologetic", seed=seed))[:, 1].min() for seed in range(20)]
    assert np.mean(np.array(lowest) < -6) > 0.5


def test_a_gesture_is_seen_and_passes() -> None:
    performer = Performer(seed=1)
    performer.gesture("apologise", after_s=0.4)
    bowed, plain = list(performer.idle(100)), list(Performer(seed=1).idle(100))
    more = matrix(bowed)[:, ARKIT_BLENDSHAPES.index("browInnerUp")]
    assert more[:10].max() < 0.05
    assert more.max() > 0.3
    assert more[80:].max() < 0.05
    assert np.abs(heads(bowed)[:, 1] - heads(plain)[:, 1]).max() > 3


def test_a_second_gesture_takes_over_from_the_first() -> None:
    performer = Performer(seed=1)
    performer.gesture("think")
    poses = list(performer.idle(10))
    performer.gesture("surprise")
    poses += performer.idle(60)
    weights = matrix(poses)
    assert weights[5:14, ARKIT_BLENDSHAPES.index("mouthPressLeft")].max() > 0.05
    assert weights[20:, ARKIT_BLENDSHAPES.index("mouthPressLeft")].max() < 0.02
    assert weights[:, ARKIT_BLENDSHAPES.index("eyeWideLeft")].max() > 0.35


def test_an_unknown_gesture_names_the_known_ones() -> None:
    with pytest.raises(AvatarError, match="greet"):
        Performer().speak(SENTENCE, gesture="wave")
