from importlib.util import find_spec

import numpy as np
import pytest

from avatar.errors import AvatarError
from avatar.pose import Pose
from avatar.renderer import load_renderer
from avatar.rig import load_rig
from avatar.viseme import VISEME_WEIGHTS

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed: pip install torch"
)

POSES = [
    Pose(),
    Pose({"jawOpen": 0.6, "mouthSmileLeft": 0.5}, head=(10, 6, -4), gaze=(8, -3), breath=0.8),
    Pose({**VISEME_WEIGHTS["ou"], "eyeBlinkLeft": 1.0, "eyeBlinkRight": 0.4}, head=(-9, -5, 3)),
]


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_without_torch_the_message_says_how_to_get_it() -> None:
    with pytest.raises(AvatarError, match=r"visavis\[gpu\]"):
        load_renderer(load_rig(), 128, device="cuda")


@pytest.mark.parametrize("device", ["abacus", "cuda:one", "torch-cpu:1"])
def test_an_unknown_device_is_refused(device: str) -> None:
    with pytest.raises(AvatarError, match="torch-cpu"):
        load_renderer(load_rig(), 128, device=device)


@needs_torch
@pytest.mark.parametrize("framing", ["square", "portrait"])
def test_torch_draws_what_the_loops_draw(framing: str) -> None:
    rig = load_rig()
    loops = load_renderer(rig, 256, framing=framing)  # type: ignore[arg-type]
    batch = load_renderer(rig, 256, framing=framing, device="torch-cpu")  # type: ignore[arg-type]
    difference = np.abs(loops.draw_many(POSES).astype(int) - batch.draw_many(POSES))
    assert difference.mean(axis=(1, 2, 3)).max() < 0.5
    assert (difference.max(axis=-1) > 12).mean() < 1e-3


@needs_torch
def test_torch_cuts_out_what_the_loops_cut_out() -> None:
    rig = load_rig()
    loops = load_renderer(rig, 128).draw_rgba(POSES[1]).astype(int)
    batch = load_renderer(rig, 128, device="torch-cpu").draw_rgba(POSES[1]).astype(int)
    assert (np.abs(loops[..., 3] - batch[..., 3]) > 3).mean() < 1e-3
    solid = loops[..., 3] > 128
    assert np.abs(loops - batch)[solid].mean() < 0.5


@needs_torch
def test_sessions_share_a_batch_and_keep_their_backgrounds() -> None:
    from avatar.torch_renderer import TorchRenderer, draw_together

    rig = load_rig()
    red, blue = (200, 0, 0), (0, 0, 200)
    renderers = [
        load_renderer(rig, 128, background=colour, device="torch-cpu") for colour in (red, blue, red)
    ]
    jobs = [(r, pose) for r, pose in zip(renderers, POSES, strict=True) if isinstance(r, TorchRenderer)]
    together = draw_together(jobs)
    assert [tuple(frame[2, 2]) for frame in together] == [red, blue, red]
    for frame, (renderer, pose) in zip(together, jobs, strict=True):
        assert np.abs(frame.astype(int) - renderer.draw(pose)).max() <= 1


@needs_torch
def test_frames_of_different_sizes_are_not_batched() -> None:
    from avatar.torch_renderer import TorchRenderer, draw_together

    rig = load_rig()
    jobs = [(load_renderer(rig, size, device="torch-cpu"), Pose()) for size in (128, 256)]
    with pytest.raises(AvatarError, match="one size"):
        draw_together([(r, pose) for r, pose in jobs if isinstance(r, TorchRenderer)])


@needs_torch
def test_no_poses_make_no_frames() -> None:
    assert load_renderer(load_rig(), 128, device="torch-cpu").draw_many([]).shape == (0, 128, 128, 3)
