"""What an operator sees of keys, and certificates of keys, written to files for readers of X.509."""

import base64
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.cards import key_use
from zhengka.cards import services as cards
from zhengka.cli import cluster
from zhengka.cli.acts import As, Unit, unit_of
from zhengka.cli.files import writing
from zhengka.cli.officers import actor
from zhengka.core.errors import Refusal
from zhengka.formats import keyfile
from zhengka.formats.suites import SUITES
from zhengka.keys import queries, rules, services
from zhengka.keys.models import Key
from zhengka.keys.transcript import is_signed

KEPT = {"file": "key file", "token": "in the token", "hybrid": "hybrid: sealed by the token, opened in memory",
        "drawn": "drawn from its parent", "none": "destroyed"}
Suite = Annotated[str, typer.Option(help="SM or INTL.")]
Custodians = Annotated[list[str], typer.Option(help="User name of one who is asked to agree; two at least.")]

keys = typer.Typer(name="keys", help="Keys (密钥): what there is, where it lives, certificates.", no_args_is_help=True)


@keys.command("list")
def list_(unit: Unit) -> None:
    """The keys of a unit's province: label, state, check value, where each lives, signatures made."""
    for key in queries.of_province(unit_of(unit).code):
        typer.echo(f"{key.label} {key.state} {key.check_value} {KEPT[key.kept]}, {key.signatures} signatures")


@keys.command()
def tree(officer: As = "security") -> None:
    """The key tree, level by level: state, check value, what each key is drawn from, who holds its components."""
    cluster.ensure()
    for key in queries.tree(actor(officer)).select_related("parent"):
        held = ", ".join(f"{one.name} {one.number}" for one in key.custodians.order_by("number"))
        origin = f" by {key.rule} from {key.parent}" if key.parent and key.rule else ""
        typer.echo(f"{'  ' * rules.LEVELS.index(key.level)}{key.label} {key.state} {key.check_value}{origin}"
                   + (f" [{held}]" if held else "") + _trial(key))


@keys.command()
def use(officer: As = "security") -> None:
    """What depends on each key version: cards here by their state, security modules that have it, and how many cards
    of all provinces need it.
    """
    cluster.ensure()
    by = actor(officer)
    found = defaultdict(key_use.Use, key_use.uses(by))
    for key in queries.tree(by):
        needed = key_use.needed(key)
        if key.pk in found or needed:
            states = ", ".join(f"{number} {state}" for state, number in sorted(found[key.pk].cards.items()))
            typer.echo(f"{key.label} {key.state}: {states or 'no cards here'}; {found[key.pk].modules} modules; "
                       f"{needed} depend on it")
    typer.echo(f"{key_use.unknown(by)} cards in use of unknown versions")


@keys.command()
def derive(label: str, unit: Annotated[str, typer.Option(help="Six-digit code of the place below.")],
           officer: As = "security") -> None:
    """Keep the key of a place as one that is drawn (分散) from the master key LABEL of the level above."""
    cluster.ensure()
    by = actor(officer)
    area = Area.objects.filter(code=int(unit) * 10**6).first() if unit.isdigit() else None
    if area is None:
        raise Refusal("unit-not-listed", unit=unit)
    made = services.derive(queries.by_label(label, actor=by), area, by=by, request_id=uuid4(), at=timezone.now())
    typer.echo(f"{made.label} {made.check_value}")


@keys.command()
def activate(label: str, officer: As = "security") -> None:
    """Put a version to work that waits; the one before it goes on reading."""
    _change(label, officer, services.activate)


@keys.command()
def retire(label: str, officer: As = "security") -> None:
    """Retire a version on which no card depends: it makes and reads nothing more. Where cards depend on it, two
    custodians agree in a ceremony on the pages.
    """
    _change(label, officer, cards.retire_key)


@keys.command()
def transport(unit: Unit, suite: Suite = "SM", officer: As = "security",
              out: Path = typer.Option(Path("transport.json"), help="File to write.")) -> None:
    """Write the public key to which others wrap keys for a unit's province (传输密钥); made when first asked for."""
    area, by = unit_of(unit), actor(officer)
    key = services.transport_key(rules.province(area.code), suite, by=by, at=timezone.now())
    public = SUITES[suite].public_key(bytes(key.public or b""))
    with writing(out):
        keyfile.write_public(out, public)
    typer.echo(f"{out}: key {public.key_id.hex()}, {suite}")


@keys.command()
def ceremonies(officer: As = "security") -> None:
    """The ceremonies over keys, the newest first. They are held on the pages, each officer at their own login."""
    cluster.ensure()
    for row in queries.ceremonies(actor(officer)).order_by("-pk"):
        done = row.seats.exclude(done_at=None).count()
        typer.echo(f"{row.pk} {row.aim} {row.label} {row.state}, {done} of {row.enough} parts done")


@keys.command()
def cancel(ceremony: int, reason: Annotated[str, typer.Option(help="Why it ends.")], officer: As = "security") -> None:
    """Cancel a ceremony: its components are gone, and nothing of it is in the key store."""
    cluster.ensure()
    by = actor(officer)
    row = services.cancel(queries.ceremony(ceremony, actor=by), reason=reason, by=by, request_id=uuid4(),
                          at=timezone.now())
    typer.echo(f"{row.pk} {row.state}")


@keys.command()
def transcript(ceremony: int, officer: As = "security") -> None:
    """The transcript of a ceremony, and whether its signature holds."""
    cluster.ensure()
    by = actor(officer)
    row = queries.ceremony(ceremony, actor=by)
    if not row.transcript:
        raise Refusal("not-found", transcript=ceremony)
    typer.echo(row.transcript)
    if row.signature is not None:
        signed = is_signed(row, queries.by_label(row.signed_by, actor=by))
        typer.echo(f"{'signed' if signed else 'NOT SIGNED'} by {row.signed_by}")
        if not signed:
            raise typer.Exit(2)


@keys.command()
def certify(unit: Unit, suite: Suite = "SM", officer: As = "security",
            out: Path = typer.Option(Path("certificates"), help="Folder to write into.")) -> None:
    """Certificates (X.509) nation → province → signing keys, and the lists of revoked ones, as PEM files.

    In SM, OpenSSL checks a link at a time: `openssl verify -partial_chain -vfyopt distid:1234567812345678 -trusted …`,
    for it gives that identifier to the last certificate alone, and the empty one to every certificate above.
    """
    area, by, at = unit_of(unit), actor(officer), timezone.now()
    out.mkdir(parents=True, exist_ok=True)
    for made in services.certify(area.code, suite, by=by, request_id=uuid4(), at=at):
        path = out / f"{made.key_id.replace('/', '-')}.pem"
        _write(path, "CERTIFICATE", bytes(made.der or b""))
        typer.echo(f"{path}: {made.serial}, until {made.not_after:%Y-%m-%d}")
    for code in (0, area.code):
        path = out / f"{code // 10**10:02d}-revoked-{suite}.crl"
        _write(path, "X509 CRL", services.revocation_list(code, suite, at=at))
        typer.echo(str(path))


@keys.command("revoke-key")
def revoke_key(label: str, custodian: Custodians, officer: As = "security") -> None:
    """Open the ceremony that revokes the signing key LABEL: once two custodians agreed, nothing that it signed is
    trusted, and its certificates are revoked.
    """
    cluster.ensure()
    by = actor(officer)
    named = list(queries.custodians(by).filter(username__in=custodian))
    if len(named) != len(set(custodian)):
        raise Refusal("custodians-wrong")
    wanted = services.Wanted("revoke", named, queries.by_label(label, actor=by))
    row = services.open_ceremony(wanted, Area.objects.get(code=by.lo), by=by, request_id=uuid4(), at=timezone.now())
    typer.echo(f"{row.pk} {row.aim} {row.label} {row.state}, 0 of {row.enough} parts done")


@keys.command()
def revoke(serial: int, unit: Unit, officer: As = "security") -> None:
    """Revoke a certificate alone: the next list of its issuer names it. The key goes on, and what it signed is good."""
    area, by = unit_of(unit), actor(officer)
    found = queries.certificates(area.code).filter(serial=serial).first()
    if found is None:
        raise Refusal("not-found", certificate=serial)
    revoked = services.revoke_certificate(found, by=by, at=timezone.now())
    typer.echo(f"{revoked.key_id}: revoked at {revoked.revoked_at:%Y-%m-%d %H:%M}")


def _trial(key: Key) -> str:
    """The mark of a master that no custodian holds."""
    return " (without ceremony: for trials only)" if key.purpose in rules.MASTERS and not key.by_ceremony else ""


def _change(label: str, officer: str, do: Callable[..., Key]) -> None:
    cluster.ensure()
    by = actor(officer)
    key = do(queries.by_label(label, actor=by), by=by, request_id=uuid4(), at=timezone.now())
    typer.echo(f"{key.label} {key.state}")


def _write(path: Path, kind: str, der: bytes) -> None:
    text = base64.encodebytes(der).decode()
    with writing(path):
        path.write_text(f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n")
