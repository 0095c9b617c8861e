"""The software key store: one file, for its owner alone, changed by no other hand, secrets sealed inside."""

import base64
import json
import logging
import pickle
import stat
import threading
import traceback
from pathlib import Path

import pytest

from key_writers import PASSPHRASE
from zhengka.formats.suites import SUITES
from zhengka.keys.store import (
    KeyStoreError,
    SoftwareStore,
    StoreBroken,
    Usage,
    WrongPassphrase,
)

CANARY = bytes.fromhex("5A17C0DE" * 4)
CANARY_SCALAR = bytes.fromhex("0BADC0DE5EC2E7AB" * 4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one key of every usage in both suites, made once: opening costs by design."""
    path = tmp_path_factory.mktemp("made") / "keys.json"
    store = SoftwareStore(path, PASSPHRASE)
    for suite in SUITES:
        for usage in Usage:
            store.generate(f"{suite}/{usage}", suite=suite, usage=usage, exportable=usage is Usage.DIVERSIFY)
    return path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> SoftwareStore:
    """A copy of that store of the test's own."""
    path = tmp_path / "keys.json"
    path.write_bytes(made.read_bytes())
    path.chmod(0o600)
    return SoftwareStore(path, PASSPHRASE)


def file_of(store: SoftwareStore, tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_what_another_process_changed_is_seen_at_once(store: SoftwareStore, tmp_path: Path) -> None:
    other = SoftwareStore(file_of(store, tmp_path), PASSPHRASE)
    public = store.public("SM/sign")
    assert public.verify(b"m", other.sign("SM/sign", [b"m"])[0])
    for _ in range(5):
        store.destroy("SM/sign")
        store.generate("SM/sign", suite="SM", usage=Usage.SIGN)
        assert other.public("SM/sign").verify(b"m", store.sign("SM/sign", [b"m"])[0])
        assert not public.verify(b"m", other.sign("SM/sign", [b"m"])[0])


def test_a_wrong_passphrase_and_none_are_refused(store: SoftwareStore, tmp_path: Path) -> None:
    with pytest.raises(WrongPassphrase):
        SoftwareStore(file_of(store, tmp_path), "wrong")
    with pytest.raises(ValueError):
        SoftwareStore(file_of(store, tmp_path), "")


def test_the_file_is_for_its_owner_only_and_refused_otherwise(store: SoftwareStore, tmp_path: Path) -> None:
    path = file_of(store, tmp_path)
    store.destroy("SM/mac")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(StoreBroken, match="600"):
        SoftwareStore(path, PASSPHRASE)


def changed_files(content: dict) -> list[bytes]:
    """Every way to tamper with the file by hand that we could think of."""
    keys = content["keys"]
    lost = {label: key for label, key in keys.items() if label != "SM/sign"}
    swapped = keys | {"SM/mac": keys["SM/cipher"], "SM/cipher": keys["SM/mac"]}
    widened = json.loads(json.dumps(keys))
    widened["SM/mac"]["info"]["exportable"] = True
    ways = [content | {"keys": each} for each in (lost, swapped, widened, {}, [])]
    ways += [content | {"mode": "AES-256-GCM"}, content | {"format": 2}, content | {"mac": "00" * 32}, {}, []]
    return [json.dumps(way).encode() for way in ways] + [b"", b"{", b"\xff\xfe"]


def test_a_file_changed_by_another_hand_is_refused(store: SoftwareStore, tmp_path: Path) -> None:
    path = file_of(store, tmp_path)
    for data in changed_files(json.loads(path.read_bytes())):
        path.write_bytes(data)
        with pytest.raises(StoreBroken):
            SoftwareStore(path, PASSPHRASE).labels()
        with pytest.raises(StoreBroken):
            store.labels()


def test_a_file_that_is_gone_is_said_so(store: SoftwareStore, tmp_path: Path) -> None:
    file_of(store, tmp_path).unlink()
    with pytest.raises(StoreBroken, match="gone"):
        store.sign("SM/sign", [b"m"])


def test_what_a_crash_left_half_written_harms_nothing(store: SoftwareStore, tmp_path: Path) -> None:
    path = file_of(store, tmp_path)
    path.with_name(f".{path.name}.{threading.get_native_id()}").write_bytes(b'{"half')
    store.generate("after", suite="SM", usage=Usage.MAC)
    assert "after" in SoftwareStore(path, PASSPHRASE).labels()


def test_an_open_store_cannot_be_pickled(store: SoftwareStore) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(store)


def spellings(secret: bytes) -> list[bytes]:
    """The ways in which a secret could lie somewhere: raw, turned, hex, base64, decimal."""
    encoded = base64.b64encode(secret).rstrip(b"=")[:-1]
    digits = str(int.from_bytes(secret)).encode()
    return [secret, secret[::-1], secret.hex().encode(), secret.hex().upper().encode(), encoded, digits]


def failures(store: SoftwareStore) -> str:
    """What every failing call prints."""
    twice = store.public("SM/unwrap").encrypt(CANARY * 2)
    calls = [
        lambda: store.diversify("canary-pair", [bytes(8)]),
        lambda: store.sign("canary", [b"m"]),
        lambda: store.diversify("canary", [b"short"]),
        lambda: store.wrap("canary", store.public("SM/unwrap")),
        lambda: store.unwrap("canary", b"x", by="canary-pair", suite="SM", usage=Usage.MAC),
        lambda: store.ecb("canary-cipher", b"x"),
        lambda: store.unwrap("new", twice, by="SM/unwrap", suite="SM", usage=Usage.MAC),
        lambda: store.unwrap("new", twice + b"!", by="SM/unwrap", suite="SM", usage=Usage.MAC),
    ]
    printed = []
    for call in calls:
        with pytest.raises((KeyStoreError, ValueError)) as caught:
            call()
        printed += traceback.format_exception(caught.value)
    return "".join(printed)


def test_no_secret_is_found_in_file_repr_error_or_log(
    store: SoftwareStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    to = store.public("SM/unwrap")
    for label, secret, usage in (
        ("canary", CANARY, Usage.DIVERSIFY),
        ("canary-cipher", CANARY, Usage.CIPHER),
        ("canary-pair", CANARY_SCALAR, Usage.SIGN),
    ):
        store.unwrap(label, to.encrypt(secret), by="SM/unwrap", suite="SM", usage=usage)
    store.sign("canary-pair", [b"m"])
    store.diversify("canary", [bytes(8)])
    shown = f"{store!r} {store} {store.describe('canary')!r} {store.public('canary-pair')!r} {failures(store)}"
    out, err = capfd.readouterr()
    seen = "".join((shown, caplog.text, out, err)).encode()
    seen += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"canary" in seen
    for secret in (CANARY, CANARY_SCALAR, PASSPHRASE.encode()):
        assert not [spelling for spelling in spellings(secret) if spelling in seen]
