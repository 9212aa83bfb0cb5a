"""Lists as CSV (RFC 4180) for a spreadsheet: lines that end in CRLF, and no cell that would be a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

MARK = "\ufeff"
"""How a file begins, so that a spreadsheet takes it for UTF-8. What goes to a terminal or a pipe has none."""
_RISKY = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20")  # what a spreadsheet would take for a formula (OWASP, CSV injection)


def lines_of(rows: Iterable[Sequence[object]]) -> str:
    """The lines of these rows. A text that begins like a formula begins with an apostrophe; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out).writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_RISKY) else cell
