"""PUT KEY, and all by which one side proves a key or a person a PIN (ISO/IEC 7816-4, 11.5)."""

import hmac
from dataclasses import replace
from typing import Final

from zhengka.formats import sm4
from zhengka.formats.apdu import Command
from zhengka.formats.chip import secure
from zhengka.formats.chip.commands.run import Refused, Run
from zhengka.formats.chip.memory import KEK_TRIES, Secret

PROVED_OUTSIDE: Final = ("control", "maintenance", "reader")
"""Purposes of keys that somebody outside can prove to the card."""


def put(run: Run, command: Command) -> bytes:
    """PUT KEY: under the transport key while the chip is being made, later under its own control key."""
    application = run.application
    if len(command.data) != secure.KEY_BLOB or not 1 <= command.p2 <= 31 or command.p1:
        raise Refused(0x6700 if len(command.data) != secure.KEY_BLOB else 0x6A86)
    if run.operational:
        control = run.secret_for("control")
        wrapping, blob = sm4.AtWork(control.key, cipher=run.suite.cipher), run.unprotected(command, control)
    else:
        run.making()
        wrapping, blob = run.transport, _checked_by_kek(run, command)
    try:
        plain = wrapping.ecb_decrypt(blob)
        entry, key = secure.read_key(run.suite, plain, command.p2)
    except ValueError:
        raise Refused(0x6A80) from None
    if command.p2 not in application.keys:
        run.take(0)
    run.keep_key(Secret(entry._replace(blocked=False), key, 0 if entry.blocked else entry.tries))
    run.session.proven.discard(command.p2)
    return b""


def _checked_by_kek(run: Run, command: Command) -> bytes:
    """The two blocks, if their MAC under the transport key is right; it is the same in the channel and outside it."""
    memory, blob, mac = run.memory, command.data[:32], command.data[32:]
    covered = bytes([0x84, command.ins, command.p1, command.p2, secure.KEY_BLOB]) + blob
    expected = run.transport.cmac(covered)[: secure.MAC]
    if not hmac.compare_digest(mac, expected):
        left = memory.kek_left - 1
        raise Refused(0x6988, replace(memory, kek_left=left, state=memory.state if left else "blocked"))
    if memory.kek_left != KEK_TRIES:
        run.keep(replace(memory, kek_left=KEK_TRIES))
    return blob


def challenge(run: Run, command: Command) -> bytes:
    """GET CHALLENGE (11.5.3), 8 bytes; good for the next command that needs one, once.

    Of 4 bytes, as public card code asks for them (`0084000004`), the other 4 are zeros on both sides.
    """
    size = secure.CHALLENGE if command.le == 256 else command.le
    if size not in (secure.CHALLENGE, secure.SHORT_CHALLENGE) or command.p1 or command.p2:
        raise Refused(0x6700 if size not in (secure.CHALLENGE, secure.SHORT_CHALLENGE) else 0x6A86)
    told = run.random(size)
    run.session.challenge = told.ljust(secure.CHALLENGE, b"\0")
    return told


def external(run: Run, command: Command) -> bytes:
    """EXTERNAL AUTHENTICATE (11.5.4): P2 is the slot, the data an 8-byte proof.

    With 8 bytes of the reader's own challenge behind the proof it is MUTUAL AUTHENTICATE, and the card answers those
    with its internal key as INTERNAL AUTHENTICATE does.
    """
    secret = run.secret(command.p2)
    if secret.entry.purpose not in PROVED_OUTSIDE:
        raise Refused(0x6985)
    mutual = len(command.data) == 2 * secure.CHALLENGE
    proof = command.data[: secure.CHALLENGE] if mutual else command.data
    right = hmac.compare_digest(proof, secure.answer(run.suite, secret.key, run.used_challenge()))
    run.judge(secret, right, 0x63C0)
    answer = b""
    if mutual:
        answer = secure.answer(run.suite, run.secret_for("internal").key, command.data[secure.CHALLENGE :])
    run.session.proven.add(command.p2)
    return answer


def internal(run: Run, command: Command) -> bytes:
    """INTERNAL AUTHENTICATE (11.5.2): while being made, every slot proves that its key is there."""
    secret = run.secret(command.p2)
    if not run.operational:
        run.making()
    elif secret.entry.purpose != "internal":
        raise Refused(0x6985)
    if len(command.data) != secure.CHALLENGE:
        raise Refused(0x6700)
    return secure.answer(run.suite, secret.key, command.data)


def verify(run: Run, command: Command) -> bytes:
    """VERIFY (11.5.6): P2 is the PIN's slot. Without data it asks whether it is proven, or how many tries are left.

    A PIN that was told at a desk opens nothing before its holder has chosen another one (6984).
    """
    secret = _pin(run, command)
    if command.p1:
        raise Refused(0x6A86)
    if command.data and secret.entry.version & secure.ONCE:
        raise Refused(0x6984)
    if not command.data:
        if command.p2 in run.session.proven:
            return b""
        raise Refused(0x63C0 | secret.left)
    _judge_pin(run, secret, command.data)
    run.session.proven.add(command.p2)
    return b""


def change(run: Run, command: Command) -> bytes:
    """CHANGE REFERENCE DATA (11.5.7): the old PIN and the new one, 8 bytes each."""
    secret = _pin(run, command)
    if command.p1:
        raise Refused(0x6A86)
    old, new = _two(command.data)
    _judge_pin(run, secret, old)
    if new == old and secret.entry.version & secure.ONCE:
        raise Refused(0x6A80)
    own = secret.entry._replace(version=secure.OWN)
    run.keep_key(Secret(own, _block(new), own.tries))
    return b""


def reset(run: Run, command: Command) -> bytes:
    """PIN CHANGE/UNBLOCK (84 24, PBOC manner) under the application's key for it: P2 is the PIN's slot, the enciphered
    data the PIN's new version and the PIN. A blocked PIN, and one that was never set, can be used then.
    """
    if not run.operational:
        raise Refused(0x6985)
    secret = run.application.keys.get(command.p2)
    if secret is None or secret.entry.purpose != "pin" or command.p1:
        raise Refused(0x6A86 if command.p1 else 0x6A88)
    data = run.unprotected(command, run.secret_for("pin-unlock"), ciphered=True)
    if len(data) != 1 + secure.PIN or not data[0] & secure.ONCE:
        raise Refused(0x6A80)
    entry = secret.entry._replace(version=data[0])
    run.keep_key(Secret(entry, _block(data[1:]), entry.tries))
    run.session.proven.discard(command.p2)
    return b""


def unblock(run: Run, command: Command) -> bytes:
    """RESET RETRY COUNTER (11.5.10): the unblocking code, then (P1 00) a new PIN or (P1 01) nothing."""
    if command.p1 not in (0x00, 0x01):
        raise Refused(0x6A86)
    secret = run.application.keys.get(command.p2)
    if secret is None or secret.entry.purpose != "pin":
        raise Refused(0x6A88)
    code, new = _two(command.data) if command.p1 == 0x00 else (command.data, b"")
    key = _block(new) if new else secret.key
    _judge_pin(run, run.secret_for("unblock"), code)
    run.keep_key(replace(secret, key=key, left=secret.entry.tries))
    return b""


def _pin(run: Run, command: Command) -> Secret:
    secret = run.secret(command.p2)
    if secret.entry.purpose != "pin":
        raise Refused(0x6A88)
    return secret


def _judge_pin(run: Run, secret: Secret, told: bytes) -> None:
    run.judge(secret, hmac.compare_digest(secret.key, _block(told)), 0x63C0)


def _two(data: bytes) -> tuple[bytes, bytes]:
    if len(data) != 2 * secure.PIN:
        raise Refused(0x6700)
    return data[: secure.PIN], data[secure.PIN :]


def _block(told: bytes) -> bytes:
    try:
        return secure.pin_block(told)
    except ValueError:
        raise Refused(0x6700) from None
