"""The software key store: usage is enforced, secrets stay inside, two processes may share it."""

import base64
import json
import logging
import multiprocessing
import pickle
import stat
import traceback
from pathlib import Path

import pytest

from key_writers import PASSPHRASE, make_keys
from zhengka.formats.suites import SUITES, DecryptionFailed, MalformedKey
from zhengka.keys.store import (
    KeyStoreError,
    LabelTaken,
    NoSuchKey,
    NotExportable,
    SoftwareStore,
    StoreBroken,
    Usage,
    WrongPassphrase,
    WrongUsage,
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


@pytest.fixture(params=sorted(SUITES))
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def file_of(store: SoftwareStore, tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_a_signing_key_signs_and_its_public_half_checks(store: SoftwareStore, suite: str) -> None:
    messages = [b"one", b"two", b""]
    public = store.public(f"{suite}/sign")
    assert all(map(public.verify, messages, store.sign(f"{suite}/sign", messages)))
    assert store.describe(f"{suite}/sign").check_value == public.key_id.hex()


def test_levels_between_are_diversified_inside(store: SoftwareStore, suite: str) -> None:
    label, region, cards = f"{suite}/diversify", b"\x43\x01" * 4, [bytes([n]) * 8 for n in range(5)]
    [middle] = store.diversify(label, [region])
    assert store.diversify(label, cards, through=[region]) == SUITES[suite].diversify(middle, cards)


def test_macs_and_blocks_are_those_of_one_key(store: SoftwareStore, suite: str) -> None:
    first, again, other = store.mac(f"{suite}/mac", [b"a", b"a", b"b"])
    assert first == again != other
    assert store.ecb(f"{suite}/cipher", bytes(16))[:3].hex() == store.describe(f"{suite}/cipher").check_value


def test_every_usage_but_the_keys_own_is_refused(store: SoftwareStore, suite: str) -> None:
    work = {
        Usage.SIGN: lambda label: store.sign(label, [b"m"]),
        Usage.UNWRAP: lambda label: store.unwrap("new", b"blob", by=label, suite=suite, usage=Usage.MAC),
        Usage.DIVERSIFY: lambda label: store.diversify(label, [bytes(8)]),
        Usage.MAC: lambda label: store.mac(label, [b"m"]),
        Usage.CIPHER: lambda label: store.ecb(label, bytes(16)),
    }
    for usage in Usage:
        for action, call in work.items():
            if action is not usage:
                with pytest.raises(WrongUsage):
                    call(f"{suite}/{usage}")


def test_a_symmetric_key_has_no_public_half(store: SoftwareStore) -> None:
    with pytest.raises(WrongUsage):
        store.public("SM/mac")


def test_a_wrapped_key_works_in_another_store(store: SoftwareStore, tmp_path: Path, suite: str) -> None:
    other = SoftwareStore(tmp_path / "other.json", "another")
    other.generate("transport", suite=suite, usage=Usage.UNWRAP)
    blob = store.wrap(f"{suite}/diversify", other.public("transport"))
    info = other.unwrap("master", blob, by="transport", suite=suite, usage=Usage.DIVERSIFY)
    assert info.check_value == store.describe(f"{suite}/diversify").check_value
    assert other.diversify("master", [bytes(8)]) == store.diversify(f"{suite}/diversify", [bytes(8)])
    with pytest.raises(NotExportable):
        other.wrap("master", store.public(f"{suite}/unwrap"))


def test_a_key_made_to_stay_cannot_be_wrapped(store: SoftwareStore, suite: str) -> None:
    with pytest.raises(NotExportable):
        store.wrap(f"{suite}/mac", store.public(f"{suite}/unwrap"))


def test_a_wrapped_blob_that_is_broken_or_of_another_kind_is_refused(store: SoftwareStore, suite: str) -> None:
    by = f"{suite}/unwrap"
    with pytest.raises(DecryptionFailed):
        store.unwrap("new", b"not a blob", by=by, suite=suite, usage=Usage.MAC)
    with pytest.raises(ValueError):
        store.unwrap("new", store.public(by).encrypt(bytes(15)), by=by, suite=suite, usage=Usage.MAC)
    with pytest.raises(MalformedKey):
        store.unwrap("new", store.public(by).encrypt(bytes(32)), by=by, suite=suite, usage=Usage.SIGN)
    assert "new" not in store.labels()


def test_keys_are_never_overwritten_and_a_destroyed_one_is_gone(store: SoftwareStore) -> None:
    with pytest.raises(LabelTaken):
        store.generate("SM/sign", suite="SM", usage=Usage.SIGN)
    store.sign("SM/sign", [b"m"])
    store.destroy("SM/sign")
    for call in (lambda: store.sign("SM/sign", [b"m"]), lambda: store.destroy("SM/sign")):
        with pytest.raises(NoSuchKey, match="SM/sign"):
            call()


def test_what_another_process_changed_is_seen_at_once(store: SoftwareStore, tmp_path: Path) -> None:
    other = SoftwareStore(file_of(store, tmp_path), PASSPHRASE)
    public = store.public("SM/sign")
    assert public.verify(b"m", other.sign("SM/sign", [b"m"])[0])
    for _ in range(5):
        store.destroy("SM/sign")
        store.generate("SM/sign", suite="SM", usage=Usage.SIGN)
        assert other.public("SM/sign").verify(b"m", store.sign("SM/sign", [b"m"])[0])
        assert not public.verify(b"m", other.sign("SM/sign", [b"m"])[0])


@pytest.mark.parametrize("label", ["", "a" * 201, "two\nlines", "nul\0"])
def test_a_label_that_cannot_be_shown_is_refused(store: SoftwareStore, label: str) -> None:
    with pytest.raises(ValueError):
        store.generate(label, suite="SM", usage=Usage.SIGN)


def test_an_unknown_suite_or_usage_is_refused(store: SoftwareStore) -> None:
    with pytest.raises(ValueError):
        store.generate("new", suite="RSA", usage=Usage.SIGN)
    with pytest.raises(ValueError):
        store.generate("new", suite="SM", usage="everything")  # type: ignore[arg-type]


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
    path.with_name(path.name + ".new").write_bytes(b'{"half')
    store.generate("after", suite="SM", usage=Usage.MAC)
    assert "after" in SoftwareStore(path, PASSPHRASE).labels()


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "shared.json"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=make_keys, args=(path, name)) for name in ("a", "b")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    expected = {f"{name}-{number}" for name in "ab" for number in range(20)}
    assert set(SoftwareStore(path, PASSPHRASE).labels()) == expected


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
