"""TensorBoard's event files, written and read without TensorFlow."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType

from absl import logging


class EventFiles:
    """The curves and images of a run; does nothing if TensorBoard is not installed."""

    def __init__(self, folder: Path):
        _without_tensorflow()
        try:
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            logging.info("TensorBoard is not installed: no curves, log lines only")
            self._writer = None
            return
        self._writer = EventFileWriter(str(folder))

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Add a point to each curve."""
        self._add(step, [{"tag": tag, "simple_value": float(value)} for tag, value in values.items()])

    def image(self, tag: str, png: bytes, step: int) -> None:
        """Add a PNG file's contents."""
        self._add(step, [{"tag": tag, "image": {"encoded_image_string": png}}])

    def _add(self, step: int, values: list[dict]) -> None:
        if self._writer is None:
            return
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        event = Event(wall_time=time.time(), step=step)
        event.summary.value.extend(Summary.Value(**value) for value in values)
        self._writer.add_event(event)
        self._writer.flush()


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """The curves in a folder by tag: steps and values. Of what was repeated after a resume, the last counts.

    Empty if there are none or TensorBoard is not installed.
    """
    _without_tensorflow()
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        return {}
    if not folder.is_dir():
        return {}
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})  # 0 for all points
    events.Reload()
    tags = events.Tags()["scalars"]
    points = {tag: {point.step: point.value for point in events.Scalars(tag)} for tag in tags}
    return {tag: sorted(values.items()) for tag, values in points.items()}


def _without_tensorflow() -> None:
    """With this module present, TensorBoard does not import TensorFlow, which takes seconds and logs."""
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))
