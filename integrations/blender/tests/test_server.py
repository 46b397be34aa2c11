"""What goes wrong is one line, and nothing changes; work can be stopped; a server is started and stopped."""

from __future__ import annotations

import http.server
import json
import os
import re
import socket
import struct
import threading
import time
import urllib.request
from array import array

import bpy
import pytest


@pytest.fixture
def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def make():
    return bpy.ops.imfield.base_mesh


def test_no_server_is_said_with_what_to_do(settings, preferences, free_address, refused, make):
    preferences.address = free_address
    message = refused(make)
    assert message.startswith(f"No imfield server answers at {free_address}") and "imfield serve" in message


def test_another_web_server_is_told_from_ours(settings, preferences, answering, refused, make):
    preferences.address = answering(known=b"<html>hello</html>")
    for operator in (make, bpy.ops.imfield.check_server):
        assert "is no server of imfield: check the address" in refused(operator)


def test_a_wrong_and_a_missing_token_are_said(settings, preferences, refused, make):
    preferences.token = "wrong"
    assert "expects its token, and the preferences have another token" in refused(make)
    preferences.token = ""
    assert "expects its token, and the preferences have no token" in refused(make)


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "ftp://127.0.0.1", "http://", "http://[", "http://a:b", "http://127.0.0.1 :80", "http://a/\u00e9"],
)
def test_an_address_that_is_none_is_said(settings, preferences, address, refused, make):
    preferences.address = address
    assert "expected one such as http://127.0.0.1:8000" in refused(make)


@pytest.mark.parametrize("token", ["\u043f\u0430\u0440\u043e\u043b\u044c", "sec\nret"])
def test_a_token_that_cannot_be_sent_is_said_and_not_shown(settings, preferences, token, refused, make):
    preferences.token = token
    message = refused(make)
    assert "characters that no token of a server has" in message and token.split("\n")[0] not in message


def test_spaces_around_a_token_are_not_part_of_it(settings, preferences):
    preferences.token = f" {preferences.token} "
    assert bpy.ops.imfield.check_server() == {"FINISHED"}


def test_a_picture_above_the_limit_is_said_with_both_numbers(settings, refused, make, tmp_path):
    (tmp_path / "large.png").write_bytes(bytes(21 << 20))
    settings.filepath = str(tmp_path / "large.png")
    assert re.match(r"The picture has 22.0 MB, the server takes 2[01].\d MB at most", refused(make))


def test_nothing_is_sent_to_others_while_blender_may_not_go_online(settings, preferences, refused, make):
    assert not bpy.app.online_access
    preferences.address = "http://192.0.2.1:8000"  # an address of documentation, RFC 5737
    assert "Blender may not go online" in refused(make)


def test_pictures_that_are_none_are_said(settings, refused, make, tmp_path):
    settings.filepath = ""
    assert refused(make) == "No picture is chosen: choose a file"
    settings.filepath = str(tmp_path / "none.png")
    assert "none.png: No such file" in refused(make)
    settings.filepath = str(tmp_path)
    assert "directory" in refused(make)
    (tmp_path / "words.png").write_text("words")
    settings.filepath = str(tmp_path / "words.png")
    assert refused(make).startswith("Picture: expected PNG, JPEG")
    settings.source, settings.image = "IMAGE", None
    assert "No picture is chosen" in refused(make)
    settings.image = bpy.data.images.new("black", 64, 64)
    assert "nothing in it stands out from its background" in refused(make)


def test_what_the_server_refuses_is_said(settings, refused, make):
    settings.category = "teapot"
    assert refused(make) == "Category: expected one of any"
    settings.category, settings.resolution = "any", 1024
    assert "resolution: expected at most" in refused(make).lower()
    settings.resolution, settings.faces = 32, 1
    assert refused(make) == "Expected at least 100 faces, or 0 for all, found 1"


def test_only_base_meshes_are_refined(settings, refused):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="cube")
    assert "poll" in refused(bpy.ops.imfield.refine)


def test_an_object_without_its_picture_cannot_be_refined(settings, refused, make):
    make()
    made = bpy.context.view_layer.objects.active
    made["imfield_picture"] = None
    assert "picture of car is no longer there" in refused(bpy.ops.imfield.refine)


def test_connecting_learns_the_categories(settings, modules):
    settings.category = "teapot"
    assert bpy.ops.imfield.check_server() == {"FINISHED"}
    assert settings.category == "any" and modules("settings").CATEGORIES == ["any"]


def test_a_proxy_is_not_asked_for_this_machine(settings, monkeypatch):
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert bpy.ops.imfield.check_server() == {"FINISHED"}


def test_stopped_work_ends_on_the_server_and_changes_nothing(settings, preferences, modules, snapshot):
    settings.resolution, settings.faces = 256, 0  # long enough to be stopped
    before, order, steps = snapshot(), modules("order").of_panel(bpy.context), []
    client = order.server.client
    ended = cancelled(client)

    def watched(watch):
        def noted(step):
            watch(step)
            steps.append(step)

        return order(noted)

    work = modules("work").Work(watched)
    while "surface" not in steps and "image" not in steps and work.running:
        time.sleep(0.01)
    work.stop()
    assert work.wait(10) and work.result is None and type(work.error).__name__ == "Stopped"
    assert snapshot() == before and 0 < work.done < 1
    until = time.monotonic() + 10
    while cancelled(client) == ended and time.monotonic() < until:
        time.sleep(0.1)
    assert cancelled(client) == ended + 1


def cancelled(client):
    """How many reconstructions of the server were."""
    request = urllib.request.Request(f"{client.address}/metrics", headers={"Authorization": f"Bearer {client.token}"})
    with urllib.request.urlopen(request) as answer:
        found = re.search(r'^imfield_reconstructions_total{state="cancelled"} (\S+)', answer.read().decode(), re.M)
    return float(found[1]) if found else 0.0


def test_work_says_what_it_does_and_hands_over_what_is_raised(modules):
    work, problem = modules("work"), modules("client").Problem

    def steps(watch):
        for step in ("sending", "surface", "waiting for 2 others", "download"):
            watch(step)
        return 7

    made = work.Work(steps)
    assert made.wait(5) and made.result == 7 and made.error is None and made.done == 0.9

    def fails(watch):
        raise problem("one line")

    made = work.Work(fails)
    assert made.wait(5) and str(made.error) == "one line"

    def broken(watch):
        return 1 / 0

    made = work.Work(broken)
    assert made.wait(5) and str(made.error) == "Internal error: ZeroDivisionError: division by zero"


@pytest.fixture
def answering():
    """(answers) -> the address of a server that gives them: (status, headers, contents) by method, one by one.

    known: what it says of its categories and limits.
    """
    servers = []

    def started(**answers):
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                known = self.path == "/v1/categories"
                given = [(200, {}, answers.get("known", KNOWN))] if known else answers[self.command]
                status, headers, contents = given.pop(0) if given[1:] else given[0]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(contents if isinstance(contents, bytes) else json.dumps(contents).encode())

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *args):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


KNOWN = {"categories": ["any"], "limits": {"bytes": 1 << 20}}
FAILED = {"id": "a", "state": "failed", "step": "", "place": 0, "error": "nothing is in the picture"}
DONE = {"id": "a", "state": "done", "step": "", "place": 0, "error": None, "faces": 1, "notes": [], "camera": None}


def test_a_busy_server_is_asked_again(modules, answering):
    client, steps = modules("client"), []
    busy = [(503, {"Retry-After": "0.2"}, b""), (503, {"Retry-After": "Fri, 1 Jan 2027 00:00:00 GMT"}, b"")]
    address = answering(GET=[], POST=[*busy, (202, {}, FAILED)])
    with pytest.raises(client.Problem, match="nothing is in the picture"):
        client.Client(address).reconstruct(b"", {}, steps.append)
    assert steps[0] == "sending" and set(steps[1:]) == {"the server is busy"}


@pytest.mark.parametrize(
    ("posted", "message"),
    [
        ((200, {}, b"<html>"), "is no server of imfield"),
        ((200, {}, []), "is no server of imfield"),
        ((200, {}, {}), "does not answer as this extension expects"),
        ((200, {}, {"id": "a"}), "does not answer as this extension expects"),
        ((202, {}, {key: value for key, value in DONE.items() if key != "camera"}), "update imfield_jax"),
        ((422, {}, {"detail": {"a": 1}}), "is this a server of imfield?"),
        ((422, {}, {"detail": None}), "is this a server of imfield?"),
        ((202, {}, DONE), "GLB"),
    ],
)
def test_answers_that_are_none_are_one_line(settings, preferences, answering, posted, message, refused, make):
    preferences.address = answering(POST=[posted], GET=[(200, {}, b"glTF")], DELETE=[(200, {}, {})])
    assert message in refused(make)


@pytest.fixture
def environment(tmp_path):
    """An environment whose server has one category only, so that it starts soon."""
    program = tmp_path / "environment" / "bin" / "imfield"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{os.environ["IMFIELD_ENVIRONMENT"]}/bin/imfield" "$@" --categories=car\n')
    program.chmod(0o755)
    return program.parents[1]


def test_the_server_of_an_environment_is_started_when_needed_and_stopped(
    settings, preferences, free_address, environment, modules, monkeypatch
):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # Blender's own, which would break other Pythons
    preferences.address, preferences.environment, preferences.token = free_address, str(environment), "secret"
    settings.category = "car"
    assert bpy.ops.imfield.base_mesh() == {"FINISHED"}
    assert modules("local_server").is_running()
    assert bpy.ops.imfield.stop_server() == {"FINISHED"}
    assert not modules("local_server").is_running()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", int(free_address.split(":")[-1])), 1):
        pass


def test_a_server_that_cannot_start_is_said(settings, preferences, free_address, refused, make, tmp_path):
    preferences.address, preferences.environment = free_address, str(tmp_path)
    assert "has no imfield: expected the folder of an environment" in refused(make)
    program = tmp_path / "bin" / "imfield"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho one; echo the port is taken; exit 1\n")
    program.chmod(0o755)
    assert refused(make) == "The server ended at once: the port is taken"


def test_a_stopped_start_leaves_no_server(preferences, free_address, modules, tmp_path):
    program = tmp_path / "bin" / "imfield"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    client, server = modules("client"), modules("local_server")

    class Enough(Exception):
        pass

    def watch(step):
        raise Enough

    with pytest.raises(Enough):
        server.start(str(tmp_path), client.Client(free_address), watch)
    assert not server.is_running()


def test_a_mesh_with_faces_that_are_none_changes_nothing(settings, modules, snapshot):
    order = modules("order")
    before, asked, wish = snapshot(), order.of_panel(bpy.context), order.Wish.of(bpy.context)
    vertices, faces = array("f", [0, 0, 0, 1, 0, 0, 0, 1, 0]), array("I", [0, 0, 1])
    contents = modules("glb").Contents(vertices, faces, None, (1, 1, 1, 1), None)
    with pytest.raises(ValueError, match="some of its faces are none"):
        order.add(bpy.context, asked, wish, contents, {"notes": [], "camera": None})
    assert snapshot() == before


def glb(vertices, faces, count=None, length=None):
    """A file with one mesh."""
    places, corners = struct.pack(f"<{len(vertices)}f", *vertices), struct.pack(f"<{len(faces)}I", *faces)
    views = [{"byteOffset": 0, "byteLength": len(places)}, {"byteOffset": len(places), "byteLength": len(corners)}]
    accessors = [
        {"bufferView": 0, "componentType": 5126, "type": "VEC3", "count": len(vertices) // 3},
        {"bufferView": 1, "componentType": 5125, "type": "SCALAR", "count": len(faces) if count is None else count},
    ]
    primitive = {"attributes": {"POSITION": 0}, "indices": 1, "material": 0}
    document = {
        "meshes": [{"primitives": [primitive]}],
        "materials": [{}],
        "accessors": accessors,
        "bufferViews": views,
    }
    head = json.dumps(document).encode()
    binary = places + corners
    chunks = struct.pack("<II", len(head), 0x4E4F534A) + head + struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, length or 12 + len(chunks)) + chunks


TRIANGLE = [0, 0, 0, 1, 0, 0, 0, 1, 0]
NOT_FINITE = [float("nan"), float("inf")]


def test_damaged_meshes_are_refused(modules):
    read = modules("glb").read
    assert list(read(glb(TRIANGLE, [0, 1, 2])).faces) == [0, 1, 2]
    damaged = [b"", b"glTF", b"\0" * 100, glb(TRIANGLE, [0, 1, 2])[:-4], glb(TRIANGLE, [0, 1, 2], length=40)]
    damaged += [glb(TRIANGLE, [0, 1, 2], count=6), glb(TRIANGLE, [0, 1]), glb(TRIANGLE, []), glb(TRIANGLE, [0, 1, 3])]
    damaged += [glb([number, *TRIANGLE[1:]], [0, 1, 2]) for number in NOT_FINITE]
    damaged += [glb([], []), glb([1] * 9, [0, 1, 2]), glb(TRIANGLE, [0, 1, 2**32 - 1])]
    for contents in damaged:
        with pytest.raises(ValueError, match="GLB"):
            read(contents)


def test_switched_off_while_it_works_it_can_be_switched_on_again(settings, preferences, modules):
    address, token = preferences.address, preferences.token
    operators = modules("operators")
    operators.running = modules("work").Work(lambda watch: [watch("surface") or time.sleep(0.01) for _ in range(9999)])
    work, name = operators.running, operators.__package__
    bpy.ops.preferences.addon_disable(module=name)
    assert work.wait(5) and type(work.error).__name__ == "Stopped"
    bpy.ops.preferences.addon_enable(module=name)
    chosen = bpy.context.preferences.addons[name].preferences
    chosen.address, chosen.token = address, token
    assert bpy.ops.imfield.base_mesh.poll()
