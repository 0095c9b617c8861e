"""Makes the known answers for the offline bundle, which every language that takes one runs.

    python tests/bundle_vectors.py

writes `tests/vectors/bundle.json`: places where files lie, and what comes of taking them, one after another, from
nothing or from what was taken before. Signatures differ from run to run.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from issued import NOON, Issuer
from zhengka.formats import bundle, issuers, statusdelta, statuslist
from zhengka.formats.bundle import MANIFEST, Manifest
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import STATUS_LIST

PATH = Path(__file__).parent / "vectors" / "bundle.json"
HOUR = timedelta(hours=1)
SIGNER, NEXT, STRANGER = Issuer("INTL"), Issuer("INTL", 2), Issuer("INTL", 3)
TRUSTED = SIGNER.keys
Place = dict[str, bytes]


def signer(issuer: Issuer = SIGNER) -> dict[str, Any]:
    """How this issuer signs."""
    return {"suite": issuer.suite, "key_id": issuer.key.public.key_id, "sign": issuer.key.sign}


def listed(number: int, version: int, numbers: str, claim: str = "", issuer: Issuer = SIGNER) -> bytes:
    """A list that says this of its cards."""
    header = statuslist.Header(number, version, NOON, NOON + 24 * HOUR, len(numbers))
    pairs = [(place, int(digit)) for place, digit in enumerate(numbers) if digit != "0"]
    kind = statuslist.claim_list(claim) if claim else STATUS_LIST
    return statuslist.build(header, pairs, **signer(issuer), kind=kind)


def delta(before: bytes, after: bytes) -> bytes:
    """What changed."""
    return statusdelta.build(statuslist.unchecked(before), statuslist.unchecked(after), **signer())


def manifest(files: Mapping[str, bytes], version: int, whose: str = "public") -> Manifest:
    """The manifest over these files."""
    named = bundle.over((name, data) for name, data in files.items() if ".from-" not in name)
    return Manifest(whose, version, NOON, 72 * HOUR, named)


def place(files: Place, version: int, whose: str = "public", issuer: Issuer = SIGNER) -> Place:
    """Files with their manifest."""
    return files | {MANIFEST: bundle.build(manifest(files, version, whose), **signer(issuer))}


KEYS = {"keys.json": SIGNER.keys.to_json().encode()}
ROLLED = {"keys.json": KeySet([SIGNER.trusted, NEXT.trusted]).to_json().encode()}
LISTS = [listed(7, 100 + step, ("2" * step + "0" * 10)[:10] + "12300" * 20) for step in range(3)]
CHAIN = {f"status-7.from-{100 + step}.bin": delta(LISTS[step], LISTS[step + 1]) for step in range(2)}
FIRST = place(KEYS | {"status-7.bin": LISTS[0]}, 1000)
SECOND = place(KEYS | {"status-7.bin": LISTS[1]} | CHAIN, 1001)
THIRD = place(KEYS | {"status-7.bin": LISTS[2]} | CHAIN, 1002)
RULES = b'{"operator": "changsha-metro"}'
OPERATOR = place(KEYS | {"status-7.bin": LISTS[0], "rulebook.json": RULES,
                         "claim-0a1b2c3d-7.bin": listed(7, 100, "1" * 60 + "0" * 50, "0a1b2c3d")},
                 1000, "changsha-metro")
NEW_KEYS = place(ROLLED | {"status-7.bin": LISTS[1]}, 1001)
BY_NEW_KEY = place(ROLLED | {"status-7.bin": listed(7, 102, "2" * 110, issuer=NEXT)}, 1002, issuer=NEXT)
MADE_UP = manifest(KEYS | {"status-7.bin": LISTS[1]}, 1001)


def signed(content: bytes, issuer: Issuer = SIGNER, content_type: str = bundle.CONTENT_TYPE) -> bytes:
    """Any body as a manifest."""
    head = b"ZKBM\x01\x12" + len(content).to_bytes(4)
    key_id = issuer.key.public.key_id
    return head + content + key_id + issuer.key.sign(
        issuers.sig_structure("INTL", key_id, content_type, head + content))


def body(**change: Any) -> bytes:
    """The body of the second manifest, with a member changed or, by None, left out."""
    told = json.loads(SECOND[MANIFEST][10:-72]) | change
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def file(**change: Any) -> bytes:
    """That body, with a member of its first file changed."""
    files = json.loads(body())["files"]
    return body(files=[files[0] | change, *files[1:]])


def swapped(name: str, data: bytes | None, at: Place = SECOND) -> Place:
    """Without a file, or with another one in its place."""
    kept = {each: content for each, content in at.items() if each != name}
    return kept if data is None else kept | {name: data}


PLACES: dict[str, Place] = {
    "first": FIRST, "second": SECOND, "third": THIRD, "operator": OPERATOR, "new keys": NEW_KEYS,
    "by the new key": BY_NEW_KEY,
    "deltas alone": swapped("status-7.bin", None, THIRD),
    "no deltas": {name: data for name, data in THIRD.items() if ".from-" not in name},
    "a delta is damaged": swapped("status-7.from-100.bin", CHAIN["status-7.from-100.bin"][:-1], THIRD),
    "a delta of another place": swapped("status-7.from-100.bin", CHAIN["status-7.from-101.bin"], THIRD),
}
BAD: dict[str, tuple[str, Place, str]] = {
    #  name                 held     place    code
    "nothing": ("", {}, "bundle-incomplete"),
    "another magic": ("", swapped(MANIFEST, b"ZKBX" + SECOND[MANIFEST][4:]), "bundle-format"),
    "a format to come": ("", swapped(MANIFEST, b"ZKBM\x02" + SECOND[MANIFEST][5:]), "bundle-format"),
    "an unknown algorithm": ("", swapped(MANIFEST, b"ZKBM\x01\x13" + SECOND[MANIFEST][6:]), "bundle-format"),
    "another algorithm than its key's": ("", swapped(MANIFEST, b"ZKBM\x01\x11" + SECOND[MANIFEST][6:]),
                                         "algorithm-mismatch"),
    "a manifest cut short": ("", swapped(MANIFEST, SECOND[MANIFEST][:-1]), "bundle-truncated"),
    "a manifest cut to its head": ("", swapped(MANIFEST, SECOND[MANIFEST][:10]), "bundle-truncated"),
    "a byte changed": ("", swapped(MANIFEST, SECOND[MANIFEST][:30] + b"~" + SECOND[MANIFEST][31:]),
                       "signature-wrong"),
    "signed by a stranger": ("", place(KEYS | {"status-7.bin": LISTS[1]}, 1001, issuer=STRANGER), "key-unknown"),
    "signed as something else": ("", swapped(MANIFEST, signed(body(), content_type=STATUS_LIST.content_type)),
                                 "signature-wrong"),
    "an older bundle": ("third", FIRST, "bundle-rollback"),
    "another one of the same version": ("second", place(KEYS | {"status-7.bin": LISTS[2]}, 1001), "bundle-rollback"),
    "an operator's for the public": ("", OPERATOR, "bundle-other"),
    "no keys": ("", swapped("keys.json", None), "bundle-incomplete"),
    "no list": ("", swapped("status-7.bin", None), "bundle-incomplete"),
    "keys of another bundle": ("", swapped("keys.json", ROLLED["keys.json"]), "bundle-mixed"),
    "an older list": ("", swapped("status-7.bin", LISTS[0]), "bundle-mixed"),
    "a list cut short": ("", swapped("status-7.bin", LISTS[1][:-1]), "bundle-mixed"),
    "an older list, named": ("second", place(KEYS | {"status-7.bin": LISTS[0]}, 1002), "list-rollback"),
    "another list of a version, named": ("second", place(KEYS | {"status-7.bin": listed(7, 101, "1" * 110)}, 1002),
                                         "list-rollback"),
    "another list's number in its name": ("", place(KEYS | {"status-8.bin": LISTS[1]}, 1001), "bundle-mixed"),
    "another version than its list's": ("", SECOND | {MANIFEST: bundle.build(replace(MADE_UP, files=tuple(
        replace(each, version=each.version + 1) for each in MADE_UP.files)), **signer())}, "bundle-mixed"),
    "a list by a stranger, named": ("", place(KEYS | {"status-7.bin": listed(7, 101, "0" * 110, issuer=STRANGER)},
                                              1001), "key-unknown"),
    "keys that are none, named": ("", place({"keys.json": b"{}", "status-7.bin": LISTS[1]}, 1001), "bundle-format"),
} | {f"a body with {name}": ("", SECOND | {MANIFEST: signed(content)}, "bundle-format") for name, content in {
    "no JSON": b"{", "no object": b"[]", "no bundle": body(bundle=None), "a strange bundle": body(bundle="../x"),
    "a number for a bundle": body(bundle=1), "no version": body(version=None), "a negative version": body(version=-1),
    "a broken version": body(version=1.5), "true for a version": body(version=True),
    "no time": body(issued_at=None), "a time without a zone": body(issued_at="2026-11-20T04:00:00"),
    "a negative age": body(max_age=-1), "a broken age": body(max_age=1.5), "an endless age": body(max_age=10**12),
    "no files": body(files=None), "a member too many": body(more=1), "files that are none": body(files=[1]),
    "files out of order": body(files=json.loads(body())["files"][::-1]),
    "a file twice": body(files=json.loads(body())["files"][:1] * 2), "a file's path": file(name="../keys.json"),
    "itself": file(name=MANIFEST), "a hidden file": file(name=".keys"), "capitals": file(name="Keys.json"),
    "a negative size": file(size=-1), "a broken digest": file(sha256="0" * 63), "a digest in capitals": file(
        sha256="A" * 64), "a file's member too many": file(more=1), "a file without a name": body(files=[{"size": 1}]),
}.items()}
TAKES = [
    #  held       place                       fetched besides the manifest
    ("", "first", "", ["keys.json", "status-7.bin"]),
    ("", "operator", "changsha-metro", ["claim-0a1b2c3d-7.bin", "keys.json", "rulebook.json", "status-7.bin"]),
    ("first", "first", "", []),
    ("first", "second", "", ["status-7.from-100.bin"]),
    ("first", "third", "", ["status-7.from-100.bin", "status-7.from-101.bin"]),
    ("first", "deltas alone", "", ["status-7.from-100.bin", "status-7.from-101.bin"]),
    ("first", "no deltas", "", ["status-7.bin", "status-7.from-100.bin"]),
    ("first", "a delta is damaged", "", ["status-7.bin", "status-7.from-100.bin"]),
    ("first", "a delta of another place", "", ["status-7.bin", "status-7.from-100.bin"]),
    ("first", "new keys", "", ["keys.json", "status-7.bin", "status-7.from-100.bin"]),
    ("new keys", "by the new key", "", ["status-7.bin", "status-7.from-101.bin"]),
]


def main() -> None:
    """Write them."""
    content = {
        "at": NOON.isoformat(), "trusted": json.loads(TRUSTED.to_json()),
        "places": {name: {each: data.hex() for each, data in files.items()}
                   for name, files in (PLACES | {name: files for name, (_, files, _) in BAD.items()}).items()},
        "takes": [{"held": held, "place": name, "bundle": whose or "public", "fetched": fetched, "code": ""}
                  for held, name, whose, fetched in TAKES]
        + [{"held": held, "place": name, "bundle": "public", "fetched": None, "code": code}
           for name, (held, _, code) in BAD.items()]}
    PATH.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
