"""What an operator sees of keys, and certificates of keys, written to files for readers of X.509."""

import base64
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from django.utils import timezone

from zhengka.cli.acts import As, Unit, unit_of
from zhengka.cli.officers import actor
from zhengka.core.errors import Refusal
from zhengka.keys import queries, services

KEPT = {"file": "key file", "token": "in the token", "hybrid": "hybrid: sealed by the token, opened in memory"}
Suite = Annotated[str, typer.Option(help="SM or INTL.")]

keys = typer.Typer(name="keys", help="Keys (密钥): what there is, where it lives, certificates.", no_args_is_help=True)


@keys.command("list")
def list_(unit: Unit) -> None:
    """The keys of a unit's province: label, state, check value, where each lives, signatures made."""
    for key in queries.of_province(unit_of(unit).code):
        typer.echo(f"{key.label} {key.state} {key.check_value} {KEPT[key.kept]}, {key.signatures} signatures")


@keys.command()
def certify(unit: Unit, suite: Suite = "SM", officer: As = "security",
            out: Path = typer.Option(Path("certificates"), help="Folder to write into.")) -> None:
    """Certificates (X.509) nation → province → signing keys, and the lists of revoked ones, as PEM files.

    In SM, OpenSSL checks a link at a time: `openssl verify -partial_chain -vfyopt distid:1234567812345678 -trusted …`.
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


@keys.command()
def revoke(serial: int, unit: Unit, officer: As = "security") -> None:
    """Revoke a certificate: the next list of its issuer names it."""
    area, by = unit_of(unit), actor(officer)
    found = queries.certificates(area.code).filter(serial=serial).first()
    if found is None:
        raise Refusal("not-found", certificate=serial)
    revoked = services.revoke_certificate(found, by=by, at=timezone.now())
    typer.echo(f"{revoked.key_id}: revoked at {revoked.revoked_at:%Y-%m-%d %H:%M}")


def _write(path: Path, kind: str, der: bytes) -> None:
    text = base64.encodebytes(der).decode()
    path.write_text(f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n")
