"""Cards for tests: a profile, records of nobody, keys, blank chips, packages. Needs no database."""

import datetime as dt
import hashlib
import tomllib
from pathlib import Path
from typing import Any

from zhengka.formats import serial
from zhengka.formats.chip import Profile, SoftCard, compile_many, expected_readback, load, reading_plan
from zhengka.formats.package import CardOrder, PackageInfo, PackageWriter
from zhengka.formats.suites import SUITES, PublicKey, SigningKey

PROFILE = Path(__file__).parent.parent / "data" / "profiles" / "disability-placeholder.toml"
KEK = bytes(range(16))
CONTENT_KEY = bytes(range(32))
UID = bytes.fromhex("04A1B2C3D4E5F6")


def profile_table() -> dict[str, Any]:
    """The placeholder profile as TOML gives it, free to be changed by a test."""
    return tomllib.loads(PROFILE.read_text())


def make_profile(*, suite: str = "SM") -> Profile:
    """The placeholder profile, for either suite."""
    return load(profile_table() | {"suite": suite}, source=PROFILE.name)


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


def make_keys(profile: Profile, records: list[dict[str, Any]]) -> dict[str, list[bytes]]:
    """The diversified keys of every record, by purpose, under master keys that only tests know."""
    factors = [serial.factor(record["serial"]) for record in records]
    suite = SUITES[profile.suite]
    return {key.purpose: suite.diversify(master_key(key.purpose), factors) for key in profile.keys}


def master_key(purpose: str) -> bytes:
    """A master key of the tests."""
    return hashlib.md5(purpose.encode(), usedforsecurity=False).digest()


def blank_chip(profile: Profile, **given: Any) -> SoftCard:
    """A chip as it comes from the factory."""
    whole: dict[str, Any] = {"uid": UID, "kek": KEK, "suite": SUITES[profile.suite], "capacity": profile.capacity}
    return SoftCard(**(whole | given))


def written_card(profile: Profile, record: dict[str, Any]) -> SoftCard:
    """A chip after its script, not yet read back and closed."""
    [script] = compile_many(profile, [record], keys_by_slot=make_keys(profile, [record]), kek=KEK)
    card = blank_chip(profile)
    for command in script.commands:
        assert card.transmit(command) == b"\x90\x00"
    return card


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
    return writer.finish(path, signer=signer, maker=maker, kek=KEK)
