"""A package in parts (分卷), for a transfer that goes on where it stopped."""

from pathlib import Path

from zhengka.core.errors import Refusal
from zhengka.formats import parts
from zhengka.formats.durable import write
from zhengka.formats.parts import PartBroken, PartList
from zhengka.formats.statement import StatementBroken
from zhengka.formats.suites import SigningKey
from zhengka.production.models import Batch
from zhengka.production.services.staging import packages, parts_of


def cut(path: Path, batch: Batch, digest: bytes, size: int, signer: SigningKey) -> Path:
    """Write the list of the parts of a package, of `size` bytes each, beside it; where it lies."""
    plan = parts.cut(path, size, batch=batch.number, package=digest, suite=signer.public.suite)
    lies = parts_of(path)
    write(lies, parts.sign(plan, signer))
    return lies


def split(batch: Batch, folder: Path, size: int, signer: SigningKey) -> PartList:
    """Write a batch's package as parts of `size` bytes into a folder, with their list; a part that is there and right
    stays. `Refusal`: `not-found` where there is no package, `part-size-wrong`.
    """
    path = package(batch)
    try:
        plan = parts.cut(path, size, batch=batch.number, package=bytes.fromhex(batch.manifest_digest),
                         suite=signer.public.suite)
    except ValueError:
        raise Refusal("part-size-wrong", least=parts.LEAST >> 10, most=parts.MOST >> 10) from None
    for number in range(1, len(plan.digests) + 1):
        there = folder / plan.name(number)
        if not _right(plan, number, there):
            write(there, parts.piece(path, plan, number))
    write(folder / parts_of(path).name, parts.sign(plan, signer))
    return plan


def package(batch: Batch) -> Path:
    """Where a batch's package lies; `Refusal("not-found")` where there is none, or none any more."""
    path = packages() / batch.package
    if not batch.package or not path.exists():
        raise Refusal("not-found")
    return path


def list_of(batch: Batch) -> bytes:
    """The signed list of the parts of a batch's package; `Refusal("not-found")` of one from before there were lists."""
    try:
        return parts_of(package(batch)).read_bytes()
    except FileNotFoundError:
        raise Refusal("not-found") from None


def part(batch: Batch, number: int) -> tuple[str, bytes]:
    """Name and bytes of one part of a batch's package. `Refusal`: `not-found`, `package-damaged`."""
    path = package(batch)
    try:
        plan = parts.unchecked(list_of(batch))
        return plan.name(number), parts.piece(path, plan, number)
    except ValueError as wrong:
        if isinstance(wrong, PartBroken | StatementBroken):
            raise Refusal("package-damaged", batch=batch.number) from None
        raise Refusal("not-found") from None


def _right(plan: PartList, number: int, path: Path) -> bool:
    try:
        plan.check(number, path.read_bytes())
    except (FileNotFoundError, PartBroken):
        return False
    return True
