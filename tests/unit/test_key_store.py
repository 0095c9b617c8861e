"""What every key store promises, in a file and in a token: usage enforced, secrets inside, processes that share it."""

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import tokens
from key_writers import PASSPHRASE, change_key, make_keys, open_store
from zhengka.formats import shares
from zhengka.formats.suites import SUITES, DecryptionFailed, MalformedKey
from zhengka.keys.store import (
    Kept,
    KeyStore,
    LabelTaken,
    NoSuchKey,
    NotExportable,
    SoftwareStore,
    Usage,
    WrongComponents,
    WrongUsage,
)

SPAWN = multiprocessing.get_context("spawn")
Place = Path | str


@pytest.fixture(params=["file", "token"])
def make_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Place]:
    """Call with a name: a new place for a store, a file or a token."""
    if request.param == "file":
        return lambda name: tmp_path / f"{name}.json"
    request.getfixturevalue("token_home")
    return lambda name: tokens.make_token()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one key of every usage in both suites, made once: opening costs by design."""
    path = tmp_path_factory.mktemp("made") / "keys.json"
    fill(SoftwareStore(path, PASSPHRASE))
    return path


@pytest.fixture
def place(make_place: Callable[[str], Place], made: Path) -> Place:
    place = make_place("keys")
    if isinstance(place, Path):
        place.write_bytes(made.read_bytes())
        place.chmod(0o600)
    return place


@pytest.fixture
def store(place: Place, tmp_path: Path) -> KeyStore:
    """A store with one key of every usage in both suites."""
    store = open_store(place, tmp_path)
    if not isinstance(place, Path):
        fill(store)
    return store


@pytest.fixture(params=sorted(SUITES))
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fill(store: KeyStore) -> None:
    for suite in SUITES:
        for usage in Usage:
            store.generate(f"{suite}/{usage}", suite=suite, usage=usage)
        store.generate(f"{suite}/leaves", suite=suite, usage=Usage.DIVERSIFY, exportable=True)


def test_a_signing_key_signs_and_its_public_half_checks(store: KeyStore, suite: str) -> None:
    messages = [b"one", b"two", b""]
    public = store.public(f"{suite}/sign")
    assert all(map(public.verify, messages, store.sign(f"{suite}/sign", messages)))
    assert store.describe(f"{suite}/sign").check_value == public.key_id.hex()
    assert store.sign(f"{suite}/sign", []) == []


def test_levels_between_are_diversified_inside(store: KeyStore, suite: str) -> None:
    label, region, cards = f"{suite}/diversify", b"\x43\x01" * 4, [bytes([n]) * 8 for n in range(5)]
    [middle] = store.diversify(label, [region])
    expected = SUITES[suite].diversify(middle, cards)
    assert store.diversify(label, cards, through=[region]) == expected
    assert store.diversify(label, cards[:1], through=[region, cards[0]]) == SUITES[suite].diversify(
        expected[0], cards[:1])
    assert store.diversify(label, []) == []
    with pytest.raises(ValueError):
        store.diversify(label, [b"short"])


def test_a_known_master_key_gives_the_keys_of_the_suite(store: KeyStore, suite: str) -> None:
    master, to = bytes(range(16)), store.public(f"{suite}/unwrap")
    info = store.unwrap("known", to.encrypt(master), by=f"{suite}/unwrap", suite=suite, usage=Usage.DIVERSIFY)
    factors = [bytes([n] * 8) for n in range(256)]
    assert store.diversify("known", factors) == SUITES[suite].diversify(master, factors)
    assert info.check_value == SUITES[suite].ecb(master, bytes(16))[:3].hex()


def test_a_known_private_key_signs_and_a_known_mac_key_authenticates(store: KeyStore, suite: str) -> None:
    to, by = store.public(f"{suite}/unwrap"), f"{suite}/unwrap"
    scalar = SUITES[suite].generate().scalar()
    store.unwrap("pair", to.encrypt(scalar), by=by, suite=suite, usage=Usage.SIGN)
    assert SUITES[suite].private_key(scalar).public.verify(b"m", store.sign("pair", [b"m"])[0])
    store.unwrap("mac", to.encrypt(bytes(16)), by=by, suite=suite, usage=Usage.MAC)
    messages = [b"", b"x" * 16, b"y" * 1000]
    assert store.mac("mac", messages) == SUITES[suite].cmac_many(bytes(16), messages)
    store.unwrap("transport", to.encrypt(scalar), by=by, suite=suite, usage=Usage.UNWRAP)
    blob = store.public("transport").encrypt(b"k" * 16)
    store.unwrap("inner", blob, by="transport", suite=suite, usage=Usage.CIPHER)
    assert store.ecb("inner", bytes(32)) == SUITES[suite].ecb(b"k" * 16, bytes(32))


def test_macs_and_blocks_are_those_of_one_key(store: KeyStore, suite: str) -> None:
    first, again, other = store.mac(f"{suite}/mac", [b"a", b"a", b"b"])
    assert first == again != other
    assert store.ecb(f"{suite}/cipher", bytes(16))[:3].hex() == store.describe(f"{suite}/cipher").check_value
    with pytest.raises(ValueError):
        store.ecb(f"{suite}/cipher", b"x")


def test_every_usage_but_the_keys_own_is_refused(store: KeyStore, suite: str) -> None:
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


def test_a_symmetric_key_has_no_public_half(store: KeyStore) -> None:
    with pytest.raises(WrongUsage):
        store.public("SM/mac")


def test_a_wrapped_key_works_in_another_store(
    store: KeyStore, make_place: Callable[[str], Place], tmp_path: Path, suite: str
) -> None:
    other = open_store(make_place("other"), tmp_path)
    other.generate("transport", suite=suite, usage=Usage.UNWRAP)
    blob = store.wrap(f"{suite}/leaves", other.public("transport"))
    info = other.unwrap("master", blob, by="transport", suite=suite, usage=Usage.DIVERSIFY)
    assert info.check_value == store.describe(f"{suite}/leaves").check_value
    assert other.diversify("master", [bytes(8)]) == store.diversify(f"{suite}/leaves", [bytes(8)])
    with pytest.raises(NotExportable):
        other.wrap("master", store.public(f"{suite}/unwrap"))


def test_a_key_made_to_stay_cannot_be_wrapped_or_split(store: KeyStore, suite: str) -> None:
    with pytest.raises(NotExportable):
        store.wrap(f"{suite}/mac", store.public(f"{suite}/unwrap"))
    with pytest.raises(NotExportable):
        store.split(f"{suite}/mac", needed=2, among=3)


def test_a_wrapped_blob_that_is_broken_or_of_another_kind_is_refused(store: KeyStore, suite: str) -> None:
    by = f"{suite}/unwrap"
    off_the_curve = b"\x04" + bytes(64) + bytes(32)
    for blob in (b"not a blob", off_the_curve, store.public(by).encrypt(bytes(16))[:-1] + b"!"):
        with pytest.raises(DecryptionFailed):
            store.unwrap("new", blob, by=by, suite=suite, usage=Usage.MAC)
    with pytest.raises(ValueError):
        store.unwrap("new", store.public(by).encrypt(bytes(15)), by=by, suite=suite, usage=Usage.MAC)
    with pytest.raises(MalformedKey):
        store.unwrap("new", store.public(by).encrypt(bytes(32)), by=by, suite=suite, usage=Usage.SIGN)
    assert "new" not in store.labels()


def test_components_give_the_key_that_was_split(store: KeyStore, suite: str) -> None:
    parts = store.split(f"{suite}/leaves", needed=2, among=3)
    check_value = store.describe(f"{suite}/leaves").check_value
    for number, chosen in enumerate(((0, 1), (1, 2), (2, 0), (0, 1, 2))):
        info = store.import_components(f"back-{number}", [parts[place] for place in chosen], suite=suite,
                                       usage=Usage.DIVERSIFY, check_value=check_value.upper())
        assert not info.exportable
        assert store.diversify(info.label, [bytes(8)]) == store.diversify(f"{suite}/leaves", [bytes(8)])


def test_a_key_that_is_drawn_in_components_is_kept_nowhere_until_they_come_back(store: KeyStore, suite: str) -> None:
    before = store.labels()
    for usage in Usage:
        check_value, parts = store.draw(suite=suite, usage=usage, needed=2, among=3)
        assert store.labels() == before
        infos = [store.import_components(f"{usage}-{place}", [parts[place], parts[place - 1]], suite=suite, usage=usage,
                                         check_value=check_value, exportable=place == 0) for place in range(3)]
        assert {info.check_value for info in infos} == {check_value}
        assert [info.exportable for info in infos] == [True, False, False]
        assert len({info.public for info in infos}) == 1
        store.split(f"{usage}-0", needed=2, among=3)
        for info in infos:
            store.destroy(info.label)


def test_a_key_of_a_level_below_leaves_though_its_master_stays(store: KeyStore, suite: str) -> None:
    master, factors = f"{suite}/diversify", [b"\x43\x00" * 4, b"\x43\x01" * 4]
    [below] = store.diversify(master, factors[1:], through=factors[:1])
    blob = store.wrap(master, store.public(f"{suite}/unwrap"), through=factors)
    info = store.unwrap("below", blob, by=f"{suite}/unwrap", suite=suite, usage=Usage.DIVERSIFY)
    assert info.check_value == store.check_value(master, through=factors)
    assert store.diversify("below", [bytes(8)]) == SUITES[suite].diversify(below, [bytes(8)])
    assert store.check_value(master) == store.describe(master).check_value
    with pytest.raises(WrongUsage):
        store.wrap(f"{suite}/mac", store.public(f"{suite}/unwrap"), through=factors)


def test_components_that_are_xored_are_taken_in_too(store: KeyStore, suite: str) -> None:
    parts = shares.split_xor(bytes(range(16)), among=3, suite=SUITES[suite])
    told = shares.check_value(bytes(range(16)), SUITES[suite])
    store.import_components("given", parts, suite=suite, usage=Usage.CIPHER, check_value=told)
    assert store.ecb("given", bytes(16)) == SUITES[suite].ecb(bytes(range(16)), bytes(16))


def test_components_that_do_not_give_the_key_are_refused(store: KeyStore, suite: str) -> None:
    parts = store.split(f"{suite}/leaves", needed=3, among=3)
    told = store.describe(f"{suite}/leaves").check_value
    strange = store.split(f"{suite}/leaves", needed=2, among=3)
    for wrong, check_value in ((parts[:2], told), (parts[:1], told), ([parts[0], parts[1], strange[2]], told),
                               ([parts[0]] * 3, told), (parts, "000000"), ([], told)):
        with pytest.raises(WrongComponents):
            store.import_components("new", wrong, suite=suite, usage=Usage.DIVERSIFY, check_value=check_value)
    with pytest.raises(WrongComponents):
        store.import_components("new", parts, suite=suite, usage=Usage.SIGN, check_value=told)
    assert "new" not in store.labels()


def test_a_rotated_key_is_the_next_version_and_the_old_one_stays(store: KeyStore, suite: str) -> None:
    first = store.generate("43/status/1", suite=suite, usage=Usage.SIGN)
    second = store.rotate("43/status/1")
    assert (second.label, second.usage, second.suite) == ("43/status/2", first.usage, suite)
    assert second.public != first.public and store.describe("43/status/1") == first
    with pytest.raises(LabelTaken):
        store.rotate("43/status/1")
    with pytest.raises(ValueError):
        store.rotate(f"{suite}/sign")


def test_keys_are_never_overwritten_and_a_destroyed_one_is_gone(store: KeyStore, suite: str) -> None:
    label = f"{suite}/sign"
    with pytest.raises(LabelTaken):
        store.generate(label, suite=suite, usage=Usage.SIGN)
    store.sign(label, [b"m"])
    store.destroy(label)
    for call in (lambda: store.sign(label, [b"m"]), lambda: store.destroy(label), lambda: store.describe(label)):
        with pytest.raises(NoSuchKey, match=label):
            call()


def test_what_another_process_changed_is_seen_at_once(
    store: KeyStore, place: Place, tmp_path: Path, suite: str
) -> None:
    public = store.public(f"{suite}/sign")
    process = SPAWN.Process(target=change_key, args=(place, tmp_path, f"{suite}/sign"))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    signature = store.sign(f"{suite}/sign", [b"m"])[0]
    assert store.public(f"{suite}/sign").verify(b"m", signature) and not public.verify(b"m", signature)


@pytest.mark.parametrize("label", ["", "a" * 201, "two\nlines", "nul\0"])
def test_a_label_that_cannot_be_shown_is_refused(store: KeyStore, label: str) -> None:
    with pytest.raises(ValueError):
        store.generate(label, suite="SM", usage=Usage.SIGN)


def test_an_unknown_suite_or_usage_is_refused(store: KeyStore) -> None:
    with pytest.raises(ValueError):
        store.generate("new", suite="RSA", usage=Usage.SIGN)
    with pytest.raises(ValueError):
        store.generate("new", suite="SM", usage="everything")  # type: ignore[arg-type]


def test_two_processes_that_write_at_once_lose_nothing(make_place: Callable[[str], Place], tmp_path: Path) -> None:
    place = make_place("shared")
    processes = [SPAWN.Process(target=make_keys, args=(place, tmp_path, name)) for name in ("a", "b")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    expected = {f"{name}-{number}" for name in "ab" for number in range(20)}
    store = open_store(place, tmp_path)
    assert set(store.labels()) == expected
    assert len({store.describe(label).check_value for label in expected}) == 40


def test_a_key_says_where_it_lives(store: KeyStore, place: Place) -> None:
    kept = {label: store.describe(label).kept for label in store.labels()}
    if isinstance(place, Path):
        assert set(kept.values()) == {Kept.FILE}
    else:
        assert {label for label, where in kept.items() if where is Kept.TOKEN} == {f"INTL/{usage}" for usage in Usage}


def test_an_open_store_cannot_be_pickled(store: KeyStore) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(store)
