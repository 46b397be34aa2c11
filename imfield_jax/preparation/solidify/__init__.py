"""Solid voxels from artists' meshes: closed or open, double-sided, inside out, in pieces.

solid          the entry point: `solidify(scene) -> Solid`, choice of path and report
topology       welding, duplicates, closed patches
exact, winding closed meshes: integer winding numbers by column crossings
robust, visibility, hidden
               everything else: orientation by visibility from outside, generalised winding number
               (Jacobson et al. 2013), hidden volume, sheets and rods
voxelise, regions, depth_maps
               grids: surface voxels, connected regions, views
report         figures and warnings per mesh
"""

from imfield_jax.preparation.solidify.solid import Solid, solidify

__all__ = ["Solid", "solidify"]
