"""Certificates of keys (X.509): nation → province → signing key, written down, then signed; and what was revoked."""

import secrets
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import sub
from zhengka.formats import x509
from zhengka.formats.suites import SUITES
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries, rules
from zhengka.keys.models import Key, KeyCertificate
from zhengka.keys.services.working import Signer, ensure_one

ORGANISATION = "残疾人证统一密钥体系"
PERMISSION = "key.manage"
LIST_LIVES = timedelta(days=7)
"""A list of revoked certificates is out of date after so long."""


def make_authorities(area: int, suite: str, *, at: datetime) -> list[Key]:
    """The keys that certify: the nation's and that of the area's province, made where they are missing."""
    return [ensure_one(rules.AUTHORITY, each, suite, at=at) for each in (rules.NATION, area)]


def certify(area: int, suite: str, *, by: Actor, request_id: UUID, at: datetime) -> list[KeyCertificate]:
    """Certificates, root first, of the authorities and of every signing key of the area's province that works now.

    What has a certificate already keeps it. Refusals of `issue_certificate`.
    """
    _permitted(by)
    keys = make_authorities(area, suite, at=at)
    for purpose in (rules.TRANSCRIPT, rules.VOUCHER):  # a province's keys may have been made before there were these
        ensure_one(purpose, area, suite, at=at)
    keys += [queries.working(purpose, area, suite, at=at) for purpose in sorted(rules.SIGNING - {rules.AUTHORITY})]
    return [queries.certificate(key) or issue_certificate(key, by=by, request_id=sub(request_id, key.label), at=at)
            for key in keys]


def issue_certificate(key: Key, *, by: Actor, request_id: UUID, at: datetime) -> KeyCertificate:
    """A certificate of a signing key by the authority above it; called outside every transaction, since it signs.

    What is signed is durable before the signature is asked for, and a repeat goes on from there. It ends with the key's
    last day or its issuer's. Refusals: not-permitted, request-id-reused, and those of `queries.working`.
    """
    _permitted(by)
    if key.purpose not in rules.SIGNING:
        raise ValueError(f"{key.label} signs nothing, so it has no certificate")
    issuer = _issuer(key, at)
    wanted = _write_down(key, issuer, by=by, request_id=request_id, at=at)
    if wanted.key_id != key.label:
        raise Refusal("request-id-reused")
    if wanted.der is None:
        signature = Signer(issuer.label, issuer.suite, bytes(issuer.key_id or b"")).sign(bytes(wanted.body))
        der = x509.signed(bytes(wanted.body), signature, issuer.suite)
        KeyCertificate.objects.filter(pk=wanted.pk, der=None).update(der=der)
        wanted.refresh_from_db()
    return wanted


def revoke_certificate(certificate: KeyCertificate, *, by: Actor, at: datetime) -> KeyCertificate:
    """From `at` on the certificate is on its issuer's list; revoked before, the first time and person stay."""
    _permitted(by)
    KeyCertificate.objects.filter(pk=certificate.pk, revoked_at=None).update(revoked_at=at, revoked_by=by.person)
    certificate.refresh_from_db()
    return certificate


def revocation_list(area: int, suite: str, *, at: datetime) -> bytes:
    """The list (CRL, DER) of what the area's authority revoked, signed now; its number grows with time."""
    issuer = queries.working(rules.AUTHORITY, area, suite, at=at)
    revoked = KeyCertificate.objects.filter(issuer=issuer, revoked_at__lte=at).values_list("serial", "revoked_at")
    body = x509.revocation_body(_named(issuer), [(serial, since) for serial, since in revoked if since],
                                number=int(at.timestamp()), at=at, next_at=at + LIST_LIVES)
    signature = Signer(issuer.label, issuer.suite, bytes(issuer.key_id or b"")).sign(body)
    return x509.signed(body, signature, suite)


def _permitted(by: Actor) -> None:
    if not by.may(PERMISSION):
        raise Refusal("not-permitted", permission=PERMISSION)


def _issuer(key: Key, at: datetime) -> Key:
    """The authority above a key; the nation's is its own."""
    if key.purpose != rules.AUTHORITY:
        return queries.working(rules.AUTHORITY, key.area, key.suite, at=at)
    return key if key.area == rules.NATION else queries.working(rules.AUTHORITY, rules.NATION, key.suite, at=at)


def _write_down(key: Key, issuer: Key, *, by: Actor, request_id: UUID, at: datetime) -> KeyCertificate:
    """The row with what is to be signed, durable; that of an earlier request with this id."""
    if found := KeyCertificate.objects.filter(request_id=request_id).first():
        return found
    serial = secrets.randbits(62) + 1
    first, last = _midnight(key.not_before), _midnight(min(key.not_after, issuer.not_after)) + timedelta(days=1)
    below = None if key.purpose != rules.AUTHORITY else int(key.area == rules.NATION)
    wanted = x509.Wanted(serial, _named(key).name, _named(key).public, first, last, below)
    try:
        with transaction.atomic(durable=True):
            return KeyCertificate.objects.create(
                key=key, issuer=issuer, serial=serial, body=x509.certificate_body(wanted, _named(issuer)),
                not_before=first, not_after=last, issued_by=by.person, issued_at=at, request_id=request_id)
    except IntegrityError:  # the same request was quicker
        return KeyCertificate.objects.get(request_id=request_id)


def _named(key: Key) -> x509.Issuer:
    return x509.Issuer(x509.Name("CN", ORGANISATION, key.label), SUITES[key.suite].public_key(bytes(key.public or b"")))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA).astimezone(UTC)
