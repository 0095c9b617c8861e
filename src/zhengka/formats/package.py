"""The one package that goes to the card maker (制卡数据包): a zip file of sealed members and a signed manifest.

    manifest.json       what the batch is, which members belong to it, their sizes, digests and numbers of cards
    manifest.sig        64 bytes: signature of the batch key over manifest.json
    cards-0001.bin …    sealed: one JSON line per card with its serial, its script, and what the printer must know
    faces-0001.pdf …    sealed: the faces of those cards, a page per side
    text-0001.zip …     sealed: the same as the text form of older programs (`formats.legacy`), where the maker wants it
    pictures-0001-001.zip …  sealed: the same as PNG or JPEG files, `<serial>-front.png`, `-back.png`, `-braille.png`

Members are sealed under a content key that only the maker's private key opens; the transport key of the blank chips
and the masters of their loading channel travel the same way. Nothing of a member is believed before the manifest's
signature and the member's digest are right. The digest of manifest.json is the digest of the whole package.
"""

import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from zhengka.formats import shown
from zhengka.formats.archive import listing
from zhengka.formats.chip.scp03 import MOST_VERSION, KeySet
from zhengka.formats.chip.script import ReadingPlan
from zhengka.formats.durable import or_gone, settle
from zhengka.formats.seal import KeyRing, SealBroken, open_stream, seal_stream
from zhengka.formats.suites import SUITES, DecryptionFailed, MalformedSignature, PublicKey, SigningKey

FORMAT: Final = "zhengka-package/2"
MOST_CARDS: Final = 1000
"""Most cards in one member."""
MOST_MEMBERS: Final = 9999
MOST_BYTES: Final = 256 << 20
"""Most bytes in one member, so that a member always fits in memory."""

_MANIFEST, _SIGNATURE = "manifest.json", "manifest.sig"
_NAME = re.compile(r"(cards-[0-9]{4}\.bin|faces-[0-9]{4}\.pdf|text-[0-9]{4}\.zip|pictures-[0-9]{4}-[0-9]{3}\.zip)")
_STAGED = re.compile(rf"{_NAME.pattern}\.([0-9]{{1,4}})")
_ZIP_FAULTS = (zipfile.BadZipFile, RuntimeError, ValueError, OverflowError, EOFError, OSError, struct.error)


class PackageBroken(ValueError):
    """A package that is not taken: `code` says why, `where` names the member or field, never a card's data."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(code, where)
        self.code, self.where = code, where

    def __str__(self) -> str:
        """The code, and where if that is known."""
        return f"the package is not taken: {self.code} {self.where}".rstrip()


class PackageInfo(NamedTuple):
    """What a batch is: its number, the profile it was made under, the plan to read its cards back."""

    batch: str
    profile: str
    profile_version: int
    profile_digest: bytes
    created_at: datetime
    capacity: int
    plan: ReadingPlan

    @property
    def suite(self) -> str:
        """The name of the suite in which everything of the batch is signed and enciphered."""
        return self.plan.suite


class CardOrder(NamedTuple):
    """One card to make: serial, the commands of its script, and what the printer must know (face member, page)."""

    serial: str
    commands: list[bytes]
    face: Mapping[str, str | int]


class Member(NamedTuple):
    """One member of the package as the manifest tells it; `digest` is over the sealed bytes."""

    name: str
    size: int
    digest: bytes
    cards: int


class PackageWriter:
    """Builds a package member by member in a folder of its own; several processes may each add theirs.

    A member is on the disk whole or not at all, so a stopped run goes on with the members that `staged` does not name.
    """

    def __init__(self, folder: Path, info: PackageInfo, *, content_key: bytes) -> None:
        """`content_key` is 32 bytes, the same for all members of the batch; it is stored nowhere here in clear."""
        self._folder, self._info = folder, info
        self._content_key, self._ring = content_key, KeyRing({1: content_key}, 1)
        self.salt = shown.salt_of(SUITES[info.suite], content_key)
        folder.mkdir(parents=True, exist_ok=True)

    def staged(self) -> dict[str, int]:
        """Name and number of cards of every member that is already there, in order."""
        names = sorted(path.name for path in self._folder.iterdir())
        return {match[1]: int(match[2]) for name in names if (match := _STAGED.fullmatch(name))}

    def add_cards(self, number: int, cards: Iterable[CardOrder]) -> str:
        """Seal at most 1,000 cards as member `number` (1 to 9,999); its name. Adding it again replaces it."""
        lines = list(map(_card_line, cards))
        return self._add(f"cards-{_numbered(number)}.bin", io.BytesIO(b"".join(lines)), len(lines))

    def add_faces(self, number: int, pdf: BinaryIO, *, cards: int) -> str:
        """Seal the faces of the cards of member `number`; the name. Adding them again replaces them."""
        return self._add(f"faces-{_numbered(number)}.pdf", pdf, cards)

    def add_text(self, number: int, archive: BinaryIO, *, cards: int) -> str:
        """Seal the text form of the cards of member `number` (`formats.legacy`); the name. Again replaces it."""
        return self._add(f"text-{_numbered(number)}.zip", archive, cards)

    def add_pictures(self, number: int, part: int, archive: BinaryIO, *, cards: int) -> str:
        """Seal a zip file of pictures of some cards of member `number`, its part 1 to 999; the name."""
        return self._add(f"pictures-{_numbered(number)}-{_numbered(part, 3)}.zip", archive, cards)

    def finish(self, path: Path, *, signer: SigningKey, maker: PublicKey, kek: bytes,
               channel: KeySet) -> bytes:
        """Put the package together at `path`, in one step as others see it; its digest.

        `signer` is our batch key, `maker` the public key of who may open it, `kek` the 16-byte transport key of the
        blank chips, `channel` the masters of their loading channel. ValueError when the keys are of another suite.
        """
        if {signer.public.suite, maker.suite} != {self._info.suite}:
            raise ValueError("the keys are of another suite than the batch")
        staged = self.staged()
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with or_gone(temporary), temporary.open("wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as archive:
            members = [self._copy(archive, name, cards) for name, cards in staged.items()]
            sealed = {"content_key": self._content_key, "transport_key": kek,
                      "channel_keys": channel.enc + channel.mac + channel.dek}
            manifest = self._manifest(members, signer.public, channel.version, {
                "maker": maker.key_id.hex(), **{name: maker.encrypt(key).hex() for name, key in sealed.items()}})
            archive.writestr(_entry(_MANIFEST), manifest)
            archive.writestr(_entry(_SIGNATURE), signer.sign(manifest))
        settle(temporary, path)
        return SUITES[self._info.suite].digest(manifest)

    def _add(self, name: str, plain: BinaryIO, cards: int) -> str:
        if not 1 <= cards <= MOST_CARDS:
            raise ValueError(f"a member holds 1 to {MOST_CARDS} cards")
        temporary = self._folder / f".{name}.{os.getpid()}"
        with or_gone(temporary), temporary.open("wb") as sealed:
            seal_stream(self._ring, plain, sealed, context=_context(self._info.batch, name))
        for old in self._folder.glob(f"{name}.*"):
            if old.name != f"{name}.{cards}":
                old.unlink()
        settle(temporary, self._folder / f"{name}.{cards}")
        return name

    def _copy(self, archive: zipfile.ZipFile, name: str, cards: int) -> Member:
        sealed = (self._folder / f"{name}.{cards}").read_bytes()
        if len(sealed) > MOST_BYTES:
            raise ValueError(f"{name} is too large")
        archive.writestr(_entry(name), sealed)
        return Member(name, len(sealed), SUITES[self._info.suite].digest(sealed), cards)

    def _manifest(self, members: list[Member], signer: PublicKey, version: int, sealed: Mapping[str, str]) -> bytes:
        info = self._info
        manifest = {
            "format": FORMAT,
            "batch": info.batch,
            "profile": {"id": info.profile, "version": info.profile_version, "digest": info.profile_digest.hex(),
                        "capacity": info.capacity},
            "suite": info.suite,
            "created_at": info.created_at.isoformat(),
            "cards": sum(member.cards for member in members if member.name.startswith("cards")),
            "signer": signer.key_id.hex(),
            **sealed,
            "channel_version": version,
            "plan": list(info.plan.steps),
            "members": [member._asdict() | {"digest": member.digest.hex()} for member in members],
        }
        return json.dumps(manifest, ensure_ascii=False, indent=1).encode()


class PackageReader:
    """A package as its maker opens it. Nothing is unpacked to disk; a member is checked whole before it is read."""

    def __init__(self, path: Path, private_key: SigningKey, issuer_public: PublicKey) -> None:
        """Check the outside, the signature and the manifest; PackageBroken says what is wrong."""
        self._file = path.open("rb")
        try:
            self._load(private_key, issuer_public)
        except BaseException:
            self._file.close()
            raise

    def _load(self, private_key: SigningKey, issuer_public: PublicKey) -> None:
        self._archive = _open(self._file)
        manifest = self._read(_MANIFEST, 4 << 20)
        _check_signature(issuer_public, manifest, self._read(_SIGNATURE, 64))
        data = _parse_manifest(manifest)
        self.info, self.members = _info(data), _members(data)
        self._suite = SUITES[self.info.suite]
        if {private_key.public.suite, issuer_public.suite} != {self.info.suite}:
            raise PackageBroken("wrong-suite", self.info.suite)
        self.digest = self._suite.digest(manifest)
        self.cards: int = data["cards"]
        content_key = _unwrap(private_key, data, "content_key", 32)
        self._ring, self.salt = KeyRing({1: content_key}, 1), shown.salt_of(self._suite, content_key)
        self.kek = _unwrap(private_key, data, "transport_key", 16)
        self.channel = _channel(private_key, data)
        self._check_members()

    def __enter__(self) -> "PackageReader":
        """The reader itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def orders(self, member: Member) -> Iterator[CardOrder]:
        """The cards of one `cards-…` member, once its digest and its seal are right."""
        lines = self.plain(member).splitlines()
        if len(lines) != member.cards:
            raise PackageBroken("wrong-count", member.name)
        for line in lines:
            yield _card_order(line, member.name)

    def plain(self, member: Member) -> bytes:
        """The opened bytes of one member: JSON lines, PDF or zip."""
        sealed = self.sealed(member)
        plain = io.BytesIO()
        try:
            open_stream(self._ring, io.BytesIO(sealed), plain, context=_context(self.info.batch, member.name))
        except SealBroken:
            raise PackageBroken("wrong-seal", member.name) from None
        return plain.getvalue()

    def sealed(self, member: Member) -> bytes:
        """The bytes of one member as they lie in the package, digest checked."""
        sealed = self._read(member.name, MOST_BYTES)
        if self._suite.digest(sealed) != member.digest:
            raise PackageBroken("wrong-digest", member.name)
        return sealed

    def _check_members(self) -> None:
        there = {item.filename: item.file_size for item in self._archive.infolist()}
        told = {member.name: member.size for member in self.members}
        if there.keys() - {_MANIFEST, _SIGNATURE} != told.keys() or len(told) != len(self.members):
            raise PackageBroken("wrong-members")
        for name, size in told.items():
            if there[name] != size:
                raise PackageBroken("wrong-size", name)
        if self.cards != sum(member.cards for member in self.members if member.name.startswith("cards")):
            raise PackageBroken("wrong-count", "cards")

    def _read(self, name: str, most: int) -> bytes:
        try:
            item = self._archive.getinfo(name)
        except KeyError:
            raise PackageBroken("missing", name) from None
        if item.file_size > most:
            raise PackageBroken("too-large", name)
        try:
            return self._archive.read(item)
        except _ZIP_FAULTS:
            raise PackageBroken("damaged", name) from None


def _open(raw: BinaryIO) -> zipfile.ZipFile:
    """The zip file, if its outside is what our writer makes: stored members, known names, each once."""
    try:
        _check_end(raw)
        archive = zipfile.ZipFile(raw)
        names = [_checked_name(item) for item in archive.infolist()]
    except _ZIP_FAULTS as fault:
        raise fault if isinstance(fault, PackageBroken) else PackageBroken("not-a-package") from None
    if len(set(names)) != len(names):
        raise PackageBroken("member-twice")
    return archive


def _check_end(raw: BinaryIO) -> None:
    """Nothing follows the list of members, and there are no more of them than a package can have."""
    found = listing(raw)
    if found.comment:
        raise PackageBroken("not-a-package")
    if found.members > 3 * MOST_MEMBERS + 2 or found.size > 1024 * found.members:
        raise PackageBroken("too-many-members")


def _checked_name(item: zipfile.ZipInfo) -> str:
    name = item.orig_filename
    if name not in (_MANIFEST, _SIGNATURE) and not _NAME.fullmatch(name):
        raise PackageBroken("bad-name")
    if item.compress_type != zipfile.ZIP_STORED or item.compress_size != item.file_size or item.flag_bits & 1:
        raise PackageBroken("compressed", name)
    return name


def _check_signature(issuer: PublicKey, manifest: bytes, signature: bytes) -> None:
    try:
        right = issuer.verify(manifest, signature)
    except MalformedSignature:
        right = False
    if not right:
        raise PackageBroken("wrong-signature", _MANIFEST)


def _parse_manifest(manifest: bytes) -> dict[str, Any]:
    try:
        data = json.loads(manifest)
    except (ValueError, RecursionError):
        raise PackageBroken("bad-manifest") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise PackageBroken("unknown-format")
    if type(data.get("cards")) is not int:
        raise PackageBroken("bad-manifest", "cards")
    return data


def _info(data: Mapping[str, Any]) -> PackageInfo:
    try:
        profile = data["profile"]
        return PackageInfo(
            batch=str(data["batch"]),
            profile=str(profile["id"]),
            profile_version=int(profile["version"]),
            profile_digest=bytes.fromhex(profile["digest"]),
            created_at=datetime.fromisoformat(data["created_at"]),
            capacity=int(profile["capacity"]),
            plan=ReadingPlan.from_steps(data["suite"], data["plan"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise PackageBroken("bad-manifest") from None


def _members(data: Mapping[str, Any]) -> list[Member]:
    try:
        return [
            Member(str(item["name"]), int(item["size"]), bytes.fromhex(item["digest"]), int(item["cards"]))
            for item in data["members"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise PackageBroken("bad-manifest", "members") from None


def _unwrap(private_key: SigningKey, data: Mapping[str, Any], name: str, size: int) -> bytes:
    try:
        key = private_key.decrypt(bytes.fromhex(data[name]))
    except (DecryptionFailed, KeyError, TypeError, ValueError):
        raise PackageBroken("not-for-this-maker", name) from None
    if len(key) != size:
        raise PackageBroken("bad-manifest", name)
    return key


def _channel(private_key: SigningKey, data: Mapping[str, Any]) -> KeySet:
    keys, version = _unwrap(private_key, data, "channel_keys", 48), data.get("channel_version")
    if type(version) is not int or not 1 <= version <= MOST_VERSION:
        raise PackageBroken("bad-manifest", "channel_version")
    return KeySet(version, keys[:16], keys[16:32], keys[32:])


def _card_line(card: CardOrder) -> bytes:
    script = '", "'.join([command.hex() for command in card.commands])  # digits need no escaping, and no look for it
    serial, face = json.dumps(card.serial), json.dumps(dict(card.face))
    return f'{{"serial": {serial}, "script": ["{script}"], "face": {face}}}\n'.encode()


def _card_order(line: bytes, where: str) -> CardOrder:
    try:
        data = json.loads(line)
        serial, face = data["serial"], data["face"]
        commands = [bytes.fromhex(command) for command in data["script"]]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise PackageBroken("bad-card", where) from None
    if not isinstance(serial, str) or not re.fullmatch(r"[0-9]{1,32}", serial) or not isinstance(face, dict):
        raise PackageBroken("bad-card", where)
    return CardOrder(serial, commands, face)


def _context(batch: str, name: str) -> bytes:
    return f"zhengka package {batch} {name}".encode()


def _numbered(number: int, digits: int = 4) -> str:
    if not 1 <= number < 10**digits:
        raise ValueError(f"members are numbered 1 to {10**digits - 1}")
    return f"{number:0{digits}}"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o600 << 16
    return entry
