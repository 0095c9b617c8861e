"""Fetch a package part by part (分卷传输): each part is checked by the office's signed list, and a stopped or broken
transfer goes on with the parts that are missing.
"""

import http.client
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from zhengka.formats import parts
from zhengka.formats.parts import Assembly, PartBroken, PartList
from zhengka.formats.suites import PublicKey

Source = Callable[[PartList, int], bytes]
"""The bytes of one part, from wherever it lies; at most one more than it has. OSError where it is not there."""

PATIENCE = 60.0
"""Seconds without a byte after which a server is given up."""


class PartsMissing(ValueError):
    """Some parts did not come, or came broken: they are named, and the next run fetches these alone."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in faults.items()) + "; run it again for these alone")
        self.names = list(faults)


def fetch(listed: Path, source: str, out: Path, issuer: PublicKey) -> tuple[int, int]:
    """Put the package together at `out` from its parts at `source`, a folder or an address (http, https); how many
    parts came now, and of how many. PartsMissing, StatementBroken.
    """
    plan = parts.read(listed.read_bytes(), issuer)
    whole = Assembly(plan, out)
    wanted = list(whole.missing())
    get, faults = _source(source), dict[str, str]()
    for place, number in enumerate(wanted, 1):
        try:
            whole.put(number, get(plan, number))
        except PartBroken:
            faults[plan.name(number)] = "broken"
        except (OSError, http.client.HTTPException) as no:
            faults[plan.name(number)] = f"not there ({no})"
        print(f"{place} of {len(wanted)} parts", file=sys.stderr)
    if faults:
        raise PartsMissing(faults)
    whole.finish()
    return len(wanted), len(plan.digests)


def _source(source: str) -> Source:
    if source.startswith(("http://", "https://")):
        return _Server(source)
    return _Folder(Path(source))


class _Folder:
    """Parts that lie in a folder: `NAME.0001` …; or the whole file `NAME`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, plan: PartList, number: int) -> bytes:
        start, size = plan.span(number)
        part = self._folder / plan.name(number)
        whole = not part.exists() and (self._folder / plan.file).exists()
        with (self._folder / plan.file if whole else part).open("rb") as file:
            file.seek(start if whole else 0)
            return file.read(size if whole else size + 1)


class _Server:
    """Parts of a file on a server: by ranges of the whole (RFC 9110 section 14), or as files of their own."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def __call__(self, plan: PartList, number: int) -> bytes:
        start, size = plan.span(number)
        try:
            return self._read(plan.name(number), size, {}, http.HTTPStatus.OK)
        except urllib.error.HTTPError as no:
            if no.code != http.HTTPStatus.NOT_FOUND:
                raise
        asked = {"Range": f"bytes={start}-{start + size - 1}"}
        return self._read(plan.file, size, asked, http.HTTPStatus.PARTIAL_CONTENT)

    def _read(self, name: str, size: int, headers: dict[str, str], wanted: int) -> bytes:
        request = urllib.request.Request(f"{self._address}/{name}", headers=headers)  # noqa: S310 - http(s), see _source
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            if answer.status != wanted:
                raise OSError(f"the server answers {answer.status}, it knows no ranges")
            data: bytes = answer.read(size + 1)
        return data
