"""Peak throughput of the machine: dense matrix products by optimised libraries."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

_SIZE = 2048
_PRODUCT = """
import time
{setup}
product()
seconds = []
for _ in range({rounds}):
    start = time.perf_counter()
    product()
    seconds.append(time.perf_counter() - start)
print(2 * {size} ** 3 / min(seconds) / 1e9)
"""
_NUMPY = "import numpy as np; a = np.random.rand({size}, {size}).astype(np.float32); product = lambda: a @ a"
_TORCH = "import torch; a = torch.rand({size}, {size}).to(torch.{dtype}); product = lambda: a @ a"
# OpenBLAS selects its kernel at start-up, and does not know every processor.
_KERNELS = ("", "Haswell", "Zen", "SkylakeX", "Cooperlake")


def matrix_peaks(rounds: int = 7) -> dict[str, float]:
    """GFLOP/s of products of square matrices, by library, kernel and dtype, each the fastest of its process."""
    forms = {f"numpy float32 {kernel}".strip(): (_NUMPY, "", kernel) for kernel in _KERNELS}
    if importlib.util.find_spec("torch"):
        forms |= {f"torch {dtype}": (_TORCH, dtype, "") for dtype in ("float32", "bfloat16")}
    peaks = {}
    for name, (setup, dtype, kernel) in forms.items():
        program = _PRODUCT.format(setup=setup.format(size=_SIZE, dtype=dtype), rounds=rounds, size=_SIZE)
        environment = {**os.environ, **({"OPENBLAS_CORETYPE": kernel} if kernel else {})}
        process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
        if process.returncode == 0:  # a kernel that the processor cannot run kills the process
            peaks[name] = float(process.stdout)
    return peaks
