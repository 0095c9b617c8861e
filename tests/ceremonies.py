"""Ceremonies over keys in tests: opened by who leads, carried by custodians, each as themselves, to their end."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tokens
from builders import NOON, make_area, make_officer, request_id
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.config.env import TokenPlace
from zhengka.core.actors import Actor
from zhengka.formats import shares
from zhengka.formats.suites import SUITES
from zhengka.keys import services
from zhengka.keys.models import Ceremony, Key
from zhengka.keys.services import Component, Wanted

MASTER = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
"""Key and plain text of the example of GB/T 32907: the master of the published vectors."""


@dataclass
class Hall:
    """A province's office with a security administrator who leads, and three custodians."""

    area: Area = field(default_factory=lambda: Area.objects.get(pk=make_area().code // 10**10 * 10**10))
    leader: Officer = field(init=False)
    custodians: list[Officer] = field(init=False)

    def __post_init__(self) -> None:
        self.leader = make_officer("security", area=self.area)
        self.custodians = [make_officer("custodian", area=self.area) for _ in range(3)]

    @property
    def by(self) -> Actor:
        """Who leads."""
        return actor_of(self.leader)

    def open(self, kind: str, key: Key | None = None, *, officers: list[Officer] | None = None, begun: bool = True,
             at: Any = NOON, **wanted: Any) -> Ceremony:
        """A ceremony, and (`begun`) the platform's first part of it."""
        told = {"slot": "application", "place": self.area.code} | wanted
        row = services.open_ceremony(Wanted(kind, officers or self.custodians, key, **told), self.area, by=self.by,
                                     request_id=request_id(), at=at)
        return services.carry_on(row.pk, at=at) if begun else row

    def part(self, row: Ceremony, custodian: Officer, brought: Component | None = None, *, at: Any = NOON) -> Ceremony:
        """One custodian's part; of a component that is handed out, what they see is what they type."""
        by = actor_of(custodian)
        if row.draws and brought is None:
            brought = services.show_component(row, by=by, request_id=request_id(), at=at)
        return services.take_part(row, brought, by=by, request_id=request_id(), at=at)

    def hold(self, kind: str, key: Key | None = None, *, brought: list[Component] | None = None, at: Any = NOON,
             **wanted: Any) -> Ceremony:
        """A whole ceremony."""
        row = self.open(kind, key, at=at, **wanted)
        for place, custodian in enumerate(self.custodians[:row.enough]):
            row = self.part(row, custodian, brought[place] if brought else None, at=at)
        return services.carry_on(row.pk, at=at)

    def seen(self, row: Ceremony) -> list[Component]:
        """What each custodian sees."""
        return [services.show_component(row, by=actor_of(one), request_id=request_id(), at=NOON)
                for one in self.custodians]

    def bring(self, secret: bytes, suite: str = "SM", *, xor: bool = False, **wanted: Any) -> Ceremony:
        """A known key, brought in by components."""
        parts = components(secret, suite, xor=xor)
        return self.hold("import", brought=parts, suite=suite, check_value=shares.check_value(secret, SUITES[suite]),
                         all_needed=xor, **wanted)


def components(secret: bytes, suite: str = "SM", *, xor: bool = False) -> list[Component]:
    """Three components of a known key, as custodians of another place bring them."""
    made = shares.split_xor(secret, among=3, suite=SUITES[suite]) if xor else shares.split(
        secret, needed=2, among=3, suite=SUITES[suite])
    return [Component(share.number, share.value.hex(), share.check_value) for share in made]


def use_store(kind: str, settings: Any, folder: Path) -> None:
    """Keep the keys of a test in a new file or a new token."""
    settings.HOME, settings.FILES = folder, folder / "files"
    if kind == "token":
        settings.KEY_PASSPHRASE = tokens.PIN
        settings.KEY_TOKEN = TokenPlace(tokens.SOFTHSM, tokens.make_token(), "")


def openssl(key: bytes, data: bytes, suite: str = "SM") -> bytes:
    """Blocks enciphered one by one, by another program."""
    cipher = {"SM": "-sm4-ecb", "INTL": "-aes-128-ecb"}[suite]
    return subprocess.run(["openssl", "enc", cipher, "-nopad", "-K", key.hex()], input=data, capture_output=True,
                          check=True).stdout


def drawn(master: bytes, *factors: bytes, suite: str = "SM") -> bytes:
    """The key at the end of a chain of factors, E(key, factor ‖ ~factor), by the other program."""
    for factor in factors:
        master = openssl(master, factor + bytes(0xFF ^ byte for byte in factor), suite)
    return master
