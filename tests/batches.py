"""Plain functions that make what production works on: photos, ordered cards, a card maker's home and its runs."""

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import builders
from builders import NOON
from portraits import make_photo
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.actors import SYSTEM
from zhengka.core.models import Event
from zhengka.formats import x509
from zhengka.formats.keyfile import read_public, write_public
from zhengka.formats.results import CardResult, ResultReader, ResultWriter
from zhengka.keys import services as keys
from zhengka.production import queries, services
from zhengka.production.models import Batch, Maker
from zhengka.registry import photos
from zhengka_maker import home as homes

PROFILE = "disability-placeholder"


def make_ordered(*, area: Area | None = None, name: str = "田野", photo: bytes | None = b"draw", category: int = 4,
                 grade: int = 2, components: list[list[int]] | None = None) -> Card:
    """An ordered card; `photo` None: none is there."""
    holder = builders.make_holder(area=area, name=name)
    if photo is not None:
        holder.photo = photos.keep(make_photo(holder.pk % 1000) if photo == b"draw" else photo)
        holder.save()
    certificate = builders.make_certificate(holder, category=category, grade=grade, generation=3)
    certificate.issued_on, certificate.valid_until = NOON.date(), NOON.date().replace(year=2036)
    certificate.components = components or []
    certificate.save()
    return builders.make_card(holder, state="ordered", certificate=certificate)


def make_maker(home: Path, area: Area, *, name: str = "") -> Maker:
    """A card maker with a home of its own that trusts the province's batch key; all keys of the province are there."""
    keys.ensure(area.code, "SM", at=NOON)
    if not (home / "issuer.json").exists():
        maker_program("init", str(home))
        write_public(home / "issuer.json", queries.batch_public_key(area.code, "SM", at=NOON))
        maker_program("trust", str(home), str(home / "issuer.json"))
    return services.enrol_maker(name or f"maker {home}", read_public(home / "maker-public.json"), by=SYSTEM)


def certified(maker: Maker, home: Path, *, first: dt.datetime = NOON, days: int = 100) -> Maker:
    """The maker with a certificate of its key, from a day before `first` and for so many days from then on."""
    homes.certify(home, "制卡厂", days=days, at=first)
    own = x509.read_own((home / homes.CERTIFICATE).read_bytes())
    return services.enrol_maker(maker.name, own.public, by=SYSTEM, certificate=own)


def maker_program(*arguments: str) -> str:
    """Run the card maker's own program, as a process that shares nothing with us but files; what it printed."""
    done = subprocess.run([sys.executable, "-m", "zhengka_maker", *arguments], check=False,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_cards(batch: Batch, home: Path, *, spoil: float = 0.0, plant: tuple[str, ...] = (), blanks: str = "",
               waste: float = 0.0) -> Path:
    """Let the maker make a batch, of these `blanks` where they are told; the path of the signed results."""
    out = home / f"results-{batch.number}.jsonl"
    plants = [word for fault in plant for word in ("--plant", fault)]
    maker_program("run", str(package_path(batch)), "--home", str(home), "--out", str(out), "--spoil", str(spoil),
                  "--workers", "1", *plants, *(["--blanks", blanks, "--waste", str(waste)] if blanks else []))
    return out


def rewritten(results: Path, home: Path, change: Callable[[list[CardResult]], list[CardResult]]) -> Path:
    """The results as the maker would have signed them after a change of its list of cards."""
    key = homes.private_key(home)
    reader = ResultReader(results, key.public)
    out = results.with_suffix(".changed")
    with ResultWriter(out, reader.info, key) as writer:
        for card in change(list(reader.cards())):
            writer.add(card)
    return out


def package_path(batch: Batch) -> Path:
    """Where the batch's package lies."""
    return services.staging.packages() / batch.package


def open_batch(area: Area, maker: Maker, **more: int) -> Batch:
    """A batch of all ordered cards of the area, or of those that `services.Only` says."""
    return services.open_batch(area, PROFILE, maker, by=producer(area), request_id=builders.request_id(), at=NOON,
                               only=services.Only(**more))


def prepare(batch: Batch) -> Batch:
    """Prepare a batch in this process."""
    services.prepare_batch(batch, by=producer(batch.area), request_id=builders.request_id(), at=NOON)
    return services.run_chunks_here(batch, at=NOON, processes=1)


def send(batch: Batch) -> Batch:
    """Send a prepared batch, once gates were told of its cards."""
    cards.publish_status_lists(at=NOON)
    return services.send_batch(batch, by=producer(batch.area), request_id=builders.request_id(), at=NOON)


def receive(batch: Batch, results: Path) -> Batch:
    """Receive its results."""
    return services.receive_results(batch, results, by=producer(batch.area), request_id=builders.request_id(), at=NOON)


def producer(area: Area) -> object:
    """An officer who makes cards there."""
    return builders.make_actor("producer", area=area)


def states(batch: Batch) -> dict[str, int]:
    """How many cards of the batch are in each state."""
    found: dict[str, int] = {}
    for state in Card.objects.filter(items__batch=batch).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def events_of(card: Card) -> list[str]:
    """The actions told of a card, in order."""
    return list(Event.objects.filter(subject="card", subject_id=card.pk).order_by("version").values_list(
        "action", flat=True))
