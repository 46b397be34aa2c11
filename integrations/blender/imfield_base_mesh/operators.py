# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons of the panel. In scripts, `bpy.ops.imfield.base_mesh()` waits for the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from . import base_mesh, local_server, order
from .client import Problem, Watch
from .settings import CATEGORIES, preferences, settings_of
from .work import Work

_PERIOD = 0.1  # seconds between looks at the work

running: Work | None = None  # what the interface waits for


class _Waits:
    """An operator that asks a server: in the interface Blender stays usable, Esc cancels; a script waits."""

    @classmethod
    def poll(cls, context):
        return running is None

    def begun(self, context: bpy.types.Context) -> Callable[[Watch], Any]:
        """What has to be done, without Blender. Raises Problem."""
        raise NotImplementedError

    def ended(self, context: bpy.types.Context, result: Any) -> str:
        """Use the result; the message for the artist. Raises Problem or ValueError, and then has changed nothing."""
        raise NotImplementedError

    def execute(self, context):
        try:
            message = self.ended(context, self.begun(context)(lambda step: None))
        except (Problem, ValueError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, message)
        return {"FINISHED"}

    def invoke(self, context, event):
        global running
        try:
            work = self.begun(context)
        except (Problem, ValueError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self._timer = context.window_manager.event_timer_add(_PERIOD, window=context.window)
        running = Work(work)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        if event.type == "ESC" and event.value == "PRESS":
            self.cancel(context)
            self.report({"INFO"}, "Cancelled")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if running is None:  # the extension was switched off meanwhile
            self._clear(context)
            return {"CANCELLED"}
        if running.running:
            context.workspace.status_text_set(f"{self.bl_label}: {running.step} (Esc cancels)")
            _redraw(context)
            return {"PASS_THROUGH"}
        work = running
        self._clear(context)
        try:
            if work.error is not None:
                raise work.error
            message = self.ended(context, work.result)
        except (Problem, ValueError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, message)
        return {"FINISHED"}

    def cancel(self, context):
        """By Esc, or because another file is opened."""
        if running is not None:
            running.stop()
        self._clear(context)

    def _clear(self, context: bpy.types.Context) -> None:
        global running
        running = None
        context.window_manager.event_timer_remove(self._timer)
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        _redraw(context)


def stop() -> None:
    """End what is going on, because the extension is switched off."""
    global running
    if running is not None:
        running.stop()
    running = None


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


class BaseMesh(_Waits, bpy.types.Operator):
    """Make a base mesh from the picture"""

    bl_idname = "imfield.base_mesh"
    bl_label = "Make Base Mesh"
    bl_options = {"UNDO"}

    def begun(self, context):
        self._order, self._wish = order.of_panel(context), order.Wish.of(context)
        return self._order

    def ended(self, context, result):
        contents, about = result
        made = order.add(context, self._order, self._wish, contents, about)
        return order.report(made, about, self._wish)


class Refine(_Waits, bpy.types.Operator):
    """Twice the resolution and four times the faces: place, materials and modifiers stay, edits of the mesh are lost"""

    bl_idname = "imfield.refine"
    bl_label = "Refine Here"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context):
        made = context.object
        can = super().poll(context) and context.mode == "OBJECT" and base_mesh.known(made) is not None
        return can and made.is_editable and made.data.is_editable

    def begun(self, context):
        self._order, self._number = order.of_object(context.object), context.object.session_uid
        return self._order

    def ended(self, context, result):
        contents, about = result
        made = next((each for each in bpy.data.objects if each.session_uid == self._number), None)
        if base_mesh.known(made) is None or made.mode != "OBJECT":
            name = self._order.name
            raise Problem(f"{name} is no longer there, or is being edited: select it in Object Mode and try again")
        order.replace(made, self._order, contents, about)
        return order.report(made, about)


class CheckServer(_Waits, bpy.types.Operator):
    """Find the server, or start it if the preferences name its environment, and ask what it can reconstruct"""

    bl_idname = "imfield.check_server"
    bl_label = "Connect"
    bl_options = {"INTERNAL"}

    def begun(self, context):
        answering = order.server()

        def ask(watch: Watch) -> list[str]:
            answering.ready(watch)
            return answering.client.categories()

        return ask

    def ended(self, context, result):
        CATEGORIES[:] = result
        if settings_of(context).category not in result:
            settings_of(context).category = result[0]
        return f"The server at {preferences().address} answers; categories: {', '.join(result)}"


class StopServer(bpy.types.Operator):
    """Stop the server that was started here"""

    bl_idname = "imfield.stop_server"
    bl_label = "Stop Server"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context):
        return local_server.is_running()

    def execute(self, context):
        local_server.stop()
        self.report({"INFO"}, "The server is stopped")
        return {"FINISHED"}


CLASSES = (BaseMesh, Refine, CheckServer, StopServer)
