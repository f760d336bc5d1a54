"""Tensor operations of the torch renderer: visibility, sampling and layers of a whole batch at once.

Everything is sort-free: triangles are sown over the pixels of their bounding boxes in classes of box size,
and the nearest one stays by an atomic minimum over depth and number in one integer. Shapes: B frames,
H × W pixels, T triangles. Colours are float32 from 0 to 255, premultiplied RGBA.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

torch: Any = import_module("torch")
Tensor = Any

EDGE = 1e-4
"""Barycentric slack, as in `raster`."""
FLAT = -1e-6
EMPTY = (1 << 63) - 1
"""What stands in a visibility buffer where nothing was drawn."""
BOX_CLASSES_PX = (2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 512, 2048)
"""Sides of the boxes in which triangles are sown: the finer the steps, the fewer pixels are tried in vain."""
AT_ONCE = 1 << 25
"""Pixels tried in one go: bounds the memory to about 2 GB."""


def visible(
    xy: Tensor, depth: Tensor, triangles: Tensor, corner: Tensor, zoom: int, high: int, wide: int
) -> Tensor:
    """The nearest triangle of each pixel, int64[B, high · wide]: depth's bits, then the index in `triangles`.

    Args:
        xy: float32[B, V, 2], pixels of the picture.
        depth: float32[B, V], positive.
        triangles: int64[T, 3].
        corner: float32[B, 2], the picture's pixel that becomes the buffer's corner.
        zoom: pixels of the buffer to one of the picture.
        high, wide: size of the buffer.
    """
    batch = xy.shape[0]
    at = ((xy - corner[:, None]) * zoom)[:, triangles]
    x, y = at[..., 0], at[..., 1]
    area = (x[..., 1] - x[..., 0]) * (y[..., 2] - y[..., 0]) - (x[..., 2] - x[..., 0]) * (
        y[..., 1] - y[..., 0]
    )
    first_x = torch.ceil(x.amin(-1) - 0.5).clamp(min=0).int()
    last_x = torch.floor(x.amax(-1) - 0.5).clamp(max=wide - 1).int()
    first_y = torch.ceil(y.amin(-1) - 0.5).clamp(min=0).int()
    last_y = torch.floor(y.amax(-1) - 0.5).clamp(max=high - 1).int()
    side = torch.maximum(last_x - first_x, last_y - first_y) + 1
    shown = (area < FLAT) & (last_x >= first_x) & (last_y >= first_y)
    side = torch.where(shown, side, 0)
    buffer = torch.full((batch * high * wide,), EMPTY, dtype=torch.int64, device=xy.device)
    smaller = 0
    for box in BOX_CLASSES_PX:
        frame, number = torch.nonzero((side > smaller) & (side <= box), as_tuple=True)
        smaller = box
        step = max(AT_ONCE // (box * box), 1)
        for begin in range(0, len(frame), step):
            b, t = frame[begin : begin + step], number[begin : begin + step]
            _sow(
                buffer, b, t, at, depth, triangles, area, (first_x, first_y, last_x, last_y), box, high, wide
            )
    return buffer.view(batch, high * wide)


def _sow(
    buffer: Tensor, b: Tensor, t: Tensor, at: Tensor, depth: Tensor, triangles: Tensor, area: Tensor,
    bounds: tuple[Tensor, Tensor, Tensor, Tensor], box: int, high: int, wide: int,
) -> None:  # fmt: skip
    first_x, first_y, last_x, last_y = (bound[b, t][:, None, None] for bound in bounds)
    span = torch.arange(box, device=buffer.device, dtype=torch.int32)
    px, py = first_x + span[None, None, :], first_y + span[None, :, None]
    corners = at[b, t]
    w1, w2 = barycentric(corners, area[b, t], px, py)
    z = depth[b[:, None], triangles[t]][:, :, None, None]
    near = z[:, 0] + w1 * (z[:, 1] - z[:, 0]) + w2 * (z[:, 2] - z[:, 0])
    hit = (w1 >= -EDGE) & (w2 >= -EDGE) & (w1 + w2 <= 1 + EDGE) & (px <= last_x) & (py <= last_y)
    where = (b[:, None, None] * high + py) * wide + px
    packed = (near.contiguous().view(torch.int32).long() << 32) | t[:, None, None]
    buffer.scatter_reduce_(0, where[hit], packed[hit], "amin")


def barycentric(corners: Tensor, area: Tensor, px: Tensor, py: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of the second and third corner (float32[n, 3, 2]) at the centres of pixels [n, …]."""
    more = (slice(None),) + (None,) * (px.dim() - 1)
    x, y = corners[..., 0], corners[..., 1]
    scale = 1 / area
    dx, dy = px + 0.5 - x[:, 0][more], py + 0.5 - y[:, 0][more]
    w1 = dx * ((y[:, 2] - y[:, 0]) * scale)[more] + dy * ((x[:, 0] - x[:, 2]) * scale)[more]
    w2 = dx * ((y[:, 0] - y[:, 1]) * scale)[more] + dy * ((x[:, 1] - x[:, 0]) * scale)[more]
    return w1, w2


def bilinear(picture: Tensor, wide: int, u: Tensor, v: Tensor, base: Tensor | int = 0) -> Tensor:
    """Texels float32[n, C] at (u, v) of a flat picture [·, C] whose rows are `wide`, from index `base` on."""
    iu, iv = u.long(), v.long()
    fu, fv = (u - iu)[:, None], (v - iv)[:, None]
    index = base + iv * wide + iu
    top = torch.lerp(picture[index].float(), picture[index + 1].float(), fu)
    low = torch.lerp(picture[index + wide].float(), picture[index + wide + 1].float(), fu)
    return torch.lerp(top, low, fv)


def over(picture: Tensor, layer: Tensor) -> Tensor:
    """A premultiplied layer [..., 4] laid over a picture."""
    return layer + picture * (1 - layer[..., 3:] / 255)


def soften(picture: Tensor, behind: Tensor, covered: Tensor) -> Tensor:
    """The face [B, H, W, 4] blended into what is behind it along its outline, as `outline.soften` does."""
    mask = covered.float()[:, None]
    line = torch.tensor([1.0, 2.0, 1.0], device=picture.device)
    tent = (line[:, None] * line)[None, None]
    conv = torch.nn.functional.conv2d
    share = conv(mask, tent, padding=1)[:, 0, :, :, None]
    planes = (picture * covered[..., None]).permute(0, 3, 1, 2).reshape(-1, 1, *covered.shape[1:])
    near = conv(planes, tent, padding=1).reshape(-1, 4, *covered.shape[1:]).permute(0, 2, 3, 1)
    face = torch.where(covered[..., None], picture * share, near)
    mixed = (face + (16 - share) * behind) / 16
    rim = mask.new_zeros(mask.shape, dtype=torch.bool)[:, 0]
    rim[:, :, 1:] |= covered[:, :, 1:] != covered[:, :, :-1]
    rim[:, :, :-1] |= covered[:, :, 1:] != covered[:, :, :-1]
    rim[:, 1:] |= covered[:, 1:] != covered[:, :-1]
    rim[:, :-1] |= covered[:, 1:] != covered[:, :-1]
    return torch.where(rim[..., None], mixed, picture)


def strokes(lines: Tensor, thickness: float, high: int, wide: int) -> Tensor:
    """Opacity float32[B, H, W] of tapering polylines float32[B, n, k, 2]; overlapping lines do not add up."""
    batch, _, points, _ = lines.shape
    taper = thickness * (1 - 0.75 * torch.arange(points - 1, device=lines.device) / (points - 1))
    a, b = lines[:, :, :-1].reshape(batch, -1, 2), lines[:, :, 1:].reshape(batch, -1, 2)
    radius = taper.expand(lines.shape[1], -1).reshape(-1)[None, :, None, None]
    longest = int((b - a).abs().max().ceil()) + 2 * int(thickness + 2) + 1
    first = torch.floor(torch.minimum(a, b) - thickness - 1).long()
    span = torch.arange(longest, device=lines.device)
    px = (first[..., 0, None, None] + span[None, None, None, :]).expand(-1, -1, longest, -1)
    py = (first[..., 1, None, None] + span[None, None, :, None]).expand(-1, -1, -1, longest)
    d = (b - a)[:, :, None, None]
    q = torch.stack([px + 0.5, py + 0.5], -1) - a[:, :, None, None]
    t = ((q * d).sum(-1) / ((d * d).sum(-1) + 1e-9)).clamp(0, 1)
    away = (q - t[..., None] * d).norm(dim=-1)
    alpha = torch.minimum((radius + 0.5 - away).clamp(0, 1), radius * 2)
    inside = (px >= 0) & (py >= 0) & (px < wide) & (py < high) & (alpha > 0)
    frame = torch.arange(batch, device=lines.device)[:, None, None, None]
    where = (frame * high + py) * wide + px
    mask = torch.zeros(batch * high * wide, device=lines.device)
    mask.scatter_reduce_(0, where[inside], alpha[inside], "amax")
    return mask.view(batch, high, wide)


def lift(layer: Tensor, raised: Tensor, rows: int) -> Tensor:
    """The first `rows` rows of a layer [h, W, 4], raised by float32[B] ≥ 0 pixels, from one row above on."""
    at = torch.arange(-3, rows, device=layer.device)[None] + raised[:, None]
    whole = at.floor()
    part = (at - whole)[..., None, None]
    padded = torch.nn.functional.pad(layer, (0, 0, 0, 0, 4, 0))
    upper = (whole.long() + 4).clamp(0, len(padded) - 1)
    lower = (upper + 1).clamp(max=len(padded) - 1)
    return torch.lerp(padded[upper], padded[lower], part)


def drape(layer: Tensor, shift: Tensor, cell: tuple[float, float, float]) -> Tensor:
    """A layer [H, W, 4] moved by grids of pixel shifts float32[B, G, G, 2], as `overlay.drape` moves it."""
    high, wide, _ = layer.shape
    nodes, device = shift.shape[1], shift.device
    x = torch.arange(wide, device=device, dtype=torch.float32)
    y = torch.arange(high, device=device, dtype=torch.float32)
    gx = ((x + 0.5 - cell[0]) / cell[2]).clamp(0, nodes - 1) / (nodes - 1) * 2 - 1
    gy = ((y + 0.5 - cell[1]) / cell[2]).clamp(0, nodes - 1) / (nodes - 1) * 2 - 1
    sample = torch.nn.functional.grid_sample
    grid = torch.stack([gx[None].expand(high, -1), gy[:, None].expand(-1, wide)], -1)
    grid = grid[None].expand(len(shift), -1, -1, -1)
    moved = sample(shift.permute(0, 3, 1, 2), grid, "bilinear", "border", align_corners=True)
    u = (x[None, None] - moved[:, 0]) / (wide - 1) * 2 - 1
    v = (y[None, :, None] - moved[:, 1]) / (high - 1) * 2 - 1
    source = layer.permute(2, 0, 1)[None].expand(len(shift), -1, -1, -1)
    shown = sample(source, torch.stack([u, v], -1), "bilinear", "border", align_corners=True)
    return shown.permute(0, 2, 3, 1)
