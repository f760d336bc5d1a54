from pathlib import Path

import numpy as np
import pytest

from avatar.bake.compile_rig import compile_rig
from avatar.errors import RigError
from avatar.rig import BUILTIN, load_rig

BAKE = Path(__file__).parents[3] / "shared" / "prototype" / "avatar"


@pytest.mark.data
@pytest.mark.skipif(
    not (BAKE / "bake" / "mesh.npz").is_file(), reason="needs the Blender bake in ../shared/prototype"
)
def test_compiling_the_bake_gives_the_shipped_rig(tmp_path: Path) -> None:
    compile_rig(BAKE / "bake", BAKE / "work" / "hair.npz", tmp_path / "mira", "mira", "Mira")
    made, shipped = load_rig(tmp_path / "mira"), load_rig(BUILTIN / "mira")
    assert made.manifest == shipped.manifest
    assert np.array_equal(made.triangles, shipped.triangles)
    # another processor may round the last bit differently
    for name in ("vertices", "deltas", "uv", "maps"):
        assert np.allclose(getattr(made, name), getattr(shipped, name), atol=2e-3), name
    for name in ("atlas", "hair", "cloth", "behind"):
        difference = np.abs(getattr(made, name).astype(int) - getattr(shipped, name))
        assert difference.mean() < 0.05, name


def test_a_bake_without_pictures_is_refused(tmp_path: Path) -> None:
    from avatar.bake.picture import read_rgba

    with pytest.raises(RigError, match=r"hair\.png.*bake"):
        read_rgba(tmp_path / "hair.png")
