"""Sub-commands for what goes to a card maker (制卡单位) and comes back: parts, receipts, its certificate."""

from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import typer
from django.utils import timezone

from zhengka.cli import cluster
from zhengka.cli.acts import As
from zhengka.cli.files import writing
from zhengka.cli.officers import actor
from zhengka.core.errors import Refusal
from zhengka.formats import durable, keyfile, statement, x509
from zhengka.formats.suites import MalformedKey, PublicKey
from zhengka.formats.x509 import CertificateBroken, Own
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.models import Maker

NOT_ANY_MORE = "none"


def _now() -> tuple[UUID, datetime]:
    return uuid4(), timezone.now()


def package(number: str, out: Path = typer.Option(..., help="Folder for the parts and their list.", file_okay=False),
            part_mib: float = typer.Option(16, help="MiB in each part, 0.0625 to 64."),
            officer: As = "producer2") -> None:
    """Take a batch's sealed package out in parts, with the signed list of them; parts that are there and right stay."""
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    found = batches.batch_by_number(number, actor=by)
    found = production.take_package(found, by=by, request_id=request_id, at=at)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        plan = production.split(found, out, int(part_mib * (1 << 20)), production.batch_signer(found, at=at))
    typer.echo(f"{out}: {len(plan.digests)} parts, list {plan.file}.parts")


def acknowledge(number: str, receipt: Path = typer.Argument(exists=True), officer: As = "producer") -> None:
    """Take the card maker's signed receipt of a batch's package."""
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    with receipt.open("rb") as file:
        text = file.read(statement.MOST + 1)
    production.acknowledge(batches.batch_by_number(number, actor=by), text, by=by, request_id=request_id, at=at)
    typer.echo(f"{number}: acknowledged")


def receipt(number: str, out: Path = typer.Option(..., help="File to write."), officer: As = "producer") -> None:
    """Write our signed receipt of the results of a batch, for its card maker."""
    cluster.ensure()
    found = batches.batch_by_number(number, actor=actor(officer))
    with writing(out):
        durable.write(out, production.write_receipt(found.pk, at=timezone.now()).encode())
    typer.echo(f"{out}: {found.good} good, {found.spoiled} spoiled, {found.suspect} suspect")


def enrol(name: str,
          public: Path = typer.Argument(help="The maker's certificate, or its public key file.", exists=True),
          camera: bool = typer.Option(False, help="A camera of the maker looks at every finished card."),
          pictures: str = typer.Option("", help="Faces as pictures besides PDF: png-300, png-600, jpeg-300, jpeg-600."),
          officer: As = "security") -> None:
    """Take a card maker's key under a name, or prolong it by a new certificate; read the key id out by telephone."""
    cluster.ensure()
    key, certificate = _read(public)
    found = production.enrol_maker(name, key, by=actor(officer), camera=camera, certificate=certificate,
                                   pictures=pictures)
    until = f", until {found.valid_until:%Y-%m-%d}" if found.valid_until else ""
    typer.echo(f"{name}: key {key.key_id.hex()}, {key.suite}{until}")


def revoke(name: str, officer: As = "security") -> None:
    """From now on nothing goes to a card maker or comes from it; it never comes back."""
    cluster.ensure()
    production.revoke_maker(_maker(name), by=actor(officer), at=timezone.now())
    typer.echo(f"{name}: revoked")


def text_form(name: str, code: str = typer.Argument(help="gbk, gb18030, or none"), officer: As = "security") -> None:
    """Put the text form of older programs into a card maker's packages, too, or leave it out again."""
    if code not in (NOT_ANY_MORE, "gbk", "gb18030"):
        raise typer.BadParameter("gbk, gb18030, or none")
    cluster.ensure()
    wanted = "" if code == NOT_ANY_MORE else code
    found = production.use_text_form(_maker(name), wanted, by=actor(officer))
    typer.echo(f"{name}: text form {found.text_form or NOT_ANY_MORE}")


def _maker(name: str) -> Maker:
    for found in batches.makers().filter(name=name):
        return found
    raise Refusal("not-found", maker=name)


def _read(path: Path) -> tuple[PublicKey, Own | None]:
    """The key in a file, and the certificate where it is one; `Refusal("certificate-broken")`."""
    with path.open("rb") as file:
        content = file.read(x509.MOST_BYTES + 1)
    try:
        if content.lstrip()[:1] == b"{":
            return keyfile.parse_public(content, path.name), None
        own = x509.read_own(content)
    except (CertificateBroken, MalformedKey) as broken:
        raise Refusal("certificate-broken", file=path.name, why=str(broken)) from None
    return own.public, own
