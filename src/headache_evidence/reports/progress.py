"""Progress of a run: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

Say = Callable[[str], Any]


class Progress:
    """Plain lines."""

    def __init__(self, say: Say) -> None:
        self.say = say

    def start(self, steps: int) -> None:
        """``steps`` notebooks will run."""
        self.say(f"{steps} notebook runs to do.")

    def step(self, headache_type: str, notebook: str, seconds: float) -> None:
        """A notebook has run."""
        self.say(f"{headache_type}: {notebook} ran in {seconds:.1f} s")

    def end(self) -> None:
        """Nothing more will run."""


class Bar(Progress):
    """A bar that shows the share of notebooks done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None
        super().__init__(self._write)

    def start(self, steps: int) -> None:
        """``steps`` notebooks will run."""
        from tqdm import tqdm

        self._bar = tqdm(total=steps, unit="notebook", file=self._stream, dynamic_ncols=True)

    def step(self, headache_type: str, notebook: str, seconds: float) -> None:
        """A notebook has run."""
        self._bar.set_postfix_str(f"{headache_type} {notebook.removesuffix('.ipynb')}")
        self._bar.update()

    def end(self) -> None:
        """Nothing more will run."""
        self._bar.close()

    def _write(self, message: str) -> None:
        if self._bar is not None:
            self._bar.write(message, file=self._stream)


def progress_for(say: Say, stream: TextIO) -> Progress:
    """A bar when ``stream`` is a terminal, otherwise lines through ``say``."""
    return Bar(stream) if stream.isatty() else Progress(say)
