"""Decoding of the text in mesh files, whose encoding is rarely declared."""

from __future__ import annotations

import codecs
import re

_MARKS = (  # the longer ones first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # how Python's "surrogateescape" marks single bytes


def decoded(contents: bytes) -> str:
    """Decode UTF-8, UTF-16 or UTF-32, with or without a byte order mark, Latin-1, or a mixture of these.

    Bytes that are not UTF-8 are decoded as Latin-1 one by one, so a name is the same in a file of either encoding.
    Never fails: binary data become meaningless text.
    """
    text = unicode(contents).decode("utf-8", "surrogateescape")
    return _NOT_UTF8.sub(lambda byte: chr(ord(byte[0]) - 0xDC00), text)


def unicode(contents: bytes) -> bytes:
    """UTF-16 and UTF-32 as UTF-8, without a byte order mark; everything else unchanged."""
    encoding = next((name for mark, name in _MARKS if contents.startswith(mark)), None) or _without_mark(contents)
    if encoding is None:
        return contents
    return contents.decode(encoding, "replace").encode("utf-8", "replace")


def _without_mark(contents: bytes) -> str | None:
    """Detect UTF-16 by the zero bytes of its first characters, which are ASCII in every mesh file."""
    head = contents[:64]
    if len(head) < 4 or len(contents) % 2:
        return None
    even, odd = head[0::2], head[1::2]
    if not any(odd) and all(even):
        return "utf-16-le"
    if not any(even) and all(odd):
        return "utf-16-be"
    return None
