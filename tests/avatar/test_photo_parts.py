from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar.geometry import head_matrix
from avatar.photo import read_photo
from avatar.photo.clothes import CHIN, chest_weights, free_of
from avatar.photo.crop import cropped
from avatar.photo.fit import Fit, fit_template
from avatar.photo.landmarks import EYE_RIM, INNER_LOWER, INNER_UPPER, FoundFace
from avatar.photo.lids import LASH_LIGHT, blink_picture, lowered_by_blink
from avatar.photo.lining import lined
from avatar.photo.matte import cut_out
from avatar.photo.surround import find_outline
from avatar.photo.teeth import with_teeth
from avatar.photo.template import INSIDE, SKIN, load_template, weight_vector
from avatar.photo.texture import _lit_teeth
from avatar.seen import Seen
from avatar.viseme import VISEME_WEIGHTS
from tests.avatar.test_photo import PX_PER_M, synthetic


def fitted(face: FoundFace) -> Fit:
    return fit_template(load_template(), face.points, face.blendshapes)


def turned(yaw_deg: float) -> FoundFace:
    face = synthetic()
    middle = face.points[:468].mean(0)
    # photo axes x right, y down, depth away are the rig's x, -z, y
    axes = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    matrix = axes @ head_matrix((yaw_deg, 0, 0)) @ axes.T
    return replace(face, points=((face.points - middle) @ matrix.T + middle).astype(np.float32))


def shape_of(points: np.ndarray) -> np.ndarray:
    """Distances between points spread over the piece, as shares of the largest."""
    some = points[:: max(len(points) // 40, 1)].astype(np.float64)
    apart = np.linalg.norm(some[:, None] - some[None], axis=-1)
    return np.asarray(apart / apart.max())


def test_teeth_keep_their_shape_behind_a_mouth_of_another() -> None:
    face = synthetic()
    points = face.points.copy()
    lips = [*INNER_UPPER, *INNER_LOWER]
    points[lips, 1] += 0.25 * (points[lips, 0] - points[lips, 0].mean())  # a crooked mouth
    template = load_template()
    inside = np.unique(template.triangles[template.kind == INSIDE])
    bent = fitted(replace(face, points=points))
    straight = with_teeth(template, bent)
    own = shape_of(template.vertices[inside])
    assert np.abs(shape_of(bent.neutral[inside]) - own).max() > 0.01
    assert np.abs(shape_of(straight.neutral[inside]) - own).max() < 1e-3
    skin = np.setdiff1d(np.arange(len(template.vertices)), inside)
    assert (straight.neutral[skin] == bent.neutral[skin]).all()


def test_teeth_turn_less_than_the_head_and_stay_behind_the_lips() -> None:
    template = load_template()
    fit = with_teeth(template, fitted(turned(14)))
    inside = np.unique(template.triangles[template.kind == INSIDE])
    own, theirs = template.vertices[inside].astype(np.float64), fit.neutral[inside].astype(np.float64)
    across = np.linalg.lstsq(np.c_[own - own.mean(0), np.ones(len(own))], theirs, rcond=None)[0][0]
    angle = np.degrees(np.arctan2(abs(across[2]), across[0]))
    assert 2 < angle < 8
    rim = template.landmarks(fit.neutral)[list(INNER_UPPER)]
    before = np.interp(theirs[:, 0], rim[:, 0], rim[:, 2], left=-np.inf, right=-np.inf) - theirs[:, 2]
    assert np.percentile(before, 98) < 0.001 * PX_PER_M


def test_the_neck_follows_the_head_less_and_less_toward_the_collar() -> None:
    template, fit = load_template(), fitted(synthetic())
    chin = int(template.landmarks(fit.neutral)[CHIN, 1])
    clothes = np.zeros((900, 900), bool)
    clothes[chin + 30 :] = True
    clothes[chin - 200 : chin - 150, 100:200] = True  # beside the cheek: hair or the wall
    free = free_of(template, fit, clothes)
    column = free[chin - 60 : chin + 30, 450]
    assert free[chin + 40, 450] == 0
    assert (np.diff(column) <= 1e-6).all()
    assert column[0] > 0.95
    assert free[chin - 175, 150] == 1
    weight = chest_weights(template, fit, free)
    assert (weight <= template.head_weight + 1e-6).all()
    low = fit.neutral[:, 1] > chin + 45
    skin = np.setdiff1d(np.flatnonzero(low), np.unique(template.triangles[template.kind == INSIDE]))
    assert len(skin) == 0 or weight[skin].max() < 0.01


def test_a_cut_out_photo_keeps_its_opacity_through_the_crop(tmp_path: Path) -> None:
    face = synthetic()
    cut = np.zeros((900, 900, 4), np.uint8)
    cv2.ellipse(cut, (450, 450), (230, 330), 0, 0, 360, (120, 140, 180, 255), -1)
    file = tmp_path / "cut.png"
    cv2.imwrite(str(file), cut)
    photo = read_photo(file)
    assert photo.opacity is not None
    assert (photo.opacity[450, 450], photo.opacity[10, 10]) == (255, 0)
    crop, points, _, _ = cropped(load_template(), np.dstack([photo.picture, photo.opacity]), face)
    nose = points[1].astype(int)
    assert crop[nose[1], nose[0], 3] == 255
    assert crop[2, 2, 3] == 0


def test_an_opaque_photo_has_no_opacity_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "whole.png"
    cv2.imwrite(str(file), np.full((30, 30, 4), 255, np.uint8))
    assert read_photo(file).opacity is None


def test_the_photo_s_own_opacity_is_the_outline() -> None:
    template, fit = load_template(), fitted(synthetic())
    picture = np.full((900, 900, 3), 128, np.uint8)  # nothing to cut along
    opacity = np.zeros((900, 900), np.float32)
    cv2.ellipse(opacity, (450, 450), (230, 330), 0, 0, 360, 1.0, -1)
    arguments = (
        picture, fit.neutral[:, :2], fit.neutral[:, 2], template.triangles,
        fit.carried(template.head_points)[:, :2], np.zeros((900, 900), bool),
    )  # fmt: skip
    assert find_outline(*arguments).person is None
    assert find_outline(*arguments, opacity).person is opacity


def test_a_tie_that_ends_in_the_picture_s_rim_is_part_of_the_person() -> None:
    scene = np.full((512, 512, 3), (190, 200, 210), np.uint8)
    cv2.ellipse(scene, (256, 230), (95, 130), 0, 0, 360, (150, 90, 60), -1)
    cv2.rectangle(scene, (215, 330), (297, 430), (150, 90, 60), -1)
    cv2.ellipse(scene, (256, 520), (200, 110), 0, 0, 360, (150, 90, 60), -1)
    cv2.rectangle(scene, (236, 470), (276, 511), (190, 200, 210), -1)  # a tie of the wall's colour
    scene = np.clip(scene + np.random.default_rng(1).normal(0, 5, scene.shape), 0, 255).astype(np.uint8)
    face = np.zeros((512, 512), np.uint8)
    cv2.ellipse(face, (256, 240), (75, 100), 0, 0, 360, 1, -1)
    angles = np.linspace(0, 2 * np.pi, 80)
    head = [(256 + r * 85 * np.cos(a), 230 + r * 120 * np.sin(a)) for a in angles for r in (0.3, 0.6, 1.0)]
    person, _ = cut_out(scene, face > 0, np.array(head, np.float32))
    assert person[490:505, 250:262].min() > 0.9
    assert person[490:505, 5:20].max() < 0.1


def test_closed_lids_show_skin_and_lashes_but_nothing_of_the_eye() -> None:
    template, face = load_template(), synthetic()
    fit = fitted(face)
    picture = np.full((900, 900, 3), (200, 160, 140), np.uint8)
    for side in ("left", "right"):
        rim = face.points[list(EYE_RIM[side]), :2]
        cv2.fillPoly(picture, [np.round(rim).astype(np.int32)], (20, 40, 250))
        # an eye mixes with the lid's edge
        cv2.polylines(picture, [np.round(rim).astype(np.int32)], True, (20, 40, 250), 9)
    own = (lowered_by_blink(template) > 0.0006).astype(np.float32)
    away = cv2.distanceTransform((picture[..., 2] < 200).astype(np.uint8), cv2.DIST_L2, 5)
    at = np.clip(fit.shown[:, :2].astype(int), 0, 899)
    known = (away[at[:, 1], at[:, 0]] > 8) & (own < 1)
    closed = blink_picture(template, fit, picture, known, own).astype(int)
    unpainted = blink_picture(template, fit, picture, known, 0 * own).astype(int)
    lid = template.blink_xy[lowered_by_blink(template) > 0.004].astype(int)
    lid = lid[((lid >= 0) & (lid < [closed.shape[1], closed.shape[0]])).all(1)]
    blue, before = (p[lid[:, 1], lid[:, 0], 2] > p[lid[:, 1], lid[:, 0], 0] for p in (closed, unpainted))
    # vertices on the very edge lie in a pixel of the lower lid
    assert before.mean() > 0.3
    assert blue.mean() < 0.25 * before.mean()
    light = closed.mean(2) / np.mean((200, 160, 140))
    assert light.min() < LASH_LIGHT + 0.2


def test_behind_lips_and_lids_no_background_shows_even_beside_teeth_and_eyeballs() -> None:
    face, template = turned(12.0), lined(load_template())
    fit = with_teeth(template, fit_template(template, face.points, face.blendshapes))
    posed = fit.neutral.copy()
    posed[template.active] += np.tensordot(weight_vector(VISEME_WEIGHTS["E"]), fit.deltas, 1)
    skin = template.triangles[template.kind == SKIN]
    first = len(load_template().vertices)
    fans = template.triangles[template.triangles.min(1) >= first]

    def drawn(triangles: NDArray[np.int32]) -> NDArray[np.uint8]:
        return Seen(posed[:, :2], posed[:, 2], triangles, 900, 900).covered.astype(np.uint8)

    outlines, _ = cv2.findContours(drawn(skin), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros((900, 900), np.uint8)
    cv2.drawContours(whole, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    openings = (whole > drawn(skin)).sum()
    assert openings > 2000
    assert (whole > drawn(np.concatenate([skin, fans]))).sum() < 0.01 * openings
    # nor does the lining look out beside the face
    assert (drawn(fans) > whole).sum() == 0


def test_a_lining_stays_behind_teeth_and_eyeballs() -> None:
    template = load_template()
    whole = lined(template)
    first = len(template.vertices)
    assert (whole.vertices[:first] == template.vertices).all()
    fan = whole.vertices[first:]
    teeth = template.vertices[template.lip_upper]
    mouth, left, right = np.split(fan, 3)
    assert mouth[:, 1].min() > teeth[:, 1].max() + 0.02
    for eye, own in ((template.eyes[0], left), (template.eyes[1], right)):
        assert (own[:, 1] > eye[1]).all()
        assert np.linalg.norm(own[1:, [0, 2]] - eye[[0, 2]], axis=1).min() > eye[3]


def test_the_mouth_in_a_grey_photo_is_grey() -> None:
    template = load_template()
    seen = Seen(template.mouth_xy, template.vertices[:, 1], template.triangles, 200, 200)
    grey, skin = np.full((200, 200, 3), 150, np.uint8), np.full((200, 200, 3), (190, 150, 130), np.uint8)
    assert np.ptp(_lit_teeth(template, grey, seen), axis=2).max() == 0
    assert np.ptp(_lit_teeth(template, skin, seen), axis=2).max() > 40
