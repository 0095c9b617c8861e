"""The offline bundle (离线包): a signed list of the files that belong together, and how a gate takes them.

    manifest.bin = magic "ZKBM" ‖ format 1 ‖ profile ‖ size u32 ‖ body (size bytes) ‖ key id (8) ‖ signature r ‖ s (64)

The body is JSON in UTF-8 with these members and no others:

    {"bundle": "public", "version": 1795147200, "issued_at": "2026-11-20T04:00:00Z", "max_age": 259200,
     "files": [{"name": "keys.json", "size": 812, "sha256": "…", "version": 0}, …]}

`bundle` is "public" or the code of the operator (运营单位) for whom it is; `version` only ever grows; `max_age` says
for how many seconds after `issued_at` a gate may let pass by it; `files` are in the order of their names, which are
plain file names. `version` of a file is that of the list in it, 0 for others. The signature is made as that of a status
list, with the content type of bundles. Names that mean something to a gate:

    hosts.json                 hosts that codes of cards carry (`formats.hosts`); not there: any host is taken
    keys.json                  public keys, trusted because a key that was trusted before signed the manifest
    status-NUMBER.bin          status list (`formats.statuslist`)
    claim-NAME-NUMBER.bin      claim list of the status list of that number, of the claim NAME
    STEM.from-VERSION.bin      delta (`formats.statusdelta`) that makes this version of STEM.bin into the next one.
                               The manifest does not name deltas: they are signed themselves, and lead, one after the
                               other, to the version that it names. One that is not there: take the whole list.

All of a bundle is taken or nothing: an older manifest, another one of the same version, one for somebody else, a file
that is missing, short or of another bundle is refused by its name, and the gate keeps what it holds.
"""

import hashlib
import json
import re
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from zhengka.formats import hosts, issuers, statusdelta, statuslist
from zhengka.formats.hosts import BadHosts
from zhengka.formats.issuers import KEY_ID_SIZE, PROFILES, SIGNATURE_SIZE, SUITE_OF_PROFILE, BadKeySet, KeySet
from zhengka.formats.statuslist import STATUS_LIST, BadStatusList, Kind, StatusList

CONTENT_TYPE: Final = "application/vnd.zhengka.bundle"
MANIFEST: Final = "manifest.bin"
KEYS: Final = "keys.json"
PUBLIC: Final = "public"
MOST_STEPS: Final = 16
"""Of so many versions a gate takes the deltas; what is further behind takes the whole list."""

_MAGIC: Final = b"ZKBM\x01"
_HEAD: Final = struct.Struct(">5sBI")
_TAIL: Final = KEY_ID_SIZE + SIGNATURE_SIZE
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_BUNDLE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_STATUS: Final = re.compile(r"status-(0|[1-9][0-9]{0,9})\.bin")
_CLAIM: Final = re.compile(r"claim-([a-z0-9][a-z0-9.-]{0,63})-(0|[1-9][0-9]{0,9})\.bin")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_LAST_YEAR: Final = 2199
_MOST_FILES: Final = 10_000
_LARGEST: Final = 2**31

REASONS: Final = {
    "bundle-format": "not a manifest of this format",
    "bundle-truncated": "the manifest is cut short, too long or damaged",
    "bundle-rollback": "the bundle is older than one already known, or another of the same version",
    "bundle-other": "the bundle is for somebody else",
    "bundle-incomplete": "a file of the bundle is not there",
    "bundle-mixed": "a file is not the one that the manifest names",
} | statuslist.REASONS


class BadBundle(ValueError):
    """A bundle that is not to be trusted. `code` is a key of `REASONS`; `name`: of the file, where it is one."""

    def __init__(self, code: str, name: str = "") -> None:
        super().__init__(f"{code}: {REASONS[code]}{f' ({name})' if name else ''}")
        self.code, self.name = code, name


@dataclass(frozen=True, slots=True, order=True)
class File:
    """A file as the manifest names it."""

    name: str
    size: int
    sha256: str
    version: int = 0

    def __post_init__(self) -> None:
        good = (
            type(self.name) is type(self.sha256) is str and type(self.size) is type(self.version) is int
            and _NAME.fullmatch(self.name) and _SHA256.fullmatch(self.sha256)
            and self.name != MANIFEST and 0 <= self.size < _LARGEST and 0 <= self.version < 2**63
        )
        if not good:
            raise BadBundle("bundle-format")

    @classmethod
    def of(cls, name: str, data: bytes) -> "File":
        """The entry of these bytes; the version is read from a list."""
        kind = kind_of(name)
        version = statuslist.unchecked(data, kind=kind[0]).version if kind else 0
        return cls(name, len(data), hashlib.sha256(data).hexdigest(), version)

    def check(self, data: bytes | None) -> bytes:
        """The bytes, if they are this file's. Raises `BadBundle`."""
        if data is None:
            raise BadBundle("bundle-incomplete", self.name)
        if len(data) != self.size or hashlib.sha256(data).hexdigest() != self.sha256:
            raise BadBundle("bundle-mixed", self.name)
        return data


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says. One that came from `parse` was signed by who is trusted."""

    bundle: str
    version: int
    issued_at: datetime
    max_age: timedelta
    files: tuple[File, ...]

    def __post_init__(self) -> None:
        names = [each.name for each in self.files]
        good = (
            type(self.bundle) is str and _BUNDLE.fullmatch(self.bundle) and type(self.version) is int
            and 0 <= self.version < 2**63 and self.issued_at.tzinfo is not None
            and self.issued_at.year <= _LAST_YEAR and timedelta() <= self.max_age <= timedelta(days=3650)
            and names == sorted(set(names)) and len(names) <= _MOST_FILES
        )
        if not good:
            raise BadBundle("bundle-format")

    def age(self, at: datetime) -> timedelta:
        """How old the bundle is; negative where the clock is behind its own."""
        return at - self.issued_at

    def too_old(self, at: datetime) -> bool:
        """Whether nobody may pass by it any more; it still refuses whom it names."""
        return self.age(at) > self.max_age


@dataclass(frozen=True)
class Held:
    """A bundle that was taken whole: every file was checked against the manifest, every list against the keys."""

    manifest: Manifest
    keys: KeySet
    lists: Mapping[int, StatusList] = field(default_factory=dict)
    claims: Mapping[tuple[str, int], StatusList] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    """All that is no list: keys, rules, keys of other gates, hosts of codes."""

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that codes of cards may carry; none where the bundle does not say."""
        return hosts.from_json(self.files[hosts.FILE]) if hosts.FILE in self.files else frozenset()

    def list_of(self, name: str) -> StatusList | None:
        """The list that the file of this name holds."""
        kind = kind_of(name)
        if kind is None:
            return None
        _, claim, number = kind
        return self.claims.get((claim, number)) if claim else self.lists.get(number)


def kind_of(name: str) -> tuple[Kind, str, int] | None:
    """Kind, claim ("" for a status list) and number of the list in a file of this name; None for other files."""
    if found := _STATUS.fullmatch(name):
        return STATUS_LIST, "", int(found[1])
    if found := _CLAIM.fullmatch(name):
        return statuslist.claim_list(found[1]), found[1], int(found[2])
    return None


def is_bundle(name: str) -> bool:
    """Whether a bundle may be called so: "public" or the code of an operator."""
    return bool(_BUNDLE.fullmatch(name))


def is_named(name: str) -> bool:
    """Whether a manifest names a file of this name: all but itself, deltas, and what is hidden."""
    return bool(_NAME.fullmatch(name)) and name != MANIFEST and ".from-" not in name


def delta_name(name: str, version: int) -> str:
    """The file with the delta that makes this version of a list into the next one."""
    return f"{name.removesuffix('.bin')}.from-{version}.bin"


def build(manifest: Manifest, *, suite: str, key_id: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The signed bytes of a manifest; equal manifests have equal bytes before the signature."""
    body = json.dumps({
        "bundle": manifest.bundle, "version": manifest.version,
        "issued_at": manifest.issued_at.astimezone(UTC).strftime(_TIME),
        "max_age": int(manifest.max_age.total_seconds()),
        "files": [{"name": each.name, "size": each.size, "sha256": each.sha256, "version": each.version}
                  for each in manifest.files]}, separators=(",", ":")).encode()
    signed = _HEAD.pack(_MAGIC, PROFILES[suite], len(body)) + body
    return signed + key_id + sign(issuers.sig_structure(suite, key_id, CONTENT_TYPE, signed))


def parse(data: bytes, *, keys: KeySet, at: datetime, bundle: str = PUBLIC, known: Manifest | None = None) -> Manifest:
    """Check a manifest. `bundle`: whose it must be; `known`: the newest one seen before. Raises `BadBundle`."""
    if data[:5] != _MAGIC:
        raise BadBundle("bundle-format")
    if len(data) < _HEAD.size + _TAIL or len(data) != _HEAD.size + _HEAD.unpack_from(data)[2] + _TAIL:
        raise BadBundle("bundle-truncated")
    suite, signed = SUITE_OF_PROFILE.get(data[5]), data[:-_TAIL]
    if suite is None:
        raise BadBundle("bundle-format")
    try:
        statuslist.check_signature(data[-_TAIL:], signed, suite, CONTENT_TYPE, keys=keys, at=at)
    except BadStatusList as bad:
        raise BadBundle(bad.code) from None
    found = _read(signed[_HEAD.size:])
    if found.bundle != bundle:
        raise BadBundle("bundle-other")
    if known is not None and (found.version < known.version or (found.version == known.version and found != known)):
        raise BadBundle("bundle-rollback")
    return found


def take(fetch: Callable[[str], bytes | None], *, trusted: KeySet, at: datetime, bundle: str = PUBLIC,
         held: Held | None = None) -> Held:
    """The bundle as it is where `fetch` looks, whole and checked; what is held already is not fetched again.

    `fetch`: the bytes of a file by its name, None where there is none. `trusted`: keys by which the manifest is checked
    as long as nothing is held. Raises `BadBundle`; what is held stays good then. Where files are replaced while they
    are fetched it is `bundle-mixed`: fetch again.
    """
    data = fetch(MANIFEST)
    if data is None:
        raise BadBundle("bundle-incomplete", MANIFEST)
    manifest = parse(data, keys=held.keys if held else trusted, at=at, bundle=bundle,
                     known=held.manifest if held else None)
    before = {each.name: each for each in held.manifest.files} if held else {}
    files = {each.name: held.files[each.name] if held and each == before.get(each.name) else each.check(
        fetch(each.name)) for each in manifest.files if kind_of(each.name) is None}
    keys = _keys(files, held.keys if held else trusted)
    _check_hosts(files)
    if held and keys.to_json() != held.keys.to_json():
        held = Held(held.manifest, keys, held.lists, held.claims)  # each list is checked anew, by the keys as they are
        before = {}
    taking = _Taking(fetch, keys, at, held)
    taken = {kind[1:]: taking.list_of(each, kind[0], same=each == before.get(each.name))
             for each in manifest.files if (kind := kind_of(each.name))}
    return Held(manifest, keys, {number: found for (claim, number), found in taken.items() if not claim},
                {place: found for place, found in taken.items() if place[0]}, files)


@dataclass(frozen=True)
class _Taking:
    """How lists are taken: from where, by which keys, at what time, after which ones."""

    fetch: Callable[[str], bytes | None]
    keys: KeySet
    at: datetime
    held: Held | None

    def list_of(self, file: File, kind: Kind, *, same: bool) -> StatusList:
        """The list that a manifest names: the one in hand, or that one and its deltas, or the whole file."""
        known = self.held.list_of(file.name) if self.held else None
        if known is not None and same:
            return known
        found = self._by_deltas(file, known) if known is not None else None
        if found is None:
            data = file.check(self.fetch(file.name))
            try:
                found = statuslist.parse(data, keys=self.keys, at=self.at, known=known, kind=kind)
            except BadStatusList as bad:
                raise BadBundle(bad.code, file.name) from None
        if found.version != file.version or f"-{found.number}.bin" not in file.name:
            raise BadBundle("bundle-mixed", file.name)
        return found

    def _by_deltas(self, file: File, known: StatusList) -> StatusList | None:
        """The list in hand, brought to the version that is named by deltas; None where these do not lead there."""
        for _ in range(MOST_STEPS):
            data = self.fetch(delta_name(file.name, known.version)) if known.version < file.version else None
            if data is None:
                return None
            try:
                known = statusdelta.apply(data, known, keys=self.keys, at=self.at)
            except BadStatusList:
                return None
            if known.version == file.version:
                return known
        return None


def _keys(files: Mapping[str, bytes], trusted: KeySet) -> KeySet:
    if KEYS not in files:
        return trusted
    try:
        return KeySet.from_json(files[KEYS], test=trusted.test)
    except BadKeySet:
        raise BadBundle("bundle-format", KEYS) from None


def _check_hosts(files: Mapping[str, bytes]) -> None:
    try:
        if hosts.FILE in files:
            hosts.from_json(files[hosts.FILE])
    except BadHosts:
        raise BadBundle("bundle-format", hosts.FILE) from None


def _read(body: bytes) -> Manifest:
    try:
        told = json.loads(body)
        files = tuple(File(**entry) for entry in told.pop("files"))
        issued = datetime.strptime(told.pop("issued_at"), _TIME).replace(tzinfo=UTC)
        age = told.pop("max_age")
        if type(age) is not int:
            raise BadBundle("bundle-format")
        return Manifest(**told, issued_at=issued, max_age=timedelta(seconds=age), files=files)
    except BadBundle:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BadBundle("bundle-format") from None


def over(names: Iterable[tuple[str, bytes]]) -> tuple[File, ...]:
    """The entries of these files, as a manifest wants them."""
    return tuple(sorted(File.of(name, data) for name, data in names))
