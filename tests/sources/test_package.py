"""Meshes from a Debian package."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from imfield_jax.sources import package


class Client:
    """A fake of apt-get and dpkg-deb: records commands, provides a file, unpacks it as a folder."""

    def __init__(self, monkeypatch, content=b"a package", fails=(), missing=()):
        self.commands, self.content, self.fails = [], content, fails
        monkeypatch.setattr(package.subprocess, "run", self.run)
        monkeypatch.setattr(package.shutil, "which", lambda name: None if name in missing else f"/usr/bin/{name}")

    def run(self, command, cwd=None, **_):
        self.commands.append(command[0])
        if command[0] in self.fails:
            return subprocess.CompletedProcess(command, 100, "", "W: slow\nE: Could not resolve the host\n")
        if command[0] == "apt-get":
            (cwd / "meshes_1.0_all.deb").write_bytes(self.content)
        else:
            target = package.Path(command[3])
            target.mkdir()
            (target / "mesh.obj").write_text("v 0 0 0")
        return subprocess.CompletedProcess(command, 0, "", "")


SUM = hashlib.sha256(b"a package").hexdigest()


def test_a_package_is_fetched_checked_and_unpacked_once(tmp_path, monkeypatch):
    client = Client(monkeypatch)
    cache = tmp_path / "new" / "cache"
    for _ in range(2):
        unpacked = package.obtain("meshes", SUM, cache)
        assert (unpacked / "mesh.obj").is_file()
    assert client.commands == ["apt-get", "dpkg-deb"]
    assert list(cache.iterdir()) == [unpacked]  # the temporary folder is gone


def test_a_package_file_or_folder_given_by_the_user_is_used(tmp_path, monkeypatch):
    client = Client(monkeypatch, missing=("apt-get",))
    (tmp_path / "meshes_1.0_all.deb").write_bytes(b"a package")
    assert (package.obtain("meshes", SUM, tmp_path) / "mesh.obj").is_file()
    (tmp_path / "other").mkdir()
    assert package.obtain("other", SUM, tmp_path) == tmp_path / "other"
    assert client.commands == ["dpkg-deb"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"missing": ("apt-get",)}, "expected the program apt-get, found none on this machine"),
        ({"fails": ("apt-get",)}, "Could not resolve the host"),
        ({"missing": ("dpkg-deb",)}, "expected the program dpkg-deb"),
        ({"fails": ("dpkg-deb",)}, "dpkg-deb -x"),
    ],
)
def test_without_a_client_or_a_network_the_error_names_the_file_to_provide(tmp_path, monkeypatch, options, message):
    Client(monkeypatch, **options)
    with pytest.raises(OSError, match=message) as caught:
        package.obtain("meshes", SUM, tmp_path)
    text = str(caught.value)
    assert f"meshes_*.deb (sha256 {SUM})" in text and str(tmp_path) in text and "\n" not in text
    assert not any(tmp_path.iterdir())


def test_a_file_with_another_checksum_is_refused(tmp_path, monkeypatch):
    Client(monkeypatch, content=b"tampered")
    with pytest.raises(ValueError, match=f"expected sha256 {SUM}"):
        package.obtain("meshes", SUM, tmp_path)
    assert not any(tmp_path.iterdir())
