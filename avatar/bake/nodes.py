"""Small helpers over Blender's Python interface: meshes, curves and shader nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
"""Linear RGB in [0, 1]."""


def add_mesh(
    name: str,
    points: NDArray[Any],
    faces: Sequence[Sequence[int]],
    material: Any,
    uv: NDArray[Any] | None = None,
    levels: int = 0,
) -> Any:
    """A smooth mesh object in the scene; `uv` has one row a face corner, `levels` subdivides."""
    import bpy

    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.asarray(points).tolist(), [], [list(map(int, face)) for face in faces])
    if uv is not None:
        mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", np.asarray(uv, np.float32).ravel())
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    if levels:
        subdivision = thing.modifiers.new("subdivision", "SUBSURF")
        subdivision.levels = subdivision.render_levels = levels
    return thing


def add_attribute(thing: Any, name: str, values: NDArray[Any]) -> None:
    """A per-vertex attribute: float[n], or float[n, 3] as a vector."""
    kind, field = ("FLOAT", "value") if values.ndim == 1 else ("FLOAT_VECTOR", "vector")
    data = thing.data.attributes.new(name, kind, "POINT").data
    data.foreach_set(field, np.asarray(values, np.float32).ravel())


def add_curves(
    name: str, strands: NDArray[Any], radius: tuple[float, float], material: Any, taper: float = 0.6
) -> Any:
    """Hair strands float[n, k, 3] in metres, from root to tip radius."""
    import bpy

    count, points, _ = strands.shape
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([points] * count)
    curves.points.foreach_set("position", strands.astype(np.float32).ravel())
    along = np.linspace(1, 0, points) ** taper * (radius[0] - radius[1]) + radius[1]
    curves.points.foreach_set("radius", np.tile(along, count).astype(np.float32))
    curves.materials.append(material)
    thing = bpy.data.objects.new(name, curves)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def evaluated(thing: Any) -> Any:
    """The mesh of an object after its modifiers."""
    import bpy

    graph = bpy.context.evaluated_depsgraph_get()
    return bpy.data.meshes.new_from_object(thing.evaluated_get(graph))


def points_of(mesh: Any) -> NDArray[np.float64]:
    """Vertices float64[n, 3] of a Blender mesh."""
    flat = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def quads_of(mesh: Any) -> NDArray[np.int64]:
    """Faces int64[n, 4] of a Blender mesh that was subdivided (all quads)."""
    flat = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", flat)
    return flat.reshape(-1, 4).astype(np.int64)


class Shader:
    """A material under construction; sockets are passed on as they are, numbers as default values."""

    def __init__(self, name: str) -> None:
        import bpy

        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()
        self.output = self.tree.nodes.new("ShaderNodeOutputMaterial")

    def node(self, kind: str, inputs: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        """A node of type ShaderNode<kind> with inputs by name."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for field, value in fields.items():
            setattr(node, field, value)
        for name, value in (inputs or {}).items():
            self.feed(node.inputs[name], value)
        return node

    def feed(self, socket: Any, value: Any) -> None:
        """Connect a socket, or set its default value (colours may be RGB)."""
        if hasattr(value, "is_linked"):
            self.tree.links.new(value, socket)
        elif isinstance(value, tuple) and len(value) == 3 and socket.type == "RGBA":
            socket.default_value = (*value, 1.0)
        else:
            socket.default_value = value

    def math(self, operation: str, a: Any, b: Any = 0.0, clamp: bool = False) -> Any:
        """a ⟨operation⟩ b, e.g. "MULTIPLY"."""
        node = self.node("Math", operation=operation, use_clamp=clamp)
        self.feed(node.inputs[0], a)
        self.feed(node.inputs[1], b)
        return node.outputs[0]

    def mix(self, share: Any, a: Any, b: Any, blend: str = "MIX") -> Any:
        """Colour a moved toward b by `share`."""
        node = self.node("Mix", data_type="RGBA", blend_type=blend)
        for identifier, value in (("Factor_Float", share), ("A_Color", a), ("B_Color", b)):
            self.feed(next(i for i in node.inputs if i.identifier == identifier), value)
        return next(o for o in node.outputs if o.identifier == "Result_Color")

    def ramp(self, value: Any, low: float, high: float, to_low: float = 0.0, to_high: float = 1.0) -> Any:
        """Clamped linear map of [low, high] to [to_low, to_high]."""
        inputs = {"Value": value, "From Min": low, "From Max": high, "To Min": to_low, "To Max": to_high}
        return self.node("MapRange", inputs).outputs[0]

    def attribute(self, name: str, output: str = "Fac") -> Any:
        """A per-vertex attribute; output "Vector" for vectors."""
        return self.node("Attribute", attribute_name=name).outputs[output]

    def noise(self, at: Any, scale: float, detail: float = 3.0) -> Any:
        """Noise around 0.5 with `scale` features a metre."""
        return self.node("TexNoise", {"Vector": at, "Scale": scale, "Detail": detail}).outputs[0]

    def picture(self, path: Path) -> Any:
        """A grey picture over the UV map."""
        import bpy

        node = self.node("TexImage")
        node.image = bpy.data.images.load(str(path), check_existing=True)
        node.image.colorspace_settings.name = "Non-Color"
        return node.outputs["Color"]

    def finish(self, surface: Any) -> Any:
        """Connect the surface and give the material back."""
        self.feed(self.output.inputs["Surface"], surface)
        return self.material


def plain(name: str, colour: Colour, roughness: float, **inputs: float) -> Any:
    """A one-colour material; keywords are inputs with _ for blanks."""
    shader = Shader(name)
    values = {key.replace("_", " "): value for key, value in inputs.items()}
    node = shader.node("BsdfPrincipled", {"Base Color": colour, "Roughness": roughness, **values})
    return shader.finish(node.outputs[0])
