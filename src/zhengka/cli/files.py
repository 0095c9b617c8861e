"""Files that commands write: those that an operator names, and the public address that is kept for later ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from zhengka.core.errors import Refusal
from zhengka.formats import durable, hosts


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Write `path` inside; `Refusal("file-unwritable")` for a folder that is not there or not the operator's."""
    try:
        yield path
    except OSError as no:
        raise Refusal("file-unwritable", file=str(path)) from no


def keep_public_url() -> None:
    """Keep the public address for every later command, whatever it listens at, until ZHENGKA_PUBLIC_URL says another:
    it is printed on cards. The host of the one before is kept, too: gates go on taking its cards.
    """
    address, before = settings.HOME / settings.PUBLIC_URL_FILE, settings.HOME / settings.CODE_HOSTS_FILE
    known = before.read_text("utf-8").split() if before.exists() else []
    last = hosts.of_url(address.read_text("utf-8").strip()) if address.exists() else ""
    if last not in ("", hosts.of_url(settings.PUBLIC_URL), *known):
        durable.write(before, "".join(f"{host}\n" for host in (*known, last)).encode())
    durable.write(settings.HOME / settings.PUBLIC_URL_FILE, f"{settings.PUBLIC_URL}\n".encode())
