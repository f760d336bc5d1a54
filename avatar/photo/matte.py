"""Where the person ends and the background begins: a soft cutout seeded by the face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import smoothstep

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

WORKING_PX = 384
"""Side of the picture in which the cut is searched; finer gives wisps and noise, not a better outline."""
ROUNDS = 6
LEAST_EDGE = 0.55
"""Share of the outline that must lie on a visible edge for the cut to be believed."""
EDGE_STEP = 9.0
"""Change of colour (Lab units across the outline) that counts as a visible edge."""
BEYOND = 0.012
"""The background is painted over the person and this much around, in picture sizes: wisps of hair go too."""
RIM = 0.004
"""Width along the outline, in picture sizes, where person and background mix."""
BLUR_PX = 3.0
"""A blur this wide (standard deviation) hides that its picture was made smaller and large again."""
SOFT = 0.0035
"""Width of the soft outline in picture sizes."""


def cut_out(picture: U8, face: NDArray[np.bool_], head: F32) -> tuple[F32, float]:
    """Opacity of the person, and how far the outline can be believed.

    Args:
        picture: RGB uint8[S, S, 3].
        face: bool[S, S], where the face and neck certainly are.
        head: float32[n, 2], pixels of points on the bare head and shoulders.

    Returns:
        float32[S, S] in [0, 1], and the share (0..1) of the outline that lies on an edge of the picture.
    """
    import cv2

    size = picture.shape[0]
    k = WORKING_PX / size
    small = cv2.resize(picture, (WORKING_PX, WORKING_PX), interpolation=cv2.INTER_AREA)
    whole = cv2.resize(face.astype(np.uint8), (WORKING_PX, WORKING_PX), interpolation=cv2.INTER_AREA)
    sure = np.asarray(cv2.erode(whole, disc(0.012 * WORKING_PX)), np.uint8)
    hull: U8 = np.zeros(sure.shape, np.uint8)
    for x, y in head * k:
        cv2.circle(hull, (int(x), int(y)), int(0.02 * WORKING_PX), 1, -1)
    hull = np.asarray(cv2.morphologyEx(hull, cv2.MORPH_CLOSE, disc(0.03 * WORKING_PX)), np.uint8)
    rows = np.flatnonzero(sure.any(1))
    chin = int(rows[-1]) if len(rows) else WORKING_PX // 2
    # hair reaches beyond the skull, shoulders beyond the template's: the cut decides
    maybe = cv2.dilate(hull, disc(0.11 * WORKING_PX)) > 0
    maybe[min(chin, WORKING_PX - 1) :] = True
    mask = np.where(maybe, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    mask[cv2.dilate(hull, disc(0.02 * WORKING_PX)) > 0] = cv2.GC_PR_FGD
    core = cv2.erode(hull, disc(0.035 * WORKING_PX)) > 0
    mask[core | (sure > 0)] = cv2.GC_FGD
    # beside the head the picture's rim is background
    rim = max(int(0.012 * WORKING_PX), 2)
    upper = slice(0, int(0.5 * WORKING_PX))
    for edge in ((upper, slice(0, rim)), (upper, slice(WORKING_PX - rim, None))):
        mask[edge] = np.where(mask[edge] == cv2.GC_FGD, cv2.GC_FGD, cv2.GC_BGD)
    cv2.setRNGSeed(7)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    try:
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(lab, mask, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return np.ones((size, size), np.float32), 0.0
    person = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    opened = cv2.morphologyEx(person, cv2.MORPH_OPEN, disc(0.008 * WORKING_PX))
    person = np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc(0.012 * WORKING_PX)), np.uint8)
    count, labels = cv2.connectedComponents(person)
    if count > 2:
        core_label = np.bincount(labels[sure > 0], minlength=count)
        core_label[0] = 0
        person = (labels == int(core_label.argmax())).astype(np.uint8)
    # holes within the person are mistakes: an earring, a bright collar; a tie may end in the picture's rim
    last = np.flatnonzero(person[-1])
    if len(last):
        person[-1, last[0] : last[-1] + 1] = 1
    outlines, _ = cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(person, outlines, -1, 1, cv2.FILLED)
    trust = _edge_share(lab.astype(np.float32), person, chin)
    smooth = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 1.6)
    large = np.asarray(cv2.resize(smooth, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    # a little inside the outline, so that no background clings to the hair
    slope = SOFT * WORKING_PX / (1.6 * 2.5)
    return smoothstep(0.55 - slope, 0.55 + slope + 0.2, large), trust


def without_person(picture: U8, person: F32, where: NDArray[np.bool_]) -> U8:
    """The picture with the background spread over the person, as far as `where` says."""
    import cv2

    size = picture.shape[0]
    grown = cv2.dilate((person > 0.02).astype(np.uint8), disc(BEYOND * size))
    colour = picture.astype(np.float32)
    filled = spread(colour, (1 - grown).astype(np.float32))
    painted = (grown > 0) & where
    soft = cv2.GaussianBlur(painted.astype(np.float32), (0, 0), 0.002 * size)
    # full where the person is, soft only outward
    soft = np.where((person > 0.02) & where, 1.0, np.minimum(soft * 2, 1.0) * (soft > 0.02))[..., None]
    return np.asarray((colour * (1 - soft) + filled * soft).round().clip(0, 255), np.uint8)


def beyond_person(picture: U8, person: F32) -> U8:
    """The picture with the person's colours spread over the background, so that a mesh's rim shows skin."""
    import cv2

    inner = cv2.erode((person > 0.9).astype(np.uint8), disc(RIM * picture.shape[0]))
    if not inner.any():
        return picture
    colour = picture.astype(np.float32)
    soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 0.7 * RIM * picture.shape[0])
    share = np.where(inner > 0, 1.0, smoothstep(0.2, 0.5, np.asarray(soft, np.float32)))[..., None]
    out = colour * share + spread(colour, inner.astype(np.float32)) * (1 - share)
    return np.asarray(out.round().clip(0, 255), np.uint8)


def spread(colour: F32, have: F32) -> F32:
    """Colours float32[S, S, 3] spread from where `have` float32[S, S] is 1, near ones first."""
    size = colour.shape[0]
    rest = np.ones_like(have)
    filled = np.zeros_like(colour)
    for sigma in (0.004, 0.01, 0.025, 0.06, 0.15):
        weight = blurred(have, sigma * size)
        near = blurred(colour * have[..., None], sigma * size) / np.maximum(weight, 1e-4)[..., None]
        share = rest * np.clip(weight * 6, 0, 1)
        filled += near * share[..., None]
        rest -= share
    usual = (colour * have[..., None]).sum((0, 1)) / max(float(have.sum()), 1.0)
    return np.asarray(filled + rest[..., None] * usual, np.float32)


def blurred(picture: F32, sigma: float) -> F32:
    """A Gaussian blur of `sigma` pixels; wide ones are made of a smaller picture."""
    import cv2

    height, width = picture.shape[:2]
    less = int(sigma / BLUR_PX)
    if less < 2:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    small = cv2.resize(picture, (-(-width // less), -(-height // less)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / less)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _edge_share(lab: F32, person: U8, chin: int) -> float:
    """Share of the head's outline across which the colour changes."""
    import cv2

    inner = cv2.erode(person, disc(3))
    outer = cv2.dilate(person, disc(3))
    edge = (person - cv2.erode(person, disc(1))) > 0
    edge[chin:] = False
    edge[:2] = edge[:, :2] = edge[:, -2:] = False
    if edge.sum() < 20:
        return 0.0
    inside = _mean_of(lab, (person > 0) & (inner == 0))
    outside = _mean_of(lab, (outer > 0) & (person == 0))
    step = np.linalg.norm(inside - outside, axis=2)
    return float((step[edge] > EDGE_STEP).mean())


def _mean_of(lab: F32, where: NDArray[np.bool_]) -> F32:
    import cv2

    have = where.astype(np.float32)
    soft = cv2.GaussianBlur(lab * have[..., None], (0, 0), 2.5)
    return np.asarray(soft / np.maximum(cv2.GaussianBlur(have, (0, 0), 2.5), 1e-3)[..., None], np.float32)


def disc(radius: float) -> U8:
    """A round structuring element of a radius in pixels."""
    import cv2

    side = 2 * max(int(round(radius)), 1) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
