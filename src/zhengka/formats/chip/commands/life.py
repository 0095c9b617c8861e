"""The chip's life cycle: END PERSONALISATION, locking an application or the whole card (PBOC manner), and GET DATA."""

from dataclasses import replace

from zhengka.formats.apdu import Command
from zhengka.formats.chip import secure
from zhengka.formats.chip.commands.run import Refused, Run
from zhengka.formats.chip.memory import CIPHERED, FREE, NEVER, TRANSPARENT
from zhengka.formats.tlv import encode, encode_all


def close(run: Run, _command: Command) -> bytes:
    """END PERSONALISATION (80 EA): from now on the rights of all files hold, and the keys for making are gone."""
    run.making()
    applications = run.memory.applications.values()
    for application in applications:
        files = application.files.values()
        needed = {file.read for file in files} | {file.update & ~CIPHERED for file in files if file.update != NEVER}
        if needed - {FREE, NEVER} - application.keys.keys():
            raise Refused(0x6A88)
    if not any(application.keys for application in applications):
        raise Refused(0x6A88)
    run.keep(replace(run.memory, state="operational", kek=b"", channel=None))
    run.session.proven.clear()
    return b""


def lock_application(run: Run, command: Command) -> bytes:
    """APPLICATION BLOCK (84 1E), under the control key: it can still be selected, and answers 6283 then.

    One that is blocked already stays so, and this is no error: a repeat is harmless.
    """
    return _lock(run, command, locked=True)


def unlock_application(run: Run, command: Command) -> bytes:
    """APPLICATION UNBLOCK (84 18), under the control key."""
    return _lock(run, command, locked=False)


def terminate(run: Run, command: Command) -> bytes:
    """CARD BLOCK (84 16), under the control key: the chip never again does anything."""
    _by_control(run, command)
    run.keep(replace(run.memory, state="terminated"))
    return b""


def tell(run: Run, command: Command) -> bytes:
    """GET DATA (ISO/IEC 7816-4, 11.7.2), also of a locked application.

    00E0: its keys, each as C0 with slot, version, algorithm and length (GlobalPlatform, 11.3.3.1). DF20: its life-cycle
    state and a MAC over that, its keys, and the files and records that are named behind an 8-byte challenge, in three
    bytes each: identifier, and number of the record or 00 (`secure.receipt`).
    """
    if command.le is None:
        raise Refused(0x6700)
    application, tag = run.application, command.p1 << 8 | command.p2
    secrets = [application.keys[slot] for slot in sorted(application.keys)]
    if tag == secure.TELL_KEYS and not command.data:
        about = [bytes([each.entry.slot, each.entry.version, secure.ALGORITHM[run.suite.name], 16]) for each in secrets]
        return encode(0xE0, encode_all([(0xC0, each) for each in about]))
    if tag != secure.TELL_STATE:
        raise Refused(0x6A88)
    challenge, places = command.data[: secure.CHALLENGE], command.data[secure.CHALLENGE :]
    if len(challenge) < secure.CHALLENGE or len(places) % 3:
        raise Refused(0x6700)
    if not run.operational:
        raise Refused(0x6985)
    life = secure.LOCKED if application.locked else secure.SELECTABLE
    versions = tuple((each.entry.slot, each.entry.version) for each in secrets)
    contents = tuple(_content(run, places[at : at + 2], places[at + 2]) for at in range(0, len(places), 3))
    internal = run.secret_for("internal").key
    told = secure.Told(life, versions, contents)
    return bytes([life]) + secure.receipt(run.suite, internal, challenge, application.name, told)


def _content(run: Run, fid: bytes, number: int) -> tuple[bytes, int, bytes]:
    file = run.application.files.get(fid)
    if file is None:
        raise Refused(0x6A82)
    if file.structure == TRANSPARENT:
        if number:
            raise Refused(0x6981)
        return fid, 0, file.content
    if not 1 <= number <= len(file.records):
        raise Refused(0x6A83)
    return fid, number, file.records[number - 1]


def _lock(run: Run, command: Command, *, locked: bool) -> bytes:
    _by_control(run, command)
    if run.application.locked != locked:
        run.keep(run.memory.with_application(replace(run.application, locked=locked)))
    run.session.proven.clear()
    return b""


def _by_control(run: Run, command: Command) -> None:
    """Refuse what is not signed by the control key of the current application."""
    if not run.operational:
        raise Refused(0x6985)
    if command.p1 or command.p2:
        raise Refused(0x6A86)
    if run.unprotected(command, run.secret_for("control")):
        raise Refused(0x6700)
