"""3MF files, the format of slicers that has units: the core specification, one object, in millimetres.

Written here because trimesh puts random identifiers into each file; these have the same bytes for the same mesh.
"""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import quoteattr

import numpy as np

from imfield_jax.types import Mesh

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
</Types>
"""
_RELATIONS = """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Target="/3D/3dmodel.model" Id="model" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>
</Relationships>
"""
_MODEL = """<model unit="millimeter" xml:lang="en-US" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">
<metadata name="Application">imfield_jax</metadata>
<resources><object id="1" type="model" name={name}><mesh>
<vertices>
{vertices}</vertices>
<triangles>
{triangles}</triangles>
</mesh></object></resources>
<build><item objectid="1"/></build>
</model>
"""
_VERTEX = '<vertex x="%.9g" y="%.9g" z="%.9g"/>\n'  # nine digits hold a float32 exactly
_TRIANGLE = '<triangle v1="%d" v2="%d" v3="%d"/>\n'
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can have


def encode_3mf(mesh: Mesh, name: str) -> bytes:
    """A file of a closed mesh in millimetres, z up."""
    model = _MODEL.format(
        name=quoteattr(name), vertices=_rows(_VERTEX, mesh.vertices), triangles=_rows(_TRIANGLE, mesh.faces)
    )
    members = {"[Content_Types].xml": _TYPES, "_rels/.rels": _RELATIONS, "3D/3dmodel.model": model}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for path, text in members.items():
            member = zipfile.ZipInfo(path, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(member, _HEAD + text)
    return file.getvalue()


def _rows(row: str, values: np.ndarray) -> str:
    return row * len(values) % tuple(values.ravel().tolist())
