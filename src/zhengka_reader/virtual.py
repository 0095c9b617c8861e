"""A software card in a virtual reader (虚拟读卡器): vpcd's end of the wire, by which any PC/SC program reads it.

vpcd (Debian `vsmartcard-vpcd`) listens on TCP. A message is two bytes of length, big end first, and so many bytes; a
message of one byte to the card is control: 0 power off, 1 power on, 2 reset, 4 tell the answer to reset.
"""

import socket
import threading
from contextlib import suppress
from typing import Final, Protocol

from zhengka.formats.chip.card import PowerCut

PORT: Final = 35963
"""vpcd's own, of its first reader; the second one listens on the next."""

_OFF, _ON, _RESET, _ATR = 0, 1, 2, 4


class Chip(Protocol):
    """What can lie in the virtual reader: the software card, or one that lies."""

    @property
    def atr(self) -> bytes:
        """The answer to reset."""

    def reset(self) -> bytes:
        """Power off and on."""

    def transmit(self, apdu: bytes) -> bytes:
        """One command; PowerCut takes the card out of the reader."""


class Inserted:
    """A card that lies in a virtual reader until `remove`, or until it loses its power or the reader goes."""

    def __init__(self, card: Chip, wire: socket.socket) -> None:
        """`wire` is connected to vpcd already."""
        self.card, self._wire = card, wire
        with suppress(OSError):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Take the card out."""
        with suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def wait(self) -> None:
        """Until it is out."""
        self._thread.join()

    def _serve(self) -> None:
        with self._wire, suppress(OSError, PowerCut):
            while (message := self._receive()) is not None:
                if len(message) != 1:
                    self._send(self.card.transmit(message))
                elif message[0] == _ATR:
                    self._send(self.card.atr)
                elif message[0] in (_OFF, _ON, _RESET):
                    self.card.reset()

    def _receive(self) -> bytes | None:
        size = self._read(2)
        return self._read(int.from_bytes(size)) if size else None

    def _read(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            # the kernel takes it back after each answer; without it each command waits for a late acknowledgement
            with suppress(OSError, AttributeError):
                self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            piece = self._wire.recv(size - len(data))
            if not piece:
                return None
            data += piece
        return data

    def _send(self, answer: bytes) -> None:
        self._wire.sendall(len(answer).to_bytes(2) + answer)


def insert(card: Chip, *, host: str = "127.0.0.1", port: int = PORT) -> Inserted:
    """Lay a card into the virtual reader that listens there. OSError where none does."""
    return Inserted(card, socket.create_connection((host, port), timeout=None))
