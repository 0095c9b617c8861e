"""Card makers (制卡单位) that we trust: a name, a public key, and a certificate by which they vouch for it."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import queries as devices
from zhengka.formats.suites import SUITES, PublicKey
from zhengka.formats.x509 import Own
from zhengka.production.models import Maker

PERMISSION = "key.manage"
TEXT_FORMS = ("gbk", "gb18030")
"""Codes of the text form of older programs."""


@transaction.atomic
def enrol_maker(
        name: str, public: PublicKey, *, by: Actor, camera: bool = False, certificate: Own | None = None,
        pictures: str = "") -> Maker:
    """Take a card maker's public key; `camera`: it looks at every finished card (成品检测), so that a card
    at which nobody looked is not taken from it; `certificate`: by which it vouches for this key, and for how long;
    `pictures`: a word of `workflow.PLATES`, for one that prints from pictures. A repeat changes nothing but to add the
    camera, to choose other pictures, and to prolong by a certificate of the same key that ends later: what a gate asks
    for is never taken away in passing.

    `Refusal`: `not-permitted`, `maker-key-differs` where the name has another key: a key is never replaced in
    passing, for whoever does that reads every package; `maker-revoked`: a revoked one never comes back.
    """
    _permitted(by)
    if certificate and certificate.public != public:
        raise ValueError("the certificate is of another key")
    maker, _ = Maker.objects.select_for_update().get_or_create(name=name, defaults={
        "suite": public.suite, "public": public.point, "camera": camera, "pictures": pictures})
    if (maker.suite, bytes(maker.public)) != (public.suite, public.point):
        raise Refusal("maker-key-differs", maker=name)
    if maker.revoked_at:
        raise Refusal("maker-revoked", maker=name)
    maker.camera, maker.pictures = maker.camera or camera, pictures or maker.pictures
    if certificate and (maker.valid_until is None or certificate.not_after > maker.valid_until):
        maker.certificate = certificate.der
        maker.valid_from, maker.valid_until = certificate.not_before, certificate.not_after
    maker.save(update_fields=["camera", "pictures", "certificate", "valid_from", "valid_until"])
    return maker


@transaction.atomic
def revoke_maker(maker: Maker, *, by: Actor, at: datetime) -> Maker:
    """From now on nothing is given to a card maker or taken from it (吊销); revoked before, the first time and person
    stay. `Refusal("not-permitted")`.
    """
    _permitted(by)
    Maker.objects.filter(pk=maker.pk, revoked_at=None).update(revoked_at=at, revoked_by=by.person)
    maker.refresh_from_db()
    return maker


@transaction.atomic
def use_text_form(maker: Maker, code: str, *, by: Actor) -> Maker:
    """Let the packages that are prepared for a card maker from now on hold the text form of older programs, too, in
    this code; "": not any more. `Refusal("not-permitted")`.
    """
    _permitted(by)
    if code not in ("", *TEXT_FORMS):
        raise ValueError(f"a text form is one of {TEXT_FORMS}")
    Maker.objects.filter(pk=maker.pk).update(text_form=code)
    maker.refresh_from_db()
    return maker


def trusted(maker: Maker, *, at: datetime) -> None:
    """That cards may be given to a card maker, and results taken from it, now.

    `Refusal`: `maker-revoked`, `maker-not-yet`, `maker-expired` by its certificate; `maker-without-certificate` on a
    site for the public (`ZHENGKA_HTTPS`, no demo), but for the reader of an office, whose key has a life of its own:
    `device-stopped` of one that is not at work.
    """
    devices.believed(bytes(maker.public))
    if maker.revoked_at and at >= maker.revoked_at:
        raise Refusal("maker-revoked", maker=maker.name)
    if maker.valid_from and at < maker.valid_from:
        raise Refusal("maker-not-yet", maker=maker.name, valid_from=maker.valid_from.isoformat())
    if maker.valid_until and at >= maker.valid_until:
        raise Refusal("maker-expired", maker=maker.name, valid_until=maker.valid_until.isoformat())
    strict = settings.BEHIND_FRONT and not settings.DEMO
    if strict and not maker.valid_until and not devices.is_device(bytes(maker.public)):
        raise Refusal("maker-without-certificate", maker=maker.name)


def key_of(maker: Maker) -> PublicKey:
    """A card maker's public key."""
    return SUITES[maker.suite].public_key(bytes(maker.public))


def _permitted(by: Actor) -> None:
    if not by.may(PERMISSION):
        raise Refusal("not-permitted", permission=PERMISSION)
