"""A bar on a terminal's standard error, nothing elsewhere."""

import sys
import time

import typer

_WIDTH = 40
_AGAIN_S = 0.05


class Bar:
    """Works that follow each other, each with a line of its own. Use it as a context: the last line is ended at the end."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._what = ""
        self._told_s = 0.0

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._what:
            typer.echo("", err=True)

    def told(self, what: str, done: int, total: int) -> None:
        """So much of a work is done; a line is not drawn more often than can be seen."""
        now_s = time.monotonic()
        if self._quiet or (what == self._what and done < total and now_s - self._told_s < _AGAIN_S):
            return
        if self._what not in ("", what):
            typer.echo("", err=True)
        self._what, self._told_s = what, now_s
        width = _WIDTH * done // max(total, 1)
        typer.echo(f"\r[{'#' * width}{' ' * (_WIDTH - width)}] {done} of {total} {what}", nl=False, err=True)
