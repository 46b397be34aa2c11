"""The import rules, checked in the source of every module: package order, no cycles, a lightweight `import`."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import imfield_jax

ROOT = Path(imfield_jax.__file__).parent
BASE = {"batches", "camera", "coordinates", "fields", "files", "framing", "images", "types"}
# What the modules of each package may import, besides their own package and BASE.
MAY_IMPORT = {
    "models": set(),
    "training": {"models"},
    "extraction": {"mesh"},
    "mesh": set(),
    "evaluation": {"mesh"},
    "sources": {"mesh"},
    "preparation": {"mesh", "sources"},
    "dataset": {"mesh", "sources", "preparation"},
    "interchange": {"mesh", "sources", "preparation", "dataset", "models"},
    "inference": {"mesh", "models", "extraction"},
    "server": {"mesh", "models", "extraction", "inference"},
    "commands": {
        "server",
        "models",
        "training",
        "extraction",
        "mesh",
        "evaluation",
        "sources",
        "preparation",
        "dataset",
    }
    | {"interchange", "inference"},
}
MODULES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
WITHOUT_JAX = [
    name for name in MODULES if name.startswith(("imfield_jax.sources", "imfield_jax.preparation"))
]  # and without Flax, which needs JAX


def package_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports anywhere, also where only a type checker looks."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name in MODULES}


IMPORTS = {module: imported(path) for module, path in MODULES.items()}


@pytest.mark.parametrize("module", [module for module in MODULES if module != "imfield_jax"])
def test_a_module_imports_only_what_is_below_it(module):
    own = package_of(module)
    allowed = BASE | MAY_IMPORT.get(own, set()) | ({own} if own in MAY_IMPORT else set())
    against = {name for name in IMPORTS[module] if package_of(name) not in allowed}
    assert not against, f"{module} may not import {', '.join(sorted(against))}"


def test_the_packages_have_an_order():
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        free = {name for name, below in MAY_IMPORT.items() if below <= done} - done
        assert free, f"a cycle among {set(MAY_IMPORT) - done}"
        done |= free


def test_no_modules_import_each_other():
    finished: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module) :], module))
        if module not in finished:
            for below in sorted(IMPORTS[module]):
                visit(below, (*path, module))
            finished.add(module)

    for module in MODULES:
        if module != "imfield_jax":  # its names are lazy
            visit(module, ())


def test_every_package_has_a_rule():
    assert {package_of(module) for module in MODULES} - {""} == {*MAY_IMPORT, *BASE}


def test_sources_and_preparation_load_no_network():
    program = f"""
import importlib, sys
for name in {WITHOUT_JAX!r}:
    importlib.import_module(name)
    heavy = [{{"jax", "flax", "tensorflow", "tensorflow_datasets"}} & set(sys.modules)]
    assert not heavy[0], f"{{name}} loads {{heavy[0]}}"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_the_library_loads_nothing_and_offers_all_names():
    program = """
import sys, imfield_jax
assert not {"jax", "flax", "numpy"} & set(sys.modules)
for name in imfield_jax.__all__:
    assert getattr(imfield_jax, name).__doc__, name
assert set(imfield_jax.__all__) <= set(dir(imfield_jax))
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = imfield_jax.nothing
