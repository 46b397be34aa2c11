"""File suffixes of mesh formats: supported ones, and others that are recognised by name."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl", ".off", ".3mf", ".dae", ".ac", ".binvox")

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4")
_UNREADABLE = {
    ".fbx": "Autodesk FBX",
    ".blend": "Blender file",
    ".blend1": "Blender backup",
    ".usd": "USD",
    ".usda": "USD",
    ".usdc": "USD",
    ".usdz": "USD",
    ".step": "STEP",
    ".stp": "STEP",
    ".iges": "IGES",
    ".igs": "IGES",
    ".brep": "Open CASCADE shape",
    ".fcstd": "FreeCAD file",
    ".sldprt": "SolidWorks part",
    ".f3d": "Fusion design",
    ".3dm": "Rhino file",
    ".skp": "SketchUp file",
    ".dwg": "AutoCAD drawing",
    ".dxf": "AutoCAD drawing",
    ".max": "3ds Max file",
    ".3ds": "3D Studio mesh",
    ".c4d": "Cinema 4D file",
    ".ma": "Maya file",
    ".mb": "Maya file",
    ".lwo": "LightWave object",
    ".abc": "Alembic",
    ".x": "DirectX mesh",
    ".x3d": "X3D",
    ".x3db": "X3D",
    ".x3dv": "X3D",
    ".wrl": "VRML",
    ".vrml": "VRML",
    ".amf": "AMF",
    ".vox": "MagicaVoxel file",
    ".vrm": "VRM avatar",
    ".b3dm": "3D Tiles batch",
    ".drc": "Draco mesh",
    ".ctm": "OpenCTM mesh",
    ".md2": "Quake model",
    ".md3": "Quake model",
    ".mdl": "game model",
    ".iv": "Open Inventor",
    ".vtk": "VTK mesh",
    ".vtp": "VTK mesh",
    ".vtu": "VTK mesh",
    ".msh": "Gmsh mesh",
    ".mesh": "Medit or Ogre mesh",
    ".meshb": "Medit mesh",
    ".splat": "Gaussian splats",
    ".spz": "Gaussian splats",
    ".xaml": "XAML model",
    ".pmx": "MikuMikuDance model",
    ".pmd": "MikuMikuDance model",
    ".ifc": "IFC building model",
}


def unreadable_kind(path: str | Path) -> str | None:
    """The unsupported mesh format of a file, by its name: "Autodesk FBX", "compressed PLY".

    None for supported formats and for unknown ones. Convert such files to GLB or OBJ.
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if not suffixes:
        return None
    if suffixes[-1] in _COMPRESSED and len(suffixes) > 1 and (suffixes[-2] in SUFFIXES or suffixes[-2] in _UNREADABLE):
        return f"compressed {suffixes[-2][1:].upper()}"
    return _UNREADABLE.get(suffixes[-1])
