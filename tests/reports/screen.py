"""A terminal's screen in memory: what it shows of the few sequences that are written to it."""

from __future__ import annotations

import io
import re
import threading

__all__ = ["Screen", "Shown"]

_PIECES = re.compile(r"\x1b\[(\d*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)|(.)", re.DOTALL)


class Screen:
    """Takes text as a terminal does whose driver makes CR LF of LF; AssertionError for a sequence it does not know.

    `lines` is what is shown, `scrolled` what has left it at the top; spaces at the ends of lines are not kept.
    """

    def __init__(self, columns: int, height: int) -> None:
        self._columns = columns
        self._cells = [""] * height
        self._row = self._column = 0
        self.scrolled: list[str] = []

    @property
    def lines(self) -> list[str]:
        """From the top, without the empty ones at the bottom."""
        shown = [cells.rstrip() for cells in self._cells]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column, from 0."""
        return self._row, self._column

    def feed(self, text: str) -> None:
        """Show what was written."""
        for number, sequence, control, plain, unknown in _PIECES.findall(text):
            assert not unknown, f"{unknown!r} was written"
            if sequence == "A":
                self._row = max(0, self._row - int(number or 1))
            elif sequence:
                self._erase(sequence, number)
            elif control == "\r":
                self._column = 0
            elif control:
                self._column = 0
                self._down()
            else:
                self._write(plain)

    def _erase(self, sequence: str, number: str) -> None:
        assert (sequence, number) in (("K", ""), ("J", "")), f"CSI {number}{sequence} was written"
        self._cells[self._row] = self._cells[self._row][: self._column]
        if sequence == "J":
            self._cells[self._row + 1 :] = [""] * (len(self._cells) - self._row - 1)

    def _down(self) -> None:
        if self._row + 1 < len(self._cells):
            self._row += 1
        else:
            self.scrolled.append(self._cells.pop(0).rstrip())
            self._cells.append("")

    def _write(self, text: str) -> None:
        for character in text:
            if self._column == self._columns:
                self._column = 0
                self._down()
            cells = self._cells[self._row].ljust(self._column)
            self._cells[self._row] = cells[: self._column] + character + cells[self._column + 1 :]
            self._column += 1


class Shown(io.StringIO):
    """Stands for a terminal whose screen the test looks at; each write reaches it whole."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self.screen = screen
        self.most_lines = 0
        self.drawn = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        self.screen.feed(text)
        if len(self.screen.lines) > self.most_lines:
            self.most_lines = len(self.screen.lines)
            self.drawn.set()
        return len(text)
