"""READ RECORD, UPDATE RECORD and APPEND RECORD, by number, in the selected file or by SFI (ISO/IEC 7816-4, 11.3)."""

from typing import Final

from zhengka.formats.apdu import Command
from zhengka.formats.chip.commands.run import Refused, Run
from zhengka.formats.chip.memory import CYCLIC, LINEAR_VARIABLE, TRANSPARENT, File, NoRoom

_PREVIOUS: Final = 3
_ONE: Final = 4
_FROM: Final = 5
_MOST: Final = 256


def read(run: Run, command: Command) -> bytes:
    """READ RECORD: the record with number P1, or all records from it on. Record 1 of a cyclic file is the newest."""
    file, mode = _file(run, command)
    if mode not in (_ONE, _FROM):
        raise Refused(0x6A86)
    run.may_read(file)
    if command.le is None:
        raise Refused(0x6700)
    _there(file, command.p1)
    wanted = file.records[command.p1 - 1 :] if mode == _FROM else file.records[command.p1 - 1 : command.p1]
    data = b"".join(wanted)
    if len(data) > _MOST:
        raise Refused(0x6700)
    if command.le not in (len(data), _MOST):
        raise Refused(0x6C00 | len(data) & 0xFF)
    run.session.fid = file.fid
    return data


def update(run: Run, command: Command) -> bytes:
    """UPDATE RECORD: another record with number P1 in a linear file, or over the oldest (P2 "previous") in a cyclic."""
    file, mode = _file(run, command)
    if mode not in (_PREVIOUS, _ONE):
        raise Refused(0x6A86)
    if (mode == _PREVIOUS) != (file.structure == CYCLIC):
        raise Refused(0x6981)
    data = _data(run, file, command)
    if mode == _PREVIOUS:
        return _keep(run, file, data, 0)
    _there(file, command.p1)
    return _keep(run, file, data, command.p1)


def append(run: Run, command: Command) -> bytes:
    """APPEND RECORD: one more at the end of a linear file; in a cyclic one it is number 1, and the oldest may go."""
    file, mode = _file(run, command)
    if mode or command.p1:
        raise Refused(0x6A86)
    return _keep(run, file, _data(run, file, command), 0)


def _file(run: Run, command: Command) -> tuple[File, int]:
    """The file and the mode that P2 means: SFI in five bits, mode in three (11.3.2)."""
    file = run.file(command.p2 >> 3)
    if file.structure == TRANSPARENT:
        raise Refused(0x6981)
    return file, command.p2 & 7


def _there(file: File, number: int) -> None:
    if not 1 <= number <= len(file.records):
        raise Refused(0x6A83)


def _data(run: Run, file: File, command: Command) -> bytes:
    data = run.to_write(file, command)
    if not data or (file.structure != LINEAR_VARIABLE and len(data) != file.size):
        raise Refused(0x6700)
    return data


def _keep(run: Run, file: File, data: bytes, number: int) -> bytes:
    try:
        run.keep_file(file.with_record(number, data) if number else file.appended(data))
    except NoRoom:
        raise Refused(0x6A84) from None
    run.session.fid = file.fid
    return b""
