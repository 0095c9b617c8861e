"""A PKCS #11 token, reached through one thread of this process: found, logged in, and given up when it does not answer.

The binding tells a module that threads will not call it at once, so that all calls of a process stand in one line; more
speed comes from more processes, each with a session of its own. A session that was lost is opened again, with the PIN.
A process that was forked begins anew: nothing of its parent's sessions is used.
"""

import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar

import pkcs11
from pkcs11 import Attribute, Session, exceptions
from pkcs11.attributes import AttributeMapper, handle_ulong

from zhengka.keys.store.interface import KeyStoreError, TokenLost, TokenSilent, WrongPassphrase

PATIENCE = 10.0
"""Seconds for one call of a token; a batch is many calls."""
Answer = TypeVar("Answer")
Work = Callable[["Desk"], Answer]
_PIN = (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange, exceptions.PinExpired,
        exceptions.PinLocked)


class Desk:
    """Where one piece of work meets the token: the session, and `beat`, said between two calls of a long one.

    The work sets `begun` before what must not happen twice: from there on a lost session ends it.
    """

    def __init__(self, session: Session, offered: frozenset[int], beat: Callable[[], None]) -> None:
        self.session, self.offered, self.beat, self.begun = session, offered, beat, False


class Token:
    """One token of one module, by its label. The PIN is kept to log in again, and shown nowhere."""

    def __init__(self, module: str, label: str, pin: str, *, patience: float = PATIENCE) -> None:
        """Nothing is opened before the first call."""
        self.label, self._module, self._pin, self._patience = label, module, pin, patience

    def call(self, work: Work[Answer]) -> Answer:
        """Do the work at the token and return its answer; where the session was lost on the way, again in a new one.

        TokenSilent, TokenLost, WrongPassphrase, and whatever the work itself raises.
        """
        line = _line(self._module)
        return line.call(lambda: line.serve(self.label, self._pin, work), self._patience)

    def __repr__(self) -> str:
        """Module and label."""
        return f"<Token {self.label} of {self._module}>"


class _Line:
    """The one thread that calls a module. It is a daemon: a module that never returns does not keep the process."""

    def __init__(self, module: str, *, forked: bool) -> None:
        self._module, self._stale = module, forked
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._turn, self._now, self._beaten = threading.Lock(), Future[Any](), 0.0
        self._now.set_result(None)
        self._open = dict[str, tuple[str, Session, frozenset[int]]]()
        self._wrong = set[tuple[str, str]]()
        threading.Thread(target=self._work, name=f"pkcs11 {module}", daemon=True).start()

    def call(self, task: Callable[[], Answer], patience: float) -> Answer:
        with self._turn:
            if not self._now.done():
                raise TokenSilent("the token does not answer")
            self._now = asked = Future[Answer]()
            self._beat()
            self._tasks.put((asked, task))
            while not asked.done():
                left = self._beaten + patience - time.monotonic()
                if left <= 0:
                    raise TokenSilent(f"the token does not answer within {patience:g} seconds")
                wait([asked], timeout=left)
            return asked.result()

    def serve(self, label: str, pin: str, work: Work[Answer]) -> Answer:
        """In the thread: the work at a session of this token."""
        desk = None
        try:
            desk = self._desk(label, pin)
            return work(desk)
        except exceptions.PKCS11Error as fault:
            if isinstance(fault, _PIN):
                self._wrong.add((label, pin))  # never asked again: a token counts wrong PINs, and locks
            if isinstance(fault, _PIN) or (desk and desk.begun):
                raise _named(fault, label) from None
            self._stale = True
        try:
            return work(self._desk(label, pin))
        except exceptions.PKCS11Error as fault:
            self._stale = True
            raise _named(fault, label) from None

    def _work(self) -> None:
        while True:
            asked, task = self._tasks.get()
            try:
                asked.set_result(task())
            except BaseException as fault:
                asked.set_exception(fault)
            del asked, task

    def _beat(self) -> None:
        self._beaten = time.monotonic()

    def _desk(self, label: str, pin: str) -> Desk:
        module = pkcs11.lib(self._module)
        if self._stale:
            self._renew(module)
        if (label, pin) in self._wrong:
            raise WrongPassphrase(f"the PIN does not open the token {label}")
        if label not in self._open:
            token = self._find(module, label)
            session = token.open(rw=True, user_pin=pin, attribute_mapper=_mapper())
            offered = frozenset(int(one) for one in token.slot.get_mechanisms())
            self._open[label] = pin, session, offered
        known, session, offered = self._open[label]
        if known != pin:
            raise WrongPassphrase(f"the PIN does not open the token {label}")
        return Desk(session, offered, self._beat)

    def _find(self, module: Any, label: str) -> pkcs11.Token:
        try:
            found: pkcs11.Token = module.get_token(token_label=label)
        except exceptions.NoSuchToken:  # put in since the module was begun
            self._renew(module)
            found = module.get_token(token_label=label)
        return found

    def _renew(self, module: Any) -> None:
        """Begin the module anew; every session of it is gone."""
        self._open.clear()
        with suppress(exceptions.PKCS11Error):  # it was not begun in this process, or what it stood on is gone
            module.finalize()
        module.initialize()
        self._stale = False


_LINES: dict[str, _Line] = {}
_OPENING = threading.Lock()
_forked = False


def _line(module: str) -> _Line:
    with _OPENING:
        if module not in _LINES:
            _LINES[module] = _Line(module, forked=_forked)
        return _LINES[module]


def _after_fork() -> None:
    global _OPENING, _forked
    _OPENING, _forked = threading.Lock(), True
    _LINES.clear()


os.register_at_fork(after_in_child=_after_fork)


def _mapper() -> AttributeMapper:
    """The binding's own, but key types of vendors are plain numbers."""
    mapper = AttributeMapper()
    mapper.register_handler(Attribute.KEY_TYPE, *handle_ulong)
    return mapper


def _named(fault: exceptions.PKCS11Error, label: str) -> KeyStoreError:
    """The fault in our words; the module's own messages name no secret, but are not repeated beyond the name."""
    if isinstance(fault, _PIN):
        return WrongPassphrase(f"the PIN does not open the token {label}")
    if isinstance(fault, exceptions.PinLocked):
        return WrongPassphrase(f"the token {label} is locked after wrong PINs")
    return TokenLost(f"the token {label} failed: {type(fault).__name__}")
