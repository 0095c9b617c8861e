"""What the chip can do, by class and instruction byte: one function for each command."""

from collections.abc import Callable
from typing import Final

from zhengka.formats.apdu import Command
from zhengka.formats.chip.commands import channel, files, keys, life, records
from zhengka.formats.chip.commands.run import Refused, Run, Session

__all__ = ["COMMANDS", "IN_CHANNEL", "KNOWN", "WHEN_LOCKED", "Refused", "Run", "Session", "Work"]

Work = Callable[[Run, Command], bytes]

COMMANDS: Final[dict[tuple[int, int], Work]] = {
    (0x00, 0xE0): files.create,
    (0x04, 0xE0): files.add,
    (0x00, 0xA4): files.select,
    (0x00, 0xB0): files.read,
    (0x00, 0xD6): files.update,
    (0x04, 0xD6): files.update,
    (0x00, 0xB2): records.read,
    (0x00, 0xDC): records.update,
    (0x04, 0xDC): records.update,
    (0x00, 0xE2): records.append,
    (0x04, 0xE2): records.append,
    (0x84, 0xD4): keys.put,
    (0x00, 0x84): keys.challenge,
    (0x00, 0x82): keys.external,
    (0x00, 0x88): keys.internal,
    (0x00, 0x20): keys.verify,
    (0x00, 0x24): keys.change,
    (0x00, 0x2C): keys.unblock,
    (0x84, 0x24): keys.reset,
    (0x00, 0xCA): life.tell,
    (0x80, 0xEA): life.close,
    (0x84, 0x1E): life.lock_application,
    (0x84, 0x18): life.unlock_application,
    (0x84, 0x16): life.terminate,
    (0x80, 0x50): channel.initialize,
    (0x84, 0x82): channel.authenticate,
}
IN_CHANNEL: Final[dict[tuple[int, int], Work]] = {
    place: work for place, work in COMMANDS.items() if not place[0] & 0x04
} | {(0x80, 0xD4): keys.put, (0x80, 0xD8): channel.put_keys}
"""The same as they arrive through the channel, which takes bit 04 of the class away."""

KNOWN: Final = frozenset(ins for _, ins in COMMANDS)

WHEN_LOCKED: Final = frozenset({
    files.select, keys.challenge, life.tell, life.lock_application, life.unlock_application, life.terminate})
"""What a locked application still does."""
