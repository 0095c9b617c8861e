"""How a line of the log is written: what the database says of a row's contents stays out of it (T29)."""

import logging
import re

_CONTENTS = re.compile(r"^(DETAIL|CONTEXT|LINE \d+):.*$", re.MULTILINE)
"""PostgreSQL quotes the row that broke a promise, and the cell at which a COPY stopped: names, birthdays, numbers."""


class Line(logging.Formatter):
    """One entry of the log, tracebacks included, without what PostgreSQL quotes."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry as text."""
        return _CONTENTS.sub(r"\1: left out", super().format(record))
