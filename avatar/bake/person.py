"""The people that ship with Visavis, as data: shape, skin, eyes, hair and clothes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from avatar.errors import RigError

Colour = tuple[float, float, float]
"""Linear RGB in [0, 1], as Blender takes it."""


@dataclass(frozen=True, slots=True)
class Skin:
    """How skin looks; shares are in [0, 1]."""

    base: Colour
    flush: Colour
    """Colour of cheeks, nose tip and ears."""
    lips: Colour
    lids: Colour
    flush_share: float = 0.45
    lips_share: float = 0.7
    lines: float = 0.0
    """Depth of the lines of age."""
    spots: float = 0.2
    stubble: float = 0.0
    """Darkening of a shaved chin."""
    roughness: float = 0.54


@dataclass(frozen=True, slots=True)
class Hair:
    """What grows on the head."""

    style: Literal["buzz", "crop", "tied"]
    melanin: float
    redness: float
    hairline_m: tuple[float, ...]
    """Height of the hairline over the eyes at the azimuths of `hair.AZIMUTHS_DEG`."""
    cap: Colour
    """Colour of the scalp under the hair."""
    strands: int
    length_m: float
    part_m: float = 0.0
    """Where the parting lies, positive on the person's left."""
    volume_m: float = 0.006
    grey: float = 0.0
    """Share of white strands."""
    beard_m: float = 0.0
    """Length of the beard; 0: none."""
    rim: float = 1.0
    """Share of the light from behind that falls on it: on sleek dark hair all of it looks like a pale rim."""


@dataclass(frozen=True, slots=True)
class Brows:
    """The shape of an eyebrow: heights and half thickness in metres over the eye, from inner to outer end."""

    heights_m: tuple[float, float, float, float, float] = (0.0205, 0.0232, 0.0252, 0.0236, 0.0175)
    half_m: tuple[float, float, float, float, float] = (0.0030, 0.0034, 0.0030, 0.0021, 0.0009)
    strands: int = 700
    colour: Colour = (0.030, 0.018, 0.013)
    radius_m: float = 0.00008


@dataclass(frozen=True, slots=True)
class Outfit:
    """What is worn; colours are linear RGB."""

    kind: Literal["suit", "blazer", "cardigan"]
    jacket: Colour
    shirt: Colour
    tie: Colour | None = None
    weave: float = 0.25
    pad_m: float = 0.012
    """How far the shoulders are built up."""


@dataclass(frozen=True, slots=True)
class Person:
    """One rig to be."""

    name: str
    title: str
    shape: tuple[tuple[str, float], ...]
    skin: Skin
    iris: Colour
    hair: Hair
    brows: Brows
    outfit: Outfit
    lash_length: float = 1.0
    key_light: float = 1.0
    """Dark skin takes a little more light."""
    voice: str = ""
    """espeak-ng variant that suits the face; empty: the engine's own, a woman's."""
    jaw_reach: float = 1.0
    """How far the mouth opens: a wide one opens farther for the same vowel."""


MIRA = Person(
    name="mira",
    title="Mira",
    shape=(
        ("macrodetails/universal-female-young-averagemuscle-averageweight", 1.0),
        ("macrodetails/caucasian-female-young", 0.55), ("macrodetails/asian-female-young", 0.20),
        ("macrodetails/african-female-young", 0.25),
        ("macrodetails/proportions/female-young-averagemuscle-averageweight-idealproportions", 0.6),
        ("head/head-oval", 0.75), ("head/head-scale-horiz-decr", 0.2), ("mouth/mouth-angles-up", 0.6),
        ("mouth/mouth-scale-horiz-decr", 0.15), ("ears/-ear-wing-decr", 0.3), ("head/head-fat-decr", 0.2),
        ("eyes/-eye-scale-incr", 0.25), ("eyes/-eye-height2-incr", 0.45), ("eyes/-eye-height1-incr", 0.2),
        ("nose/nose-scale-horiz-decr", 0.42), ("nose/nose-volume-decr", 0.3),
        ("nose/nose-width3-decr", 0.22), ("nose/nose-hump-incr", 0.12), ("nose/nose-point-width-decr", 0.3),
        ("mouth/mouth-lowerlip-volume-incr", 0.35), ("mouth/mouth-upperlip-volume-incr", 0.3),
        ("chin/chin-width-decr", 0.3), ("cheek/-cheek-bones-incr", 0.3),
        ("neck/measure-neck-height-incr", 0.4), ("neck/neck-scale-horiz-decr", 0.2),
    ),
    skin=Skin(
        base=(0.57, 0.320, 0.200), flush=(0.66, 0.24, 0.17), lips=(0.50, 0.135, 0.11),
        lids=(0.40, 0.20, 0.14), flush_share=0.42, lips_share=0.72, spots=0.20,
    ),
    iris=(0.11, 0.052, 0.020),
    hair=Hair(
        style="tied", melanin=0.84, redness=0.30, strands=44000, length_m=0.19, part_m=0.022, volume_m=0.011,
        hairline_m=(0.060, 0.055, 0.033, 0.000, -0.018, -0.014, -0.014, -0.028, -0.058, -0.064),
        cap=(0.020, 0.011, 0.007), rim=0.25,
    ),
    brows=Brows(),
    outfit=Outfit(kind="blazer", jacket=(0.016, 0.028, 0.060), shirt=(0.74, 0.70, 0.64), pad_m=0.010),
)  # fmt: skip

KOFI = Person(
    name="kofi",
    title="Kofi",
    shape=(
        ("macrodetails/universal-male-young-averagemuscle-averageweight", 1.0),
        ("macrodetails/african-male-young", 0.85), ("macrodetails/caucasian-male-young", 0.15),
        ("macrodetails/proportions/male-young-averagemuscle-averageweight-idealproportions", 0.5),
        ("head/head-oval", 0.3), ("mouth/mouth-angles-up", 0.3),
        ("nose/nose-scale-horiz-decr", 0.35), ("nose/nose-width3-decr", 0.25),
        ("eyes/-eye-height2-incr", 0.3), ("mouth/mouth-scale-vert-decr", 0.2),
        ("cheek/-cheek-bones-incr", 0.2), ("neck/measure-neck-height-incr", 0.6),
    ),
    skin=Skin(
        base=(0.165, 0.082, 0.048), flush=(0.20, 0.075, 0.044), lips=(0.19, 0.070, 0.055),
        lids=(0.10, 0.045, 0.026), flush_share=0.35, lips_share=0.55, spots=0.25, stubble=0.6,
        roughness=0.53,
    ),
    iris=(0.040, 0.018, 0.008),
    hair=Hair(
        style="buzz", melanin=1.0, redness=0.0, strands=70000, length_m=0.007,
        hairline_m=(0.058, 0.057, 0.053, 0.048, 0.014, -0.004, -0.012, -0.030, -0.058, -0.062),
        cap=(0.010, 0.008, 0.007), beard_m=0.0022,
    ),
    brows=Brows(
        heights_m=(0.0172, 0.0202, 0.0228, 0.0220, 0.0168), half_m=(0.0034, 0.0038, 0.0034, 0.0026, 0.0012),
        strands=1100, colour=(0.010, 0.008, 0.007), radius_m=0.00010,
    ),
    outfit=Outfit(
        kind="suit", jacket=(0.020, 0.022, 0.030), shirt=(0.70, 0.72, 0.76), tie=(0.090, 0.012, 0.022),
        pad_m=0.008,
    ),
    lash_length=0.65,
    key_light=1.35,
    jaw_reach=1.18,
    voice="+m3",
)  # fmt: skip

WEN = Person(
    name="wen",
    title="Wen",
    shape=(
        ("macrodetails/universal-male-old-averagemuscle-averageweight", 0.45),
        ("macrodetails/universal-male-young-averagemuscle-averageweight", 0.55),
        ("macrodetails/asian-male-old", 0.45), ("macrodetails/asian-male-young", 0.55),
        ("head/head-oval", 0.3), ("mouth/mouth-angles-up", 0.45), ("neck/measure-neck-height-incr", 0.5),
        ("eyes/-eye-height2-incr", 0.35), ("eyes/-eye-scale-incr", 0.2), ("nose/nose-scale-horiz-decr", 0.25),
    ),
    skin=Skin(
        base=(0.54, 0.325, 0.205), flush=(0.58, 0.23, 0.15), lips=(0.42, 0.16, 0.13),
        lids=(0.38, 0.21, 0.15), flush_share=0.35, lips_share=0.42, spots=0.32, lines=0.7, roughness=0.57,
        stubble=0.10,
    ),
    iris=(0.050, 0.024, 0.011),
    hair=Hair(
        style="crop", melanin=0.45, redness=0.05, strands=36000, length_m=0.075, part_m=0.030,
        volume_m=0.016, grey=0.68,
        hairline_m=(0.064, 0.062, 0.050, 0.024, -0.006, -0.016, -0.014, -0.028, -0.056, -0.062),
        cap=(0.085, 0.078, 0.074),
    ),
    brows=Brows(
        heights_m=(0.0180, 0.0205, 0.0225, 0.0212, 0.0160), half_m=(0.0027, 0.0031, 0.0028, 0.0021, 0.0009),
        strands=760, colour=(0.075, 0.068, 0.064),
    ),
    outfit=Outfit(
        kind="cardigan", jacket=(0.030, 0.045, 0.052), shirt=(0.62, 0.68, 0.74), pad_m=0.004, weave=0.6
    ),
    lash_length=0.55,
    voice="+m7",
)  # fmt: skip

PEOPLE = {person.name: person for person in (MIRA, KOFI, WEN)}


def person_named(name: str) -> Person:
    """The person of that name.

    Raises:
        RigError: nobody is called so.
    """
    try:
        return PEOPLE[name]
    except KeyError:
        raise RigError(
            f"no person {name!r}: choose one of {', '.join(PEOPLE)}, or add one to PEOPLE"
        ) from None
