"""The key store in a token: keys stay there; one that is silent, lost, changed or another is named, never trusted."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from pkcs11 import Attribute, Mechanism, ObjectClass, exceptions

import tokens
from zhengka.formats.suites import SUITES
from zhengka.keys.store import (
    Kept,
    KeyStoreError,
    NoSuchKey,
    Pkcs11Store,
    StoreBroken,
    TokenLost,
    TokenSilent,
    Usage,
    WrongKey,
    WrongPassphrase,
)
from zhengka.keys.store.mechanisms import BadTable, load
from zhengka.keys.store.objects import TokenKey
from zhengka.keys.store.token import Desk, Token


@pytest.fixture
def store(token: str, tmp_path: Path) -> Pkcs11Store:
    return tokens.open_token(token, tmp_path)


@pytest.fixture
def raw(token: str) -> Callable[..., object]:
    """Work in the token by another hand that has its PIN."""
    return Token(tokens.SOFTHSM, token, tokens.PIN).call


def objects(desk: Desk, label: str) -> list:
    return list(desk.session.get_objects({Attribute.LABEL: label}))


def replace_entry(desk: Desk, label: str, change: Callable[[bytes], bytes]) -> bytes:
    """Put another entry in the place of a key's; the one that was there."""
    [entry] = [one for one in objects(desk, label) if one[Attribute.CLASS] is ObjectClass.DATA]
    value = bytes(entry[Attribute.VALUE])
    entry.destroy()
    desk.session.create_object({
        Attribute.CLASS: ObjectClass.DATA, Attribute.TOKEN: True, Attribute.PRIVATE: True,
        Attribute.APPLICATION: "zhengka", Attribute.LABEL: label, Attribute.VALUE: change(value)})
    return value


def swap(desk: Desk) -> None:
    """Put the key "theirs" in the place of "mine"."""
    mine, theirs = (next(one for one in objects(desk, label) if one[Attribute.CLASS] in (
        ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY)) for label in ("mine", "theirs"))
    ident = bytes(mine[Attribute.ID])
    mine.destroy()
    theirs[Attribute.ID] = ident


def replaced(before: bytes, after: bytes, value: bytes) -> bytes:
    return value.replace(before, after)


# --- what stays ---

@pytest.mark.parametrize("usage", [Usage.SIGN, Usage.UNWRAP, Usage.DIVERSIFY, Usage.MAC, Usage.CIPHER])
@pytest.mark.parametrize("origin", ["born", "brought"])
def test_a_key_of_the_token_cannot_be_read_or_taken_out(
    store: Pkcs11Store, raw: Callable, usage: Usage, origin: str
) -> None:
    if origin == "born":
        store.generate("key", suite="INTL", usage=usage)
    else:
        store.generate("by", suite="INTL", usage=Usage.UNWRAP)
        secret = SUITES["INTL"].generate().scalar() if usage in (Usage.SIGN, Usage.UNWRAP) else bytes(range(16))
        store.unwrap("key", store.public("by").encrypt(secret), by="by", suite="INTL", usage=usage)

    def look(desk: Desk) -> None:
        [key] = [one for one in objects(desk, "key") if one[Attribute.CLASS] in (
            ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY)]
        assert key[Attribute.SENSITIVE] and not key[Attribute.EXTRACTABLE] and key[Attribute.PRIVATE]
        if origin == "born":
            assert key[Attribute.NEVER_EXTRACTABLE] and key[Attribute.LOCAL]
        with pytest.raises((exceptions.AttributeSensitive, exceptions.AttributeTypeInvalid)):
            key[Attribute.VALUE]
        for change in ({Attribute.EXTRACTABLE: True}, {Attribute.SENSITIVE: False}):
            with pytest.raises(exceptions.PKCS11Error):
                key.copy(change)
    raw(look)


def test_the_sealing_key_never_leaves_and_every_entry_needs_it(store: Pkcs11Store, raw: Callable) -> None:
    store.generate("one", suite="SM", usage=Usage.SIGN)

    def look(desk: Desk) -> None:
        [key] = objects(desk, "zhengka sealing key")
        assert key[Attribute.NEVER_EXTRACTABLE] and not key[Attribute.EXTRACTABLE]
        key.destroy()
    raw(look)
    with pytest.raises(StoreBroken):
        store.sign("one", [b"m"])


def test_a_second_start_finds_the_keys_of_the_first(store: Pkcs11Store, token: str, tmp_path: Path) -> None:
    for suite in SUITES:
        store.generate(f"{suite}/1", suite=suite, usage=Usage.SIGN)
    again = tokens.open_token(token, tmp_path)
    for suite in SUITES:
        assert store.public(f"{suite}/1").verify(b"m", again.sign(f"{suite}/1", [b"m"])[0])


# --- another hand in the token ---

def test_an_entry_that_another_hand_changed_is_refused(store: Pkcs11Store, raw: Callable) -> None:
    store.generate("one", suite="SM", usage=Usage.MAC)
    store.generate("two", suite="INTL", usage=Usage.MAC)
    for label, before, after in (("one", b'"exportable":false', b'"exportable":true'), ("two", b'"mac"', b'"cipher"'),
                                 ("one", b'"hybrid"', b'"token"'), ("two", b'"sealed"', b'"healed"')):
        kept = raw(partial(replace_entry, label=label, change=partial(replaced, before, after)))
        assert before in kept
        with pytest.raises(StoreBroken):
            store.describe(label)
        raw(partial(replace_entry, label=label, change=partial(replaced, after, before)))
        store.describe(label)


def test_the_entry_of_one_key_under_the_label_of_another_is_refused(store: Pkcs11Store, raw: Callable) -> None:
    store.generate("one", suite="SM", usage=Usage.MAC)
    store.generate("two", suite="SM", usage=Usage.MAC)

    one = raw(lambda desk: bytes(objects(desk, "one")[0][Attribute.VALUE]))
    raw(lambda desk: replace_entry(desk, "two", lambda value: one))
    with pytest.raises(StoreBroken):
        store.mac("two", [b"m"])


@pytest.mark.parametrize("used", [False, True], ids=["before its first use", "after its first use"])
@pytest.mark.parametrize("usage", [Usage.DIVERSIFY, Usage.MAC, Usage.CIPHER, Usage.SIGN])
def test_a_token_that_answers_with_another_key_is_found_out(
    store: Pkcs11Store, raw: Callable, usage: Usage, used: bool
) -> None:
    store.generate("mine", suite="INTL", usage=usage)
    store.generate("theirs", suite="INTL", usage=usage)
    work = {Usage.SIGN: lambda: store.sign("mine", [b"m"]), Usage.MAC: lambda: store.mac("mine", [b"m"]),
            Usage.DIVERSIFY: lambda: store.diversify("mine", [bytes(8)]),
            Usage.CIPHER: lambda: store.ecb("mine", bytes(16))}
    if used:
        work[usage]()
    raw(swap)
    with pytest.raises(WrongKey, match="mine"):
        work[usage]()
    with pytest.raises(NoSuchKey):
        {Usage.SIGN: lambda: store.sign("theirs", [b"m"])}.get(usage, lambda: store._key("theirs").mac([b""]))()


def test_a_token_that_lets_another_key_sign_from_the_middle_of_a_batch_is_found_out(
    store: Pkcs11Store, raw: Callable
) -> None:
    store.generate("mine", suite="INTL", usage=Usage.SIGN)
    store.generate("theirs", suite="INTL", usage=Usage.SIGN)
    mine, theirs = store._key("mine"), store._key("theirs")
    messages = [b"one", b"two", b"three"]

    class Turncoat(TokenKey):
        """A token that changes sides after the second signature."""

        def _sign(self, desk: Desk, digests: Sequence[bytes]) -> list[bytes]:
            return [*super()._sign(desk, digests[:2]), *theirs._sign(desk, digests[2:])]

    assert len(mine.sign(messages)) == 3
    turned = Turncoat(mine._token, mine._family, mine.info, mine._id)
    with pytest.raises(WrongKey, match="mine"):
        turned.sign(messages)


@pytest.mark.parametrize("usage", [Usage.DIVERSIFY, Usage.SIGN])
def test_a_key_whose_entry_is_damaged_leaves_nothing_of_itself_when_it_is_destroyed(
    store: Pkcs11Store, raw: Callable, usage: Usage
) -> None:
    store.generate("key", suite="INTL", usage=usage)
    store.generate("other", suite="INTL", usage=usage)
    raw(lambda desk: replace_entry(desk, "key", partial(replaced, b'"sealed"', b'"healed"')))
    store.destroy("key")
    assert raw(lambda desk: len(objects(desk, "key"))) == 0
    assert raw(lambda desk: len(objects(desk, "other"))) > 1 and store.labels() == ["other"]


def test_two_keys_of_one_label_are_refused(store: Pkcs11Store, raw: Callable) -> None:
    store.generate("one", suite="SM", usage=Usage.MAC)

    def double(desk: Desk) -> None:
        [entry] = objects(desk, "one")
        entry.copy({})
    raw(double)
    with pytest.raises(StoreBroken, match="two keys"):
        store.mac("one", [b"m"])
    store.destroy("one")
    assert store.labels() == []


# --- the table of mechanisms ---

def table(tmp_path: Path, change: Callable[[str], str]) -> Path:
    path = tmp_path / "table.toml"
    path.write_text(change(tokens.TABLE.read_text()))
    return path


def test_a_cipher_that_is_not_what_the_table_calls_it_is_refused(token: str, tmp_path: Path) -> None:
    wrong = table(tmp_path, lambda text: text + "[SM]\nsecret = 0x1F\nmake_secret = 0x1080\nencrypt = 0x1081\n")
    with pytest.raises(WrongKey, match="SM"):
        tokens.open_token(token, tmp_path, table=wrong)


def test_a_pair_that_signs_otherwise_than_the_table_says_is_refused(token: str, tmp_path: Path) -> None:
    wrong = table(tmp_path, lambda text: text + (
        '[SM]\npair = 3\ncurve = "06082A8648CE3D030107"\nmake_pair = 0x1040\nsign = 0x1041\n'))
    store = tokens.open_token(token, tmp_path, table=wrong)
    with pytest.raises(WrongKey, match="SM"):
        store.generate("key", suite="SM", usage=Usage.SIGN)
    assert store.labels() == []


@pytest.mark.parametrize("without", ["mac", "agree", "sign"])
def test_what_the_token_cannot_do_is_hybrid_and_works(token: str, tmp_path: Path, without: str) -> None:
    less = table(tmp_path, lambda text: "\n".join(
        line for line in text.splitlines() if not line.startswith(f"{without} =")))
    store, usage = tokens.open_token(token, tmp_path, table=less), {
        "mac": Usage.MAC, "agree": Usage.UNWRAP, "sign": Usage.SIGN}[without]
    assert store.generate("key", suite="INTL", usage=usage).kept is Kept.HYBRID
    if usage is Usage.MAC:
        assert len(store.mac("key", [b"m"])[0]) == 16
    elif usage is Usage.SIGN:
        assert store.public("key").verify(b"m", store.sign("key", [b"m"])[0])


def test_without_derivation_a_level_between_is_worked_in_memory_and_gives_the_same_keys(
    token: str, tmp_path: Path
) -> None:
    less = table(tmp_path, lambda text: "\n".join(
        line for line in text.splitlines() if not line.startswith("derive =")))
    store = tokens.open_token(token, tmp_path, table=less)
    assert store.generate("key", suite="INTL", usage=Usage.DIVERSIFY).kept is Kept.TOKEN
    [middle] = store.diversify("key", [b"region!!"])
    assert store.diversify("key", [b"one card"], through=[b"region!!"]) == SUITES["INTL"].diversify(
        middle, [b"one card"])


def test_the_shipped_tables_are_read_and_vendors_numbers_kept() -> None:
    assert set(load(tokens.TABLE)) == {"INTL"}
    vendor = load(tokens.TABLE.with_name("vendor-example.toml"))["SM"]
    assert vendor.mechanisms["encrypt"] == 0x80000029 and isinstance(vendor.mechanisms["encrypt"], Mechanism)
    assert vendor.lives(Usage.CIPHER, {0x80000028, 0x80000029}) and not vendor.lives(Usage.CIPHER, {0x80000029})


@pytest.mark.parametrize("text", [
    "format = 1", "not toml", 'format = 2\ntitle = ""\ntitle_zh = ""\nsource = ""',
    *('format = 1\ntitle = ""\ntitle_zh = ""\nsource = ""\n' + rest for rest in (
        "[RSA]\n", "[SM]\ncolour = 1", '[SM]\nencrypt = "0x1081"', "[SM]\nencrypt = -1", "[SM]\nmake_secret = 1",
        "[SM]\nmake_pair = 1\npair = 1", "[SM]\nderive = 1", '[SM]\ncurve = "xy"', "[SM]\ncurve = 7"))])
def test_a_table_that_cannot_be_used_says_where(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(BadTable, match=r"mine\.toml"):
        load(path)


# --- PINs and processes ---

def test_a_wrong_pin_is_refused_and_asked_of_the_token_once(token: str, tmp_path: Path) -> None:
    for _ in range(20):
        with pytest.raises(WrongPassphrase):
            tokens.open_token(token, tmp_path, pin="another one")
    tokens.open_token(token, tmp_path)
    with pytest.raises(WrongPassphrase):
        tokens.open_token(token, tmp_path, pin="a third one")
    tokens.open_token(token, tmp_path)


def test_a_token_that_is_not_there_and_a_module_that_is_none_are_named(token_home: Path, tmp_path: Path) -> None:
    with pytest.raises(TokenLost, match="nobody's"):
        tokens.open_token("nobody's", tmp_path)
    with pytest.raises(TokenLost):
        tokens.open_token("any", tmp_path, module=tmp_path / "nothing.so")


def test_neither_the_store_nor_its_errors_tell_the_pin(store: Pkcs11Store, token: str, tmp_path: Path) -> None:
    with pytest.raises(WrongPassphrase) as caught:
        tokens.open_token(token, tmp_path, pin="314159265")
    assert "314159265" not in f"{caught.value!r} {store!r} {store._token!r}" and tokens.PIN not in repr(vars(store))


def test_a_process_that_was_forked_has_a_session_of_its_own(store: Pkcs11Store) -> None:
    store.generate("key", suite="INTL", usage=Usage.SIGN)
    public, before = store.public("key"), store.sign("key", [b"m"])
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, b"".join(store.sign("key", [b"of the child"])))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        signature = pipe.read()
    os.waitpid(child, 0)
    assert public.verify(b"of the child", signature) and public.verify(b"m", before[0])
    assert public.verify(b"m", store.sign("key", [b"m"])[0]), "the parent's session is as it was"


def test_threads_take_turns_at_the_token(store: Pkcs11Store) -> None:
    store.generate("key", suite="INTL", usage=Usage.SIGN)
    public, made = store.public("key"), []
    threads = [threading.Thread(target=lambda n=n: made.append(
        (f"{n}".encode(), store.sign("key", [f"{n}".encode()] * 20)))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 8 and all(public.verify(message, one) for message, signed in made for one in signed)


# --- a token behind a network ---

@pytest.fixture
def server(token: str, token_home: Path) -> Iterator[tokens.Server]:
    server = tokens.Server(token, token_home)
    yield server
    server.kill()


def test_a_token_that_does_not_answer_is_named_in_time_and_works_when_it_is_back(
    server: tokens.Server, token: str, tmp_path: Path
) -> None:
    store = tokens.open_token(token, tmp_path, module=tokens.CLIENT, patience=1)
    store.generate("key", suite="INTL", usage=Usage.SIGN)
    public = store.public("key")
    server.stop()
    begun = time.monotonic()
    with pytest.raises(TokenSilent):
        store.sign("key", [b"m"])
    assert 0.9 < time.monotonic() - begun < 3
    begun = time.monotonic()
    for _ in range(5):
        with pytest.raises(TokenSilent):
            store.sign("key", [b"m"])
    assert time.monotonic() - begun < 0.5, "nobody waits again for what is known to be silent"
    server.go_on()
    wait_until(lambda: public.verify(b"m", store.sign("key", [b"m"])[0]))


def test_a_token_that_was_lost_and_is_back_is_logged_in_again(
    server: tokens.Server, token: str, tmp_path: Path
) -> None:
    store = tokens.open_token(token, tmp_path, module=tokens.CLIENT, patience=5)
    for suite in SUITES:
        store.generate(suite, suite=suite, usage=Usage.SIGN)
    server.kill()
    with pytest.raises(KeyStoreError) as caught:
        store.sign("INTL", [b"m"])
    assert isinstance(caught.value, TokenLost)
    server.start()
    for suite in SUITES:
        assert store.public(suite).verify(b"m", store.sign(suite, [b"m"])[0])


def test_a_session_that_was_lost_between_two_calls_is_nobodys_trouble(
    server: tokens.Server, token: str, tmp_path: Path
) -> None:
    store = tokens.open_token(token, tmp_path, module=tokens.CLIENT, patience=5)
    store.generate("key", suite="INTL", usage=Usage.SIGN)
    server.kill()
    server.start()
    assert store.public("key").verify(b"m", store.sign("key", [b"m"])[0])


def wait_until(work: Callable[[], bool]) -> None:
    for _ in range(50):
        try:
            assert work()
            return
        except TokenSilent:
            time.sleep(0.1)
    sys.exit("never")
