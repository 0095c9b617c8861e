"""Card readers through PC/SC (个人计算机/智能卡): Linux and macOS `libpcsclite`, Windows `winscard`, by ctypes.

Part 10 of the PC/SC specification and pcsc-lite's `winscard.h` name the calls. Every no has a code of `CODES`. A
connection is exclusive: nobody else's commands come between ours, and what was selected stays selected.

PC/SC has no time limit: a call for a card that hangs returns when the card is taken away, if ever. So a thread makes
the calls, and one that does not return in time is left behind, with its context: what comes after gets a new one. To
hand a call over and back costs as much as a command: many commands are handed over as one.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ctypes import byref, c_char_p, c_uint32, c_ulong, c_void_p, create_string_buffer
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final

from zhengka.formats.apdu import OK, Step, decode_response
from zhengka.formats.chip.card import GET_UID

CODES: Final = {
    "pcsc-missing": "the PC/SC service does not run on this computer",
    "no-reader": "no reader is connected",
    "reader-gone": "the reader was unplugged",
    "no-card": "no card lies on the reader",
    "card-removed": "the card was taken away before the work was done",
    "card-mute": "the card does not answer: it may lie askew, or be broken",
    "card-in-use": "another program works with the card",
    "reader-fails": "the reader reports a fault",
}
"""Every name of a fault between a program and a card."""

_ULONG: Final[Any] = c_uint32 if sys.platform in ("win32", "darwin") else c_ulong
_LIBRARY: Final = {"win32": "winscard", "darwin": "/System/Library/Frameworks/PCSC.framework/PCSC"}
_SYSTEM, _EXCLUSIVE, _SHARED, _T0_OR_T1, _LEAVE, _RESET, _UNPOWER = 2, 1, 2, 3, 0, 1, 2
_PRESENT, _UNAWARE, _MUTE = 0x20, 0, 0x200
_MOST_ANSWER: Final = 258
_MOST_ATR: Final = 36
_FAULTS: Final = {
    0x8010001D: "pcsc-missing", 0x8010001E: "pcsc-missing",  # no service, service stopped
    0x8010002E: "no-reader",
    0x80100009: "reader-gone", 0x80100017: "reader-gone",  # unknown reader, reader unavailable
    0x8010000C: "no-card",
    0x80100069: "card-removed", 0x80100068: "card-removed",  # removed, reset by somebody
    0x80100066: "card-mute", 0x80100067: "card-mute", 0x8010000F: "card-mute",  # unresponsive, unpowered, protocol
    0x8010000B: "card-in-use",
}
_TIMEOUT: Final = 0x8010000A
PATIENCE: Final = 10.0
"""Seconds in which a card answers a command, or is taken for mute; the slowest of ours takes a tenth of one."""
_SEEN_LATE: Final = 1.0
"""Seconds after which the service has seen that a card is gone: it looks each 0.4."""
_PLUGGED: Final = rb"\\?PnP?\Notification"
"""The name by which one waits for readers that are plugged in or out."""


class PcscFault(ConnectionError):
    """A reader or card is not there, or no more: `code` is one of CODES."""

    def __init__(self, code: str, number: int = 0) -> None:
        super().__init__(f"{CODES[code]}" + (f" ({number:08X})" if code == "reader-fails" else ""))
        self.code = code


class _State(ctypes.Structure):
    _fields_ = [("reader", c_char_p), ("user", c_void_p), ("current", _ULONG), ("event", _ULONG), ("size", _ULONG),
                ("atr", ctypes.c_ubyte * (_MOST_ATR if sys.platform == "win32" else 33))]
    if sys.platform == "darwin":
        _pack_ = 1


class _Request(ctypes.Structure):
    _fields_ = [("protocol", _ULONG), ("size", _ULONG)]


class Readers:
    """The readers of this computer. Use it in a `with` block, or `close` it; a context serves one thread.

    `lost` once a card hung: then every call says `card-mute` at once, and only a new context does more.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        """`patience`: seconds for each call. PcscFault `pcsc-missing` where there is no PC/SC."""
        self._patience = patience
        self._library, self._line = _open_library(), _Line()
        self._context = _ULONG() if _ULONG is c_ulong else ctypes.c_size_t()
        self._call("SCardEstablishContext", _ULONG(_SYSTEM), None, None, byref(self._context))

    @property
    def lost(self) -> bool:
        """Whether somebody stopped waiting for a call."""
        return self._line.left

    def __enter__(self) -> "Readers":
        """The readers themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Let go of the service; after a call that hangs, as soon as it returns."""
        self._line.put(lambda: self._library.SCardReleaseContext(self._context))
        if not self.lost:
            self._line.take(self._patience)
        self._line.end()

    def names(self) -> list[str]:
        """The readers that are connected, as the system names them."""
        size = _ULONG()
        try:
            self._call("SCardListReaders", self._context, None, None, byref(size))
            names = create_string_buffer(size.value)
            self._call("SCardListReaders", self._context, None, names, byref(size))
        except PcscFault as fault:
            if fault.code == "no-reader":
                return []
            raise
        return [name.decode() for name in names.raw[:size.value].split(b"\0") if name]

    def with_card(self) -> list[str]:
        """The readers on which a card lies that answers."""
        return [name for name, state in self._states(self.names()) if state & _PRESENT and not state & _MUTE]

    def occupied(self) -> list[str]:
        """The readers on which something lies, whether it answers or not."""
        return [name for name, state in self._states(self.names()) if state & _PRESENT]

    def wait(self, seconds: float) -> None:
        """Return when a card came, went, or a reader did, and after so many seconds at the latest."""
        names = self.names()
        known = [(_PLUGGED, len(names) << 16), *((name.encode(), state & ~2) for name, state in self._states(names))]
        array = (_State * len(known))(*[_State(name, None, state, 0) for name, state in known])
        self._call("SCardGetStatusChange", self._context, _ULONG(int(seconds * 1000)), array, _ULONG(len(known)),
                   within=seconds + self._patience)

    def connect(self, name: str) -> "Card":
        """The card on the reader of this name; PcscFault."""
        return Card(self, name)

    def only(self) -> "Card":
        """The card of the only reader on which one lies. PcscFault `no-reader`, `no-card`; TwoCards."""
        found = self.with_card()
        if not found:
            raise PcscFault("card-mute" if self.occupied() else "no-card" if self.names() else "no-reader")
        if len(found) > 1:
            raise TwoCards(found)
        return self.connect(found[0])

    def _states(self, names: list[str]) -> list[tuple[str, int]]:
        if not names:
            return []
        array = (_State * len(names))(*[_State(name.encode(), None, _UNAWARE, 0) for name in names])
        self._call("SCardGetStatusChange", self._context, _ULONG(0), array, _ULONG(len(names)))
        return [(name, int(state.event)) for name, state in zip(names, array, strict=True)]

    def _call(self, function: str, *arguments: Any, within: float = 0.0) -> None:
        self._have(lambda: int(getattr(self._library, function)(*arguments)), within=within)

    def _have(self, work: Callable[[], int], *, within: float = 0.0) -> None:
        """Have one call made, or several, each of which may take so long."""
        if self.lost:
            raise PcscFault("card-mute")
        self._line.put(work)
        number = self._line.take(within or self._patience)
        if number is None:
            raise PcscFault("card-mute")
        number &= 0xFFFFFFFF
        if number and number != _TIMEOUT:
            raise PcscFault(_FAULTS.get(number, "reader-fails"), number)


class _Line:
    """A thread that makes calls one after another, so that who waits for one can stop waiting."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Callable[[], int] | None] = SimpleQueue()
        self._told: SimpleQueue[int] = SimpleQueue()
        self._began, self._lock = 0.0, Lock()
        self.left = False
        """Whether somebody stopped waiting: what was handed over last makes no more calls."""
        Thread(target=self._work, daemon=True).start()

    def put(self, call: Callable[[], int]) -> None:
        """Have it called once all before it have returned."""
        self._began = monotonic()
        self._asked.put(call)

    def next(self) -> bool:
        """For what is several calls, before each: its time begins now. False where nobody waits any more, so that a
        card which hung gets no command once it is forgotten.
        """
        with self._lock:
            self._began = monotonic()
            return not self.left

    def take(self, seconds: float) -> int | None:
        """What the call said; None where it, or one of several, says nothing in time."""
        left = seconds
        try:
            while True:
                with suppress(Empty):
                    return self._told.get(timeout=left)
                with self._lock:
                    left = self._began + seconds - monotonic()
                    if left <= 0:
                        self.left = True
                        return None
        except BaseException:  # who waited was interrupted
            self.left = True
            raise

    def end(self) -> None:
        """No more calls."""
        self._asked.put(None)

    def _work(self) -> None:
        while call := self._asked.get():
            self._told.put(call())


class TwoCards(ValueError):
    """Cards lie on two readers: `readers` says which, somebody must take one away."""

    def __init__(self, readers: list[str]) -> None:
        super().__init__("cards lie on two readers: leave one")
        self.readers = readers


class Card:
    """A card that lies on a reader, ours alone until `close`: a `Transport` whose faults are PcscFault (OSError)."""

    def __init__(self, readers: Readers, name: str) -> None:
        self.reader, self._readers = name, readers
        self._handle, protocol = type(readers._context)(), _ULONG()
        readers._call("SCardConnect", readers._context, name.encode(), _ULONG(_EXCLUSIVE), _ULONG(_T0_OR_T1),
                      byref(self._handle), byref(protocol))
        self._request = _Request(protocol.value, ctypes.sizeof(_Request))
        self._answer = create_string_buffer(_MOST_ANSWER)

    def __enter__(self) -> "Card":
        """The card itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def atr(self) -> bytes:
        """The answer to reset."""
        atr, size, zero = create_string_buffer(_MOST_ATR), _ULONG(_MOST_ATR), _ULONG(0)
        self._readers._call("SCardStatus", self._handle, None, byref(zero), None, None, atr, byref(size))
        return atr.raw[:size.value]

    @property
    def uid(self) -> bytes:
        """The identifier that the chip tells (PC/SC part 3, 3.2.2.1.3); nothing where it tells none."""
        data, sw = decode_response(self.transmit(GET_UID))
        return data if sw == OK else b""

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command, and give the answer. PcscFault."""
        size = _ULONG(_MOST_ANSWER)
        self._readers._call("SCardTransmit", self._handle, byref(self._request), apdu, _ULONG(len(apdu)), None,
                            self._answer, byref(size))
        return self._given(self._answer.raw[:size.value])

    def transmit_each(self, steps: Sequence[Step]) -> Iterator[bytes]:
        """The answer to each of many commands (`apdu.exchange`), handed over as one. PcscFault where one fails, once
        the answers before it are given.
        """
        at = 0
        while at < len(steps):
            answers, fault = list[bytes](), None
            try:
                self._readers._have(partial(self._send, steps[at:], answers))
            except PcscFault as failed:
                fault = failed
            for answer in list(answers):
                yield self._given(answer)
                at += 1
            if fault:
                raise fault

    def _send(self, steps: Sequence[Step], answers: list[bytes]) -> int:
        """In the thread that makes the calls: send the commands until one fails, or is answered otherwise than it is
        to be; what PC/SC said of the last one.
        """
        send, begins, size = self._readers._library.SCardTransmit, self._readers._line.next, _ULONG()
        how, told = byref(self._request), byref(size)
        for apdu, sure in steps:
            if not begins():
                break
            size.value = _MOST_ANSWER
            number = send(self._handle, how, apdu, _ULONG(len(apdu)), None, self._answer, told)
            if number:
                return int(number)
            answer = self._answer.raw[:size.value]
            answers.append(answer)
            if not answer or sure not in (None, answer):
                break
        return 0

    def _given(self, answer: bytes) -> bytes:
        if not answer:
            raise PcscFault("card-mute" if self._stays() else "card-removed")
        return answer

    def _stays(self) -> bool:
        """Whether the card that gave no byte still lies there: some drivers give none for one that is gone, too."""
        end = monotonic() + _SEEN_LATE
        while self.reader in self._readers.with_card():
            if monotonic() > end:
                return True
            self._readers.wait(_SEEN_LATE / 4)
        return False

    def reset(self) -> None:
        """Power off and on: nothing is selected any more, nobody proven."""
        protocol = _ULONG()
        self._readers._call("SCardReconnect", self._handle, _ULONG(_EXCLUSIVE), _ULONG(_T0_OR_T1), _ULONG(_UNPOWER),
                            byref(protocol))

    def close(self) -> None:
        """Let go of the card, its power off: what was proven is not for the next one."""
        with suppress(PcscFault):
            self._readers._call("SCardDisconnect", self._handle, _ULONG(_UNPOWER))


@contextmanager
def card_on(name: str = "") -> Iterator[Card]:
    """The card on the reader of this name, or on the only one that has one. PcscFault, TwoCards."""
    with Readers() as readers, (readers.connect(name) if name else readers.only()) as card:
        yield card


def _open_library() -> Any:
    try:
        library = ctypes.CDLL(_LIBRARY.get(sys.platform, "libpcsclite.so.1"))
    except OSError:
        raise PcscFault("pcsc-missing") from None
    suffix = "A" if sys.platform == "win32" else ""
    for name in ("SCardListReaders", "SCardGetStatusChange", "SCardConnect", "SCardStatus"):
        setattr(library, name, getattr(library, name + suffix))
    return library
