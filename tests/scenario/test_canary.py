"""I5: known keys are planted in the stores, everything is done with them, and nothing left behind holds them."""

import base64
import hashlib
import json
import logging
import re
import subprocess
import sys
import tarfile
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test import RequestFactory
from django.urls import reverse
from typer.testing import CliRunner

import batches
import builders
import ceremonies
import chips
import reading_desk
import tokens
from builders import NOON
from visits import Visitor
from zhengka.cards import services as cards
from zhengka.cards.services import publish_status_lists
from zhengka.cli.app import app
from zhengka.config.env import TokenPlace
from zhengka.core import files, queue
from zhengka.core.errors import Refusal
from zhengka.formats import shares
from zhengka.formats.suites import SUITES
from zhengka.keys import rules, services
from zhengka.keys.models import Seat
from zhengka.keys.store import KeyStoreError, Usage
from zhengka.keys.store.interface import PAIRS
from zhengka.web.ui import pages

WRONG_WORK = (
    lambda store, label: store.sign(label, [b"m"]), lambda store, label: store.ecb(label, b"x"),
    lambda store, label: store.diversify(label, [b"x"]), lambda store, label: store.split(label, needed=2, among=3),
    lambda store, label: store.generate(label, suite="SM", usage=Usage.MAC),
    lambda store, label: store.unwrap(label, b"x", by=label, suite="SM", usage=Usage.MAC))
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("pcsc")]


@pytest.fixture(params=["file", "token"])
def home(request, settings, tmp_path, monkeypatch, token_home) -> Path:
    """A home whose keys lie in a file or in a token, and a folder of temporary files of its own."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for name in ("TMPDIR", "TMP", "TEMP"):  # and those of every process that is started
        monkeypatch.setenv(name, str(temporary))
    settings.HOME, settings.FILES = home, home / "files"
    if request.param == "token":
        settings.KEY_PASSPHRASE = tokens.PIN
        settings.KEY_TOKEN = TokenPlace(tokens.SOFTHSM, tokens.make_token(), "")
    return home


def secret_of(label: str, usage: Usage) -> bytes:
    """The known key of a label: 16 bytes, or a scalar of 32."""
    return hashlib.sha256(f"canary {label}".encode()).digest()[:32 if usage in PAIRS else 16]


def plant() -> dict[str, bytes]:
    """Known keys under every label that the platform is going to ask for."""
    store, planted = services.store(), {}
    store.generate("door", suite="SM", usage=Usage.UNWRAP)
    for suite in SUITES:
        for purpose, life in rules.LIVES.items():
            for slot in services.CARD_SLOTS if purpose == "card_master" else ("",):
                for area in (rules.NATION, 43 * 10**10) if purpose == rules.AUTHORITY else (43 * 10**10,):
                    label = rules.label(purpose, suite, area, slot, 1)
                    planted[label] = secret_of(label, life.usage)
                    blob = store.public("door").encrypt(planted[label])
                    store.unwrap(label, blob, by="door", suite=suite, usage=life.usage)
    store.destroy("door")
    return planted


def hold_ceremonies() -> tuple[dict[str, bytes], str]:
    """Whole ceremonies by the pages, with slips, and one that is still open: every component and key of theirs, and
    whatever pages said but what a custodian asked for.
    """
    hall, said, parts = ceremonies.Hall(), [], {"master": ceremonies.MASTER}
    row = hall.open("import", check_value=shares.check_value(ceremonies.MASTER, SUITES["SM"]), exportable=True)
    for custodian, one in zip(hall.custodians, ceremonies.components(ceremonies.MASTER), strict=True):
        parts[f"brought {one.number}"] = bytes.fromhex(one.value)
        url = reverse("staff:ceremony-part", args=[row.pk])
        for check_value in ("000000", one.check_value) if row.state == "gathering" else ():
            answer = Visitor(custodian).act(url, number=one.number, component=one.value, check_value=check_value)
            said.append(answer.content.decode())
        row.refresh_from_db()
    row = services.carry_on(row.pk, at=NOON)
    assert row.state == "done"
    hall.hold("export", row.key, transport=SUITES["SM"].generate().public)
    for slot in ("tac", "load"):
        made = hall.open("generate", slot=slot)
        for custodian, one in zip(hall.custodians, hall.seen(made), strict=True):
            parts[f"{slot} {one.number}"] = bytes.fromhex(one.value)
            visitor = Visitor(custodian)
            assert visitor.act(reverse("staff:ceremony-sheet", args=[made.pk])).status_code == 200
            if slot == "tac":
                visitor.act(reverse("staff:ceremony-part", args=[made.pk]), component=one.value,
                            check_value=one.check_value)
            said.append(visitor.get(reverse("staff:ceremony", args=[made.pk])).content.decode())
        made = services.carry_on(made.pk, at=NOON)
        assert made.state == ("done" if slot == "tac" else "gathering")
    parts["tac"] = shares.combine([
        shares.Share(n, parts[f"tac {n}"], shares.check_value(parts[f"tac {n}"], SUITES["SM"])) for n in (1, 2)],
        suite=SUITES["SM"])
    return parts, "".join(said)


def unblock_pins(room, folder: Path) -> list[str]:
    """The one-time PINs of two cards, which their chips were told on the desk's reader and its page told a clerk."""
    counter, told = reading_desk.make_counter(folder), []
    for _ in range(2):
        card, chip = chips.given_out()
        room.lay(chip)
        cards.ask_chip(card, "pin", by=counter.clerk, request_id=builders.request_id(), at=NOON)
        talk = reading_desk.talk(counter, "write", card)
        assert talk.reading.outcome == "good" and len(talk.pins) == 1
        told += talk.pins
        room.empty()
    return told


def use(tmp_path: Path) -> None:
    """A batch to its results, status lists, certificates of both suites, whatever a command shows, and a backup."""
    area = builders.make_area()
    maker = batches.make_maker(tmp_path / "maker", area)
    for _ in range(3):
        batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    batches.receive(batch, batches.make_cards(batch, tmp_path / "maker"))
    publish_status_lists(at=NOON)
    security = builders.make_officer("security", area=area)
    for suite in SUITES:
        services.ensure(area.code, suite, at=NOON)
        run("keys", "certify", "--unit", area.unit6, "--suite", suite, "--as", security.username,
            "--out", str(tmp_path / "certificates"))
    run("keys", "list", "--unit", area.unit6)
    queue.later("cards.publish_status_lists", number=1)
    run("backup", str(tmp_path / "backup.tar"))


def run(*words: str) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output + repr(done.exception)
    sys.stdout.write(done.output)


def fail(planted: dict[str, bytes]) -> str:
    """Wrong work with every key, the page that a visitor gets of it, the log, and the whole traceback."""
    store, shown = services.store(), []
    for label in planted:
        for work in WRONG_WORK:
            try:
                work(store, label)
            except (KeyStoreError, ValueError) as fault:
                logging.getLogger("django.request").exception("canary %s", label)
                shown += traceback.format_exception(fault)
                shown.append(pages.server_error(RequestFactory().get("/")).content.decode())
        shown += [repr(store.describe(label)), repr(store._key(label)), repr(store)]
    return "".join(shown)


def left_behind(home: Path, tmp_path: Path, shown: str) -> Iterator[tuple[str, bytes]]:
    """Everything that may be read afterwards: name and bytes."""
    yield "shown", shown.encode()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(tmp_path)), path.read_bytes()
    with tarfile.open(tmp_path / "backup.tar") as tar:
        dump = tar.extractfile("database.dump").read()
    yield "dump", subprocess.run(["pg_restore", "--file=-"], input=dump, capture_output=True, check=True).stdout
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            yield table, "\n".join(row for (row,) in cursor.fetchall()).encode()


def spellings(secret: bytes) -> list[bytes]:
    """The ways in which a secret could lie somewhere: raw and turned, hex, base64 at any offset, escaped, decimal."""
    found = [secret, secret[::-1], secret.hex().encode(), secret.hex().upper().encode(), repr(secret)[2:-1].encode(),
             str(int.from_bytes(secret)).encode(), secret.hex(":").encode(), secret.hex(" ").upper().encode(),
             secret.hex(" ", 2).encode(), secret.hex(" ", 2).upper().encode()]
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + secret)
        found += [encoded[4:-4], base64.urlsafe_b64encode(bytes(offset) + secret)[4:-4]]
    return found


def hits(planted: dict[str, bytes], places: Iterator[tuple[str, bytes]]) -> list[str]:
    """Where a key lies in one of its spellings, also one that is broken into lines, as PEM is, and the lines' ends
    escaped, as in a dump and in JSON.
    """
    needles = [(label, spelling) for label, secret in planted.items() for spelling in spellings(secret)]
    return [f"{label} in {name}" for name, data in places for whole in [re.sub(rb"\s|\\+[nrt]", b"", data)]
            for label, spelling in needles if spelling in data or spelling in whole]


def pin_hits(pins: list[str], places: Iterator[tuple[str, bytes]]) -> list[str]:
    """Where a PIN lies as digits that are no part of a longer number and no fraction of a second, or as their bytes in
    hex or base64, whatever stands beside them.
    """
    needles = []
    for pin in pins:
        told = pin.encode()
        written = [told.hex(), told.hex(":"), told.hex(" "), told.hex(" ", 2)]
        for offset, kept in enumerate((slice(0, 8), slice(2, 9), slice(3, 10))):
            written.append(base64.b64encode(bytes(offset) + told + bytes(3)).decode()[kept])
        needles += [(pin, re.compile(one.encode())) for one in (rf"(?<![\d.]){pin}(?!\d)", *written)]
    return [f"{pin} in {name}" for name, data in places for pin, needle in needles if needle.search(data)]


def test_temporary_files_of_other_processes_lie_where_the_search_goes(home):
    asked = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    assert Path(told) == home.parent / "temporary"


def test_no_planted_key_is_found_in_anything_that_is_left_behind(
        home, tmp_path, caplog, capfd, token_home, *, settings, room):
    caplog.set_level(logging.DEBUG)
    planted = plant()
    parts, said = hold_ceremonies()
    if settings.KEY_TOKEN:
        parts["PIN"] = tokens.PIN.encode()
    pins = unblock_pins(room, tmp_path / "reader")
    use(tmp_path)
    shown = fail(planted) + said
    out, err = capfd.readouterr()
    told = "".join((shown, caplog.text, out, err))
    places = list(left_behind(home, tmp_path, told))
    places += [(f"token {path.name}", path.read_bytes()) for path in token_home.rglob("*") if path.is_file()]
    used = set(services.store().labels())
    assert set(planted) <= used and all(label in told for label in planted), "all of them were at work"
    names = {name for name, _ in places}
    assert {"dump", "backup.tar", "procrastinate_jobs", "keys_key", "core_event"} <= names and len(places) > 60
    assert any(b"core_event" in data for name, data in places if name == "dump")
    assert {"keys_ceremony", "keys_seat"} <= names and Seat.objects.exclude(component=None).count() == 3
    assert len(parts) >= 11 and hits({**planted, **parts}, iter(places)) == []
    assert {"devices_reading", "cards_chiporder"} <= names and len(set(pins)) == 2
    assert pin_hits(pins, iter(places)) == []


def pem_of(scalar: bytes) -> str:
    """A key pair as PKCS #8 in PEM, whose lines break in the middle of the scalar."""
    return ec.derive_private_key(int.from_bytes(scalar), ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


LEAKS = {
    "dump": lambda key: builders.make_holder(name=key.hex()),
    "log": lambda key: logging.getLogger("zhengka").warning("drawn %s", base64.b64encode(key).decode()),
    "job": lambda key: queue.later("cards.publish_status_lists", number=1, once=pem_of(key)),
    "temporary file": lambda key: (Path(tempfile.gettempdir()) / "left").write_bytes(b"\x04\x20" + key),
    "file of the store": lambda key: files.put(pem_of(key).encode()),
    "error page": lambda key: problem_page(key.hex(" ", 2).upper())}
"""Kind of artefact → how a key gets into it, in clear, each spelled in another way."""


def problem_page(said: str) -> str:
    """What a visitor is told of a refusal, and where it leads; what a refusal knows besides, it does not tell."""
    refusal = Refusal("results-broken", why=said)
    assert said not in pages.refused(RequestFactory().get("/"), refusal).content.decode()
    return pages.refused(RequestFactory().get("/"), refusal, back=f"/staff/?of={said}").content.decode()


@pytest.mark.parametrize("home", ["file"], indirect=True)
def test_a_key_that_leaks_is_found_in_whatever_it_leaked_into(home, tmp_path, caplog):
    planted = {kind: secret_of(kind, Usage.SIGN) for kind in LEAKS}
    said = [leak(planted[kind]) for kind, leak in LEAKS.items()]
    run("backup", str(tmp_path / "backup.tar"))
    found = hits(planted, left_behind(home, tmp_path, caplog.text + str(said[-1])))
    where = {kind: {one.partition(" in ")[2] for one in found if one.startswith(f"{kind} in ")} for kind in LEAKS}
    assert {"dump", "registry_holder"} <= where["dump"] and {"dump", "procrastinate_jobs"} <= where["job"]
    assert where["log"] == where["error page"] == {"shown"} and where["temporary file"] == {"temporary/left"}
    assert any(place.startswith("home/files") for place in where["file of the store"])


@pytest.mark.parametrize("hide", [
    bytes, bytes.hex, lambda key: key.hex().upper(), lambda key: base64.b64encode(b"x" + key), int.from_bytes,
    lambda key: base64.urlsafe_b64encode(b"xy" + key), lambda key: f"key = {key!r}",
    lambda key: b"\x30\x22\x04\x20" + key, lambda key: key.hex(" ", 2).upper(), pem_of])
def test_the_search_finds_a_key_however_it_is_written(hide):
    planted = {"43/status/SM/1": secret_of("43/status/SM/1", Usage.SIGN)}
    found = hide(planted["43/status/SM/1"])
    data = b"before" + (found if isinstance(found, bytes) else str(found).encode()) + b"after"
    assert hits(planted, iter([("somewhere", data)]))


@pytest.mark.parametrize("hide", [
    lambda pin: pin, lambda pin: json.dumps({"pins": [pin]}), lambda pin: pin.encode().hex(),
    lambda pin: pin.encode().hex(" "), lambda pin: f"0024000508{pin.encode().hex()}ffff",
    *(lambda pin, before=before: base64.b64encode(before + pin.encode() + b"\xff\xff").decode()
      for before in (b"", b"x", b"xy")), lambda pin: f"PIN={pin}."])
def test_the_search_finds_a_pin_however_it_is_written_and_no_longer_number(hide):
    pin = "428571"
    assert pin_hits([pin], iter([("somewhere", f"before {hide(pin)} after".encode())]))
    assert not pin_hits([pin], iter([("elsewhere", b"1428571 4285714 2026-11-20 12:00:00.428571+08")]))
