"""What an offline verifier holds: public keys and signed status lists. Free of Django, so that helpers start fast."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from zhengka.core.errors import Refusal
from zhengka.formats import hosts, statuslist
from zhengka.formats.bundle import kind_of
from zhengka.formats.hosts import BadHosts
from zhengka.formats.issuers import KeySet, KeysOfSandbox
from zhengka.formats.statuslist import StatusList
from zhengka.formats.verdict import decide

MAX_AGE = timedelta(hours=72)
"""How old a status list may be for a green answer, where nothing else is said."""


def open_bundle(folder: Path, *, at: datetime) -> tuple[KeySet, Mapping[int, StatusList]]:
    """The public keys and every signed status list of a bundle; each list's signature is checked here, once."""
    if not (folder / "keys.json").exists():
        raise Refusal("bundle-missing", folder=str(folder))
    try:
        keys = KeySet.from_json((folder / "keys.json").read_text())
    except KeysOfSandbox:
        raise Refusal("bundle-of-sandbox", folder=str(folder)) from None
    lists = [statuslist.parse(path.read_bytes(), keys=keys, at=at) for path in sorted(folder.glob("status-*.bin"))
             if kind_of(path.name)]  # what changed from version to version lies beside them
    return keys, {found.number: found for found in lists}


def code_hosts(folder: Path) -> frozenset[str]:
    """The hosts that codes may carry by a bundle; none where it does not say. `Refusal("bundle-refused")`."""
    path = folder / hosts.FILE
    try:
        return hosts.from_json(path.read_bytes()) if path.exists() else frozenset()
    except BadHosts:
        raise Refusal("bundle-refused", reason="bundle-format", file=path.name) from None


def verdicts(texts: list[str], folder: Path, at: datetime) -> Counter[str]:
    """How many of the codes got which verdict against a bundle."""
    keys, lists = open_bundle(folder, at=at)
    return Counter(decide(text, keys=keys, lists=lists, at=at, max_age=MAX_AGE).code for text in texts)
