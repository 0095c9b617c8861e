"""The files that gates fetch, and the signed manifest over those that belong together (离线包): the public part, and a
part for each operator (运营单位), which other rooms fill and ask for.
"""

import hashlib
import json
import logging
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from zhengka.cards import rules
from zhengka.cards.models import BundlePublication
from zhengka.core.queue import later
from zhengka.formats import bundle, durable, hosts
from zhengka.formats.bundle import MANIFEST, PUBLIC, BadBundle, File, Manifest
from zhengka.formats.statuslist import BadStatusList
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys

log = logging.getLogger("zhengka.lists")


def folder() -> Path:
    """Where the files lie that everybody may fetch: the public part of the offline bundle (离线包)."""
    return Path(settings.HOME) / "public"


def operator_folder(operator: str) -> Path:
    """Where those lie that only this operator's gates may fetch. Raises `BadBundle` for what is no operator's code."""
    if operator == PUBLIC or not bundle.is_bundle(operator):
        raise BadBundle("bundle-other")
    return Path(settings.HOME) / "gates" / operator


def place_of(operator: str, name: str) -> Path:
    """Where a file of an operator's bundle lies: in its own part, or in the public one."""
    own = operator_folder(operator) / name
    return own if own.exists() else folder() / name


def write(path: Path, data: bytes) -> None:
    """Replace a file for gates whole: one that fetches it meanwhile gets the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write(path, data, mode=0o644)


def write_part(operator: str, name: str, data: bytes) -> None:
    """Put a file into an operator's part, if it says something new. Its bundle names it once `ask_for_bundle` was
    heard. Raises `BadBundle` for a name that no bundle has.
    """
    path = operator_folder(operator) / File.of(name, data).name
    if not path.exists() or path.read_bytes() != data:
        write(path, data)


def ask_for_bundle(operator: str) -> None:
    """Ask, within the present transaction, that this operator's manifest is published anew."""
    later("cards.publish_bundle", once=f"bundle {operator}", lock=f"bundle {operator}", operator=operator)


def publish_keys() -> Path:
    """Write the public keys that verifiers trust, `keys.json`, beside the lists; the path of the file."""
    path = folder() / bundle.KEYS
    content = key_queries.key_set().to_json().encode()
    if not path.exists() or path.read_bytes() != content:
        write(path, content)
    return path


def publish_hosts() -> None:
    """Write the hosts that codes of cards may carry, `hosts.json`, beside the lists."""
    found = [host for host in settings.CODE_HOSTS if hosts.is_host(host)]
    path, content = folder() / hosts.FILE, hosts.to_json(found)
    if found and (not path.exists() or path.read_bytes() != content):
        write(path, content)


def publish_bundles(*, at: datetime, names: Iterable[str] | None = None) -> list[BundlePublication]:
    """Publish the manifest of every bundle that has something new, or has not been signed for `rules.BUNDLE_REFRESH`,
    so that gates with a network know that what they hold is the newest there is. Called outside every transaction.

    `names`: these bundles only. One that cannot be made is logged and keeps none of the others.
    """
    made = []
    for name in names if names is not None else (PUBLIC, *operators()):
        try:
            made.append(_publish(name, at))
        except (BadBundle, BadStatusList):
            log.exception("bundle %s cannot be made", name)
    return [one for one in made if one]


def operators() -> list[str]:
    """The operators that have a part of their own."""
    place = Path(settings.HOME) / "gates"
    return sorted(each.name for each in place.iterdir() if each.is_dir()) if place.is_dir() else []


def _publish(name: str, at: datetime) -> BundlePublication | None:
    working = key_queries.at_work("status", at=at)
    if not working:
        return None
    files = _files(name)
    publication = _intend(name, files, at)
    if publication is None:
        return None
    area, suite = min(working, key=lambda each: (each[1] != "SM", each[0]))
    signer = keys.signer("status", area, suite, at=at)
    manifest = Manifest(name, publication.number, at, rules.MAX_AGE, files)
    return _store(publication, bundle.build(manifest, suite=suite, key_id=signer.key_id, sign=signer.sign))


@transaction.atomic(durable=True)
def _intend(name: str, files: tuple[File, ...], at: datetime) -> BundlePublication | None:
    """The next version of the bundle, stored before it is signed; none where the newest one still says it all."""
    _one_at_a_time(name)
    content = hashlib.sha256(json.dumps([[each.name, each.sha256] for each in files]).encode()).hexdigest()
    rows = BundlePublication.objects.filter(bundle=name)
    newest = rows.exclude(digest="").order_by("-number").first()
    if newest and newest.content == content and at < newest.published_at + rules.BUNDLE_REFRESH \
            and _manifest(name).exists():
        return None
    last = rows.aggregate(last=Max("number"))["last"]
    return BundlePublication.objects.create(bundle=name, number=rules.next_version(last, at), published_at=at,
                                            content=content)


@transaction.atomic(durable=True)
def _store(publication: BundlePublication, data: bytes) -> BundlePublication | None:
    """Show the manifest, unless a newer one was quicker."""
    _one_at_a_time(publication.bundle)
    shown = BundlePublication.objects.filter(bundle=publication.bundle).exclude(digest="")
    if shown.filter(number__gt=publication.number).exists():
        return None
    publication.digest, publication.size = hashlib.sha256(data).hexdigest(), len(data)
    publication.save(update_fields=["digest", "size"])
    write(_manifest(publication.bundle), data)
    return publication


def _manifest(name: str) -> Path:
    return (folder() if name == PUBLIC else operator_folder(name)) / MANIFEST


def _files(name: str) -> tuple[File, ...]:
    """What the bundle consists of at this moment. A file that is replaced meanwhile has a manifest of its own soon."""
    found = {}
    for place in (folder(), *((operator_folder(name),) if name != PUBLIC else ())):
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if bundle.is_named(path.name) and (stamp := _stamp(path)):
                found[path.name] = _entry(path, *stamp)
    return tuple(sorted(found.values()))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=10_000)
def _entry(path: Path, _modified: int, _size: int) -> File:
    return File.of(path.name, path.read_bytes())


def _one_at_a_time(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('bundle'), hashtext(%s))", [name])
