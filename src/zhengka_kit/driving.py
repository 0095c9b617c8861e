"""How the kit talks to a reader: a program that reads and writes JSON lines, or an address that takes JSON.

    → {"do": "begin", "operator": …, "venue": …, "service": …, "keys": "/…/keys.json"}      ← {"ok": true}
    → {"do": "take", "folder": "/…/1", "at": "2026-11-20T04:00:00Z"}                        ← {"pass": true}
    → {"do": "show", "text": "HTTPS://…/V/…", "at": "…"}                 ← {"pass": true, "code": "valid"}
    → {"do": "voucher", "text": "HTTPS://…/P/…", "at": "…"}              ← {"pass": false, "code": "voucher-used"}

`pass` is what counts; `code` is our word for the reason, and a reader may leave it out. `at` is the clock of the gate.
"""

import json
import queue
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

PATIENCE: Final = 20.0
"""Seconds that a reader has for one answer."""
LONGEST: Final = 1 << 20


class NoAnswer(Exception):
    """The reader gave no answer that can be read."""


class Reader(Protocol):
    """What can be asked."""

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to a message. Raises `NoAnswer`."""

    def close(self) -> None:
        """End it."""


class Program:
    """A command of the engineer's own, started once for all cases."""

    def __init__(self, command: Sequence[str], patience: float = PATIENCE) -> None:
        """Start it."""
        self._patience = patience
        self._process = subprocess.Popen(  # noqa: S603 - the engineer's own program
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one line, wait for one line."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message, ensure_ascii=False) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=self._patience)
        except queue.Empty:
            raise NoAnswer(f"no answer within {self._patience:.0f} seconds") from None
        except OSError:
            raise NoAnswer("the program has ended") from None
        if not line:
            raise NoAnswer("the program has ended")
        return _read(line)

    def close(self) -> None:
        """Close its input, and end it if that is not enough."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Address:
    """A reader that takes the same messages by POST."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        """Keep the address."""
        if not url.startswith(("http://", "https://")):
            raise ValueError("the reader's address begins with http:// or https://")
        self._url, self._patience = url, patience

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """One request."""
        asked = urllib.request.Request(  # noqa: S310 - http or https, as looked at above
            self._url, json.dumps(message, ensure_ascii=False).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=self._patience) as answer:  # noqa: S310
                return _read(answer.read(LONGEST).decode("utf-8", "replace"))
        except (urllib.error.URLError, OSError) as no:
            raise NoAnswer(f"{no}") from None

    def close(self) -> None:
        """Nothing is held."""


def here(message: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The message with the sandbox's files under their full paths."""
    return {name: str((folder / value).resolve()) if name in ("folder", "keys") else value
            for name, value in message.items()}


def _read(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        raise NoAnswer(f"no JSON: {line[:80]!r}") from None
    if not isinstance(told, dict):
        raise NoAnswer(f"no JSON object: {line[:80]!r}")
    return told
