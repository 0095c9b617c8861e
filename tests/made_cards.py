"""Cards for tests: a profile, records of nobody, keys, blank chips, packages. Needs no database."""

import datetime as dt
import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zhengka.formats import serial
from zhengka.formats.chip import (
    Profile,
    SoftCard,
    application_keys,
    compile_many,
    expected_readback,
    load,
    load_file,
    readback,
    reading_plan,
    reference,
)
from zhengka.formats.chip.applying import CardKeys
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.package import CardOrder, PackageInfo, PackageWriter
from zhengka.formats.suites import SUITES, PublicKey, SigningKey

PROFILE = Path(__file__).parent.parent / "data" / "profiles" / "disability-placeholder.toml"
KEK = bytes(range(16))
CHANNEL = KeySet(1, b"e" * 16, b"m" * 16, b"d" * 16)
CONTENT_KEY = bytes(range(32))
UID = bytes.fromhex("04A1B2C3D4E5F6")


def profile_table() -> dict[str, Any]:
    """The placeholder profile as TOML gives it, free to be changed by a test."""
    return tomllib.loads(PROFILE.read_text())


def make_profile(*, suite: str = "SM") -> Profile:
    """The placeholder profile, for either suite."""
    return load(profile_table() | {"suite": suite}, source=PROFILE.name)


def whole_profile(*, suite: str = "SM") -> Profile:
    """The larger profile that ships: disability, transit, social security, room for a bank."""
    name = "disability-one-card" if suite == "SM" else "disability-one-card-intl"
    return load_file(PROFILE.with_name(f"{name}.toml"))


def make_records(count: int, *, start: int = 0, **changed: Any) -> list[dict[str, Any]]:
    """Records with everything that the placeholder profile asks for; region 990000 was never given to anyone."""
    whole = {
        "issuer": "430104000000",
        "issued": dt.date(2018, 7, 1),
        "valid_until": dt.date(2028, 6, 30),
        "activation_until": dt.date(2019, 6, 30),
        "number": "99000019000101001X43B1",
        "name": "买买提·𠮷㛃",
        "category": 4,
        "grade": 3,
        "credential": bytes(range(1, 111)),
    }
    return [{"serial": each} | whole | changed for each in serial.make_many("430104", start, count)]


def make_keys(profile: Profile, records: list[dict[str, Any]], *, version: int = 1) -> dict[str, list[bytes]]:
    """The diversified keys of every record, by purpose, under master keys that only tests know."""
    factors = [serial.factor(record["serial"]) for record in records]
    suite = SUITES[profile.suite]
    return {key.purpose: suite.diversify(master_key(key.purpose, version), factors) for key in profile.keys}


def master_key(purpose: str, version: int = 1) -> bytes:
    """A master key of the tests."""
    name = purpose if version == 1 else f"{purpose} {version}"
    return hashlib.md5(name.encode(), usedforsecurity=False).digest()


def blank_chip(profile: Profile, **given: Any) -> SoftCard:
    """A chip as it comes from the factory."""
    whole: dict[str, Any] = {"uid": UID, "kek": KEK, "suite": SUITES[profile.suite], "capacity": profile.capacity}
    return SoftCard(**(whole | given))


def written_card(profile: Profile, record: dict[str, Any], **given: Any) -> SoftCard:
    """A chip after its script, not yet read back and closed."""
    [script] = compile_many(profile, [record], keys_by_slot=make_keys(profile, [record]), kek=KEK)
    card = blank_chip(profile, **given)
    for command in script.commands:
        assert card.transmit(command) == b"\x90\x00"
    return card


def finished_card(profile: Profile, record: dict[str, Any], **given: Any) -> SoftCard:
    """A card as its holder gets it: written, read back, closed, its power off and on."""
    card = written_card(profile, record, **given)
    readback(card, reading_plan(profile), record["serial"])
    card.reset()
    return card


def card_keys(profile: Profile, record: dict[str, Any], *, versions: Sequence[int] = (1,)) -> CardKeys:
    """All keys of one card, in these versions."""
    found = {}
    for version in versions:
        own = make_keys(profile, [record], version=version)
        drawn = application_keys(profile, own)
        found |= {(reference(profile, each, key.purpose), version): drawn[reference(profile, each, key.purpose)][0]
                  for each in profile.ours for key in each.keys}
    return CardKeys(profile.suite, found)


def make_orders(profile: Profile, records: list[dict[str, Any]]) -> tuple[list[CardOrder], dict[str, bytes]]:
    """Card orders, and by serial the read-back that each must give."""
    keys = make_keys(profile, records)
    scripts = compile_many(profile, records, keys_by_slot=keys, kek=KEK)
    digests = expected_readback(profile, records, keys)
    orders = [CardOrder(script.serial, script.commands, {"page": place}) for place, script in enumerate(scripts, 1)]
    return orders, {script.serial: digest for script, digest in zip(scripts, digests, strict=True)}


def package_info(profile: Profile) -> PackageInfo:
    """What a test batch is."""
    return PackageInfo(
        batch="430104-0001",
        profile=profile.id,
        profile_version=profile.version,
        profile_digest=SUITES[profile.suite].digest(profile.canonical),
        created_at=dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC),
        capacity=profile.capacity,
        plan=reading_plan(profile),
    )


def make_package(
    path: Path, orders: list[CardOrder], *, signer: SigningKey, maker: PublicKey, profile: Profile, each: int = 1000
) -> bytes:
    """A whole package at `path` with `each` orders to a member; its digest."""
    writer = PackageWriter(path.with_suffix(".parts"), package_info(profile), content_key=CONTENT_KEY)
    for number, start in enumerate(range(0, len(orders), each), 1):
        writer.add_cards(number, orders[start : start + each])
    return writer.finish(path, signer=signer, maker=maker, kek=KEK, channel=CHANNEL)
