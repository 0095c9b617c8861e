"""An older program prints from the text form (旧版制卡文本), and its return file is held against the chips made here.

The chip is written and read back by `run`; the older program prints. A card is good where both say the same of it: a
chip that it did not print, or that it printed on another one, is suspect, and never good by the return file alone.
"""

from collections.abc import Iterator
from pathlib import Path

from zhengka.formats import durable, legacy
from zhengka.formats.legacy import Fault, LegacyBroken, Returned
from zhengka.formats.package import PackageReader
from zhengka.formats.results import CardResult, Counts, ResultReader, ResultWriter
from zhengka.formats.suites import SigningKey

NOT_PRINTED = "not in the older program's return file"
ANOTHER_CHIP = "the older program names another chip"
TWICE = "twice in the older program's return file"


class LinesBroken(ValueError):
    """Lines of a return file that cannot be read: every one is named, and nothing of it is taken."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(f"line {fault.line}: {fault.code}" for fault in faults))
        self.faults = faults


def unpack(reader: PackageReader, folder: Path) -> list[Path]:
    """Write each text form of a package into a folder, readable by its owner alone; where they lie."""
    found = []
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for member in reader.members:
        if member.name.startswith("text-"):
            durable.write(folder / member.name, reader.plain(member))
            found.append(folder / member.name)
    if not found:
        raise LegacyBroken("no-text-form")
    return found


def merged(results: Path, returned: Path, out: Path, key: SigningKey) -> Counts:
    """Sign the results again as they are once the return file was held against them. LinesBroken, LegacyBroken."""
    printed = _printed(returned)
    made = ResultReader(results, key.public)
    with ResultWriter(out, made.info, key) as writer:
        for card in _held_against(made.cards(), printed):
            writer.add(card)
    return ResultReader(out, key.public).counts


def _printed(returned: Path) -> dict[str, bytes]:
    """Serial → UID of the chip that the older program says it printed on; empty bytes where it says it twice."""
    printed, faults = dict[str, bytes](), list[Fault]()
    with returned.open("rb") as file:
        for one in legacy.read_returned(file):
            if isinstance(one, Returned):
                printed[one.serial] = b"" if one.serial in printed else one.uid
            else:
                faults.append(one)
    if faults:
        raise LinesBroken(faults)
    return printed


def _held_against(cards: Iterator[CardResult], printed: dict[str, bytes]) -> Iterator[CardResult]:
    for card in cards:
        uid = printed.get(card.serial)
        if card.outcome != "good" or uid == card.uid:
            yield card
            continue
        why = NOT_PRINTED if uid is None else ANOTHER_CHIP if uid else TWICE
        yield card._replace(outcome="suspect", reason=why, shown=None)
