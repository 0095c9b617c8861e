"""The chip's life cycle: END PERSONALISATION, and locking an application or the whole card (PBOC manner)."""

from dataclasses import replace

from zhengka.formats.apdu import Command
from zhengka.formats.chip.commands.run import Refused, Run
from zhengka.formats.chip.memory import CIPHERED, FREE, NEVER


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
    """APPLICATION BLOCK (84 1E), under the control key: it can still be selected, and answers 6283 then."""
    return _lock(run, command, locked=True)


def unlock_application(run: Run, command: Command) -> bytes:
    """APPLICATION UNBLOCK (84 18), under the control key."""
    return _lock(run, command, locked=False)


def terminate(run: Run, command: Command) -> bytes:
    """CARD BLOCK (84 16), under the control key: the chip never again does anything."""
    _by_control(run, command)
    run.keep(replace(run.memory, state="terminated"))
    return b""


def _lock(run: Run, command: Command, *, locked: bool) -> bytes:
    _by_control(run, command)
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
