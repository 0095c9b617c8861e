"""A bundle from any web server into a folder, whole or not at all. Free of Django, so that helpers start fast."""

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from zhengka.core.errors import Refusal
from zhengka.formats import bundle, durable
from zhengka.formats.bundle import KEYS, MANIFEST, PUBLIC, BadBundle, File, Held
from zhengka.formats.issuers import KeySet

TRIES: Final = 5
"""How often the rest of a file is asked for after the connection broke."""
LARGEST: Final = 64 * 1024 * 1024


@dataclass
class Server:
    """A web server with the files of a bundle. `headers` go with every request, such as an operator's credentials."""

    base: str
    timeout: float = 20
    headers: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, tuple[str, bytes]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.base.startswith(("https://", "http://")):
            raise Refusal("bundle-address", address=self.base)

    def fetch(self, name: str) -> bytes | None:
        """A file's bytes, None where there is none. An unchanged manifest is not sent again; after a broken connection
        only the rest is, if the file is still the same. Raises OSError where the server cannot be reached.
        """
        tag, known = self._seen.get(name, ("", b""))
        data, etag = b"", ""
        for _ in range(TRIES):
            asked = {"Range": f"bytes={len(data)}-", "If-Range": etag} if data and etag else (
                {"If-None-Match": tag} if tag else {})
            try:
                part, status, etag, whole = self._get(name, asked)
            except urllib.error.HTTPError as no:
                if no.code == 304:
                    return known
                if no.code in (404, 410):
                    return None
                raise
            data = data + part if status == 206 else part
            if whole:
                if name == MANIFEST and etag:
                    self._seen[name] = etag, data
                return data
        raise ConnectionError(f"{name} broke off {TRIES} times")

    def _get(self, name: str, headers: dict[str, str]) -> tuple[bytes, int, str, bool]:
        """What came, the status, the tag, and whether it is all of it."""
        address = f"{self.base.rstrip('/')}/{name}"
        request = urllib.request.Request(address, headers=self.headers | headers)  # noqa: S310 - looked at when made
        with urllib.request.urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
            etag = answer.headers.get("ETag") or ""
            etag = "" if etag.startswith("W/") else etag
            try:
                data = answer.read(LARGEST)
            except http.client.IncompleteRead as broken:
                return broken.partial, answer.status, etag, False
            return data, answer.status, etag, answer.length in (None, 0)


def mirror(server: Server, folder: Path, *, at: datetime, keys: Path | None = None, whose: str = PUBLIC) -> Held:
    """Bring a folder up to what the server has: only what changed is fetched, and nothing is written before all of it
    was checked. `keys`: the public keys to begin with, from a place that one trusts; later those in the folder.

    Raises `BadBundle`, OSError; `Refusal("bundle-missing")` where there are no keys to begin with.
    """
    start = folder / KEYS if (folder / KEYS).exists() else keys
    if start is None or not start.exists():
        raise Refusal("bundle-missing", folder=str(folder))
    trusted = KeySet.from_json(start.read_text())
    here = folder / MANIFEST
    known = bundle.parse(here.read_bytes(), keys=trusted, at=at, bundle=whose) if here.exists() else None
    data = _needed(server.fetch(MANIFEST), MANIFEST)
    manifest = bundle.parse(data, keys=trusted, at=at, bundle=whose, known=known)
    files = {each.name: _file(server, folder, each) for each in manifest.files} | {MANIFEST: data}
    held = bundle.take(files.get, trusted=trusted, at=at, bundle=whose)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():  # the manifest comes last: what it names is there by then
        durable.write(folder / name, content, mode=0o644)
    return held


def _file(server: Server, folder: Path, file: File) -> bytes:
    path = folder / file.name
    try:
        return file.check(path.read_bytes() if path.exists() else None)
    except BadBundle:
        return file.check(server.fetch(file.name))


def _needed(data: bytes | None, name: str) -> bytes:
    if data is None:
        raise BadBundle("bundle-incomplete", name)
    return data
