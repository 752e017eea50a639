"""The head before this one, which this one most likely resembles: a shorter way to the verdict of head.py.

Law: the verdict is judge_head's, whatever is remembered, and what is remembered is bounded. A line is passed over only
if judge_head would not look at it and it is a field beyond doubt: its name was found to be one before, and CR, LF and
NUL are not in it. Whatever is not plain in this way is judged line by line.
"""

from __future__ import annotations

from typing import Final

from cannon.engine.head import TELLING_NAMES, Head, add_head_line, bodiless, judge_head

__all__ = ["LastHead"]

_END: Final = b"\r\n\r\n"
_REMEMBERED_BYTES: Final = 4_096
_PLAIN_DIGITS: Final = 18
_NAME_BYTES: Final = 64
_NAMES_LIMIT: Final = 512
_VERDICTS_LIMIT: Final = 32

_SILENT: Final[dict[bytes, bytes]] = {}
"""The names of fields that say nothing of the framing -> how their lines start."""
_TELLING: Final[dict[bytes, bytes]] = {}
"""The names of the others, as servers write them -> in lower case."""


class LastHead:
    """The last head that answered one kind of request, and what follows from its lines.

    Two heads are alike if they have the same lines, but for the values of fields that say nothing of the framing, and
    for the number of a Content-Length. `head` is the verdict on the one that was taken last.
    """

    __slots__ = ("_data", "_length_at", "_lines", "_starts", "_to_head", "_verdicts", "head")

    def __init__(self, *, to_head: bool) -> None:
        self.head = Head(0, False, 0)
        self._to_head = to_head
        self._data = b""
        self._lines: list[bytes] = []
        # Of each line what has to be the same; nothing: all of it.
        self._starts: list[bytes] = []
        self._length_at = 0
        self._verdicts: dict[bytes, Head] = {}

    def take(self, data: bytes, position: int, room_bytes: int) -> int:
        """The position behind the head that begins at this one; -1 if it does not end within the bytes there is room
        for, and then nothing is said of it. FramingError if it is none.
        """
        whole = data[position : position + len(self._data)]
        if len(whole) <= room_bytes:
            if whole == self._data and whole:
                return position + len(whole)
            # Heads as long as the one before are common, and a look costs less than a search.
            if whole.endswith(_END) and self._judge(whole):
                return position + len(whole)
        found = data.find(_END, position, position + room_bytes)
        if found < 0:
            return -1
        stop = found + len(_END)
        self._judge(data[position:stop])
        return stop

    def _judge(self, whole: bytes) -> bool:
        """Judge a head and remember it; False if another end stands before its end."""
        lines = whole.split(b"\r\n")
        lines.pop()
        lines.pop()
        if not self._is_alike(lines) and not self._is_plain(lines):
            unfolded: list[bytes] = []
            for line in lines:
                if unfolded and not line:
                    return False
                add_head_line(unfolded, line)
            self.head = judge_head(unfolded, to_head=self._to_head)
            _learn_names(unfolded)
            lines = []
        keeps = len(whole) <= _REMEMBERED_BYTES
        self._data = whole if keeps else b""
        self._lines = lines if keeps else []
        return True

    def _is_alike(self, lines: list[bytes]) -> bool:
        before, starts = self._lines, self._starts
        if len(lines) != len(before):
            return False
        length = -1
        for at, line in enumerate(lines):
            if line == before[at]:
                continue
            start = starts[at]
            if not start or not line.startswith(start) or 13 in line or 10 in line or 0 in line:
                return False
            if at == self._length_at:
                digits = line[len(start) :].strip(b" \t")
                if not digits.isdigit() or len(digits) > _PLAIN_DIGITS:
                    return False
                length = int(digits)
        if length >= 0:
            self.head = Head(self.head.status, self.head.persistent, length)
        return True

    def _is_plain(self, lines: list[bytes]) -> bool:
        """Judge by the telling lines, if all the others are fields beyond doubt."""
        telling = [lines[0]]
        starts = [b""]
        lengths = length_at = 0
        for at, line in enumerate(lines):
            if not at:
                continue
            name, colon, value = line.partition(b":")
            if not colon or 13 in value or 10 in value or 0 in value:
                return False
            start = _SILENT.get(name)
            if start is None:
                lower = _TELLING.get(name)
                if lower is None:
                    return False
                telling.append(line)
                start = b""
                if lower == b"content-length":
                    lengths += 1
                    length_at = at
            starts.append(start)
        key = b"\r\n".join(telling)
        head = self._verdicts.get(key)
        if head is None:
            add_head_line([], lines[0])
            head = judge_head(telling, to_head=self._to_head)
            if len(self._verdicts) >= _VERDICTS_LIMIT:
                self._verdicts.clear()
            self._verdicts[key] = head
        self.head = head
        self._starts = starts
        self._length_at = 0
        if lengths == 1 and not bodiless(head.status, to_head=self._to_head):
            # One number, and it is the length: another number would be another length, and nothing else.
            self._length_at = length_at
            starts[length_at] = lines[length_at][: len(b"content-length:")]
        return True


def _learn_names(lines: list[bytes]) -> None:
    for line in lines[1:]:
        name = line[: line.index(b":")]
        if len(name) > _NAME_BYTES:
            continue
        if len(_SILENT) >= _NAMES_LIMIT or len(_TELLING) >= _NAMES_LIMIT:
            _SILENT.clear()
            _TELLING.clear()
        lower = name.lower()
        if lower in TELLING_NAMES:
            _TELLING[name] = lower
        else:
            _SILENT[name] = name + b":"
