"""The HTTP API as a client sees it, with the shipped car weights at low resolutions."""

from __future__ import annotations

import io
import json
import struct
import threading
import time
import zlib

import httpx2
import numpy as np
import pytest
import trimesh
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image

from imfield_jax.inference.model import SHIPPED
from imfield_jax.server.app import create_app
from imfield_jax.server.config import Config
from imfield_jax.server.models import Models

SAMPLE = (SHIPPED / "car.png").read_bytes()
PATH = "/v1/reconstructions"


@pytest.fixture(scope="module")
def models():
    made = Models(["car"])
    made.warm_up()
    return made


@pytest.fixture(scope="module")
def client(models):
    config = Config(("car",), max_bytes=1 << 20, max_pixels=1_000_000, max_resolution=64)
    with TestClient(create_app(config, models)) as made:
        yield made


def post(client, contents=SAMPLE, query="", **form):
    form.setdefault("resolution", 32)
    return client.post(PATH + query, files={"picture": ("p.png", contents, "image/png")}, data=form)


def finished(client, job):
    deadline = time.monotonic() + 60
    while (seen := client.get(f"{PATH}/{job['id']}").json())["state"] in ("waiting", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return seen


def test_one_request_makes_a_mesh_of_a_picture(client):
    answer = post(client, query="?format=stl&size_mm=120", max_faces=500)
    assert answer.status_code == 200 and answer.headers["content-type"] == "model/stl"
    mesh = trimesh.load_mesh(io.BytesIO(answer.content), file_type="stl")
    assert mesh.is_watertight and len(mesh.faces) <= 500 and mesh.extents.max() == pytest.approx(120, rel=1e-4)


def test_a_job_is_looked_at_until_it_is_done_and_gives_every_format(client):
    answer = post(client)
    assert answer.status_code == 202 and answer.headers["location"] == f"{PATH}/{answer.json()['id']}"
    job = finished(client, answer.json())
    assert (job["state"], job["category"], job["resolution"]) == ("done", "car", 32)
    assert job["watertight"] and job["faces"] > 500 and job["seconds"] > 0
    for kind in client.get("/v1/categories").json()["formats"]:
        contents = client.get(f"{PATH}/{job['id']}/mesh.{kind}").content
        mesh = trimesh.load_mesh(io.BytesIO(contents), file_type=kind)
        assert len(mesh.faces) == job["faces"]
    for image, size in (("view", (128, 128)), ("preview", (1280, 320))):
        with Image.open(io.BytesIO(client.get(f"{PATH}/{job['id']}/{image}.png").content)) as shown:
            assert shown.size == size
    assert job["camera"] is None  # the weights of cars predict none, and without colours nothing asks for one
    assert not job["has_cutout"] and client.get(f"{PATH}/{job['id']}/cutout.png").status_code == 404


def test_the_camera_of_a_coloured_mesh_shows_it_where_the_picture_does(client):
    job = finished(client, post(client, color=True).json())
    camera, mesh = job["camera"], client.get(f"{PATH}/{job['id']}/mesh.glb").content
    points = trimesh.load_mesh(io.BytesIO(mesh), file_type="glb").vertices
    local = np.linalg.inv(camera["pose"]) @ np.column_stack([points, np.ones(len(points))]).T
    assert (local[2] < 0).all() and camera["orientation"] == 1
    x, y = local[:2] * camera["focal_length"] / -local[2] * [[1], [-1]] + np.array([camera["principal_point"]]).T
    with Image.open(io.BytesIO(SAMPLE)) as picture:
        assert picture.size == (camera["width"], camera["height"])
        left, top, right, bottom = picture.getbbox(alpha_only=True)
    found, side = np.array([x.min(), y.min(), x.max(), y.max()]), max(right - left, bottom - top)
    np.testing.assert_allclose(found, [left, top, right, bottom], atol=0.1 * side)


def png(width, height):
    """A valid file of a few kilobytes with so many black pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compressobj(9)
    data = b"".join([*(rows.compress(bytes(width // 8 + 2)) for _ in range(height)), rows.flush()])
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def webp(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP")
    return file.getvalue()


@pytest.mark.parametrize(
    ("contents", "status", "message"),
    [
        (b"", 415, "picture: expected PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "picture: expected PNG"),
        (b"%PDF-1.7" + SAMPLE, 415, "picture: expected PNG"),
        (b"GIF89a<script>alert(1)</script>", (415, 422), ""),
        (png(20_000, 20_000), 413, "expected at most 1,000,000 pixels"),
        (png(1200, 1000), 413, "expected at most 1,000,000 pixels"),
        (SAMPLE[: len(SAMPLE) // 2], 422, "found a damaged file"),
        (webp(np.zeros((8, 8, 3), np.uint8)), 422, "each side needs 16 or more"),
        (webp(np.full((64, 64, 3), 200, np.uint8)), 422, "nothing in it stands out"),
        (bytes(2 << 20), 413, ""),
    ],
    ids=["empty", "svg", "pdf and png", "gif and script", "bomb", "large", "half", "tiny", "nothing", "bytes"],
)
def test_a_bad_upload_is_refused_with_the_right_status(client, contents, status, message):
    answer = post(client, contents, "?format=glb")
    assert answer.status_code in (status if isinstance(status, tuple) else (status,)), answer.text
    assert message in answer.text and "Traceback" not in answer.text and "/imfield" not in answer.text


def test_scribbles_correct_the_cut_out_and_bad_ones_are_refused(client):
    marks = np.tile(np.uint8([0, 0, 0, 255]), (128, 128, 1))
    marks[:, :64, 3] = 0
    for contents, status, message in (
        (png(128, 128), 202, ""),
        (b"no image", 415, "scribbles: expected PNG"),
        (png(1200, 1000), 413, "scribbles: expected at most"),
        (webp(marks[:64]), 422, "expected the proportions of the picture"),
        (webp(marks), 202, ""),
    ):
        query = "?format=glb" if status == 422 else ""
        files = {"picture": SAMPLE, "scribbles": contents}
        answer = client.post(PATH + query, files=files, data={"resolution": 32})
        assert answer.status_code == status and message in answer.text
    job = finished(client, answer.json())
    assert "the cut-out was corrected by hand" in job["notes"]
    with Image.open(io.BytesIO(client.get(f"{PATH}/{job['id']}/cutout.png").content)) as shown:
        assert shown.width < 80  # the rest was taken away


@pytest.mark.parametrize(
    ("form", "query"),
    [
        ({"resolution": "nan"}, ""),
        ({"resolution": 65}, ""),
        ({"resolution": -1}, ""),
        ({"resolution": 10**30}, ""),
        ({"max_faces": 3}, ""),
        ({"category": "../car"}, ""),
        ({"category": "chair"}, ""),
        ({"matte": "/etc/passwd"}, ""),
        ({}, "?format=exe"),
        ({}, "?format=stl&size_mm=nan"),
        ({}, "?format=stl&size_mm=-2"),
        ({}, "?format=stl&size_mm=inf"),
        ({}, "?format=stl&up=x"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_refused(client, form, query):
    answer = post(client, query=query, **form)
    assert answer.status_code == 422 and answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/../setup.cfg", "/%2e%2e/app.py", "/vendor/../../app.py", "/v1/samples/..%2fcar.png"]
)
def test_paths_out_of_the_page_lead_nowhere(client, path):
    assert client.get(path).status_code in (404, 405)


def test_what_is_not_there_is_said(client):
    assert client.get(f"{PATH}/nothing").status_code == 404
    assert client.delete(f"{PATH}/nothing").status_code == 404
    failed = finished(client, post(client, SAMPLE[:-200]).json())
    assert failed["state"] == "failed" and "found a damaged file" in failed["error"]
    assert client.get(f"{PATH}/{failed['id']}/mesh.glb").status_code == 409


def test_a_full_queue_refuses_and_cancelled_work_makes_room(models):
    config = Config(("car",), waiting=2, max_resolution=256)
    with TestClient(create_app(config, models)) as client:
        taken, refused = [], None
        while refused is None:
            answer = post(client, resolution=256)
            if answer.status_code == 202:
                taken.append(answer)
            else:
                refused = answer
        assert len(taken) >= 2
        assert refused.status_code == 503 and int(refused.headers["retry-after"]) > 0
        assert "imfield_refused_total 1.0" in client.get("/metrics").text
        for answer in taken:
            client.delete(f"{PATH}/{answer.json()['id']}")
        states = {finished(client, answer.json())["state"] for answer in taken}
        assert "cancelled" in states
        assert post(client, query="?format=glb").status_code == 200


def test_a_token_guards_the_api_and_not_the_page(models):
    with TestClient(create_app(Config(("car",), token="secret"), models)) as client:
        assert client.get("/").status_code == client.get("/healthz").status_code == 200
        for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}):
            refused = client.get("/v1/categories", headers=wrong)
            assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
        assert client.get("/v1/categories", headers={"Authorization": "Bearer secret"}).status_code == 200


def test_the_page_asks_nothing_of_other_hosts_and_every_answer_has_security_headers(client):
    page = client.get("/")
    assert page.status_code == 200 and "model-viewer" in page.text
    for name in ("/", "/app.js", "/style.css"):
        text = client.get(name).text
        assert "http://" not in text and "https://" not in text and "//cdn" not in text
    for name in ("/", "/healthz", "/v1/categories", "/nothing", "/vendor/model-viewer.min.js"):
        headers = client.get(name).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'self'")


def test_the_api_is_described(client):
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1") and document["paths"][PATH]["post"]["requestBody"]
    assert client.get("/docs").status_code == 404  # it would load from elsewhere


def test_every_request_is_a_line_of_json(client, caplog):
    with caplog.at_level("INFO", logger="imfield_jax.server"):
        post(client, query="?format=glb")
        client.get("/a/secret/path")
    lines = [json.loads(record.message) for record in caplog.records if record.name == "imfield_jax.server"]
    assert {"method": "POST", "route": PATH, "status": 200}.items() <= lines[-2].items()
    assert lines[-1]["status"] == 404 and "secret" not in json.dumps(lines)


def test_a_slow_upload_is_cut_off(models):
    def slowly():
        yield b'--x\r\nContent-Disposition: form-data; name="picture"; filename="p"\r\n\r\n'
        time.sleep(3)
        yield SAMPLE

    # In a real server: the test client sends all at once.
    server = uvicorn.Server(
        uvicorn.Config(create_app(Config(("car",), upload_seconds=0.5), models), port=0, log_config=None)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        started = time.monotonic()
        answer = httpx2.post(f"http://127.0.0.1:{port}{PATH}", content=slowly(), headers=headers, timeout=20)
        assert answer.status_code == 408
        assert httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        assert time.monotonic() - started < 10
    finally:
        server.should_exit = True
        thread.join()
