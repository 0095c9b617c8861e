"""The settings of the key store: where keys live is told in one line, and everything wrong with it at once."""

from pathlib import Path

import pytest

from zhengka.config.env import (
    ADDRESS,
    EARLIER_HOSTS,
    BadEnvironment,
    TokenPlace,
    code_hosts,
    public_url,
    read,
    token_place,
)

PLACE = "pkcs11:token=%E5%AF%86%E9%92%A5;?module-path=/usr/lib/a%20b.so&pin-source=file:"


def test_a_token_is_named_by_its_uri(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("1234")
    env = read({"ZHENGKA_KEY_STORE": f"{PLACE}{tmp_path}/pin"})
    assert token_place(env.key_store) == TokenPlace("/usr/lib/a b.so", "密钥", f"{tmp_path}/pin")


@pytest.mark.parametrize("file", ["", "/srv/keys/store"])
def test_a_file_is_no_token(file: str) -> None:
    assert token_place(read({"ZHENGKA_KEY_STORE": file}).key_store) is None


def test_the_pin_may_be_the_passphrase_and_is_shown_in_no_fault() -> None:
    uri = "pkcs11:token=a?module-path=/m.so"
    assert read({"ZHENGKA_KEY_STORE": uri, "ZHENGKA_KEY_PASSPHRASE": "1234"}).key_store == uri
    with pytest.raises(BadEnvironment, match="no PIN"):
        read({"ZHENGKA_KEY_STORE": uri})
    with pytest.raises(BadEnvironment) as caught:
        read({"ZHENGKA_KEY_STORE": f"{uri}&pin-value=314159", "ZHENGKA_KEY_PASSPHRASE": "271828"})
    assert "314159" not in str(caught.value) and "271828" not in str(caught.value)


@pytest.mark.parametrize(("uri", "fault"), [
    ("pkcs11:", "token and module-path"), ("pkcs11:token=a", "module-path"),
    ("pkcs11:?module-path=/m.so", "token"), ("pkcs11:token=a;slot-id=0?module-path=/m.so", "nothing else"),
    ("pkcs11:token=a?module-path=/m.so&pin-source=file:/nothing/there", "no pin-source")])
def test_a_place_that_is_none_is_refused(uri: str, fault: str) -> None:
    with pytest.raises(BadEnvironment, match=fault):
        read({"ZHENGKA_KEY_STORE": uri, "ZHENGKA_KEY_MECHANISMS": "standard"})


def test_a_table_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadEnvironment, match=r"ZHENGKA_KEY_MECHANISMS.*nobody's"):
        read({"ZHENGKA_KEY_STORE": "pkcs11:token=a?module-path=/m.so", "ZHENGKA_KEY_PASSPHRASE": "1234",
              "ZHENGKA_KEY_MECHANISMS": "nobody's"})


def test_the_public_address_is_kept_whatever_a_later_command_listens_at(tmp_path: Path) -> None:
    later = {"ZHENGKA_HOME": str(tmp_path), "ZHENGKA_BIND": "127.0.0.1:9999"}
    assert public_url(read(later)) == "http://127.0.0.1:9999", "nothing is kept yet"
    (tmp_path / ADDRESS).write_text("https://card.example\n")
    assert public_url(read(later)) == "https://card.example"
    assert public_url(read({**later, "ZHENGKA_PUBLIC_URL": "https://new.example/"})) == "https://new.example"


def test_the_hosts_of_addresses_before_the_present_one_stay_good_for_codes(tmp_path: Path) -> None:
    told = {"ZHENGKA_HOME": str(tmp_path), "ZHENGKA_PUBLIC_URL": "https://New.example/"}
    assert code_hosts(read(told)) == {"new.example"}
    (tmp_path / ADDRESS).write_text("https://card.example:8443\n")
    (tmp_path / EARLIER_HOSTS).write_text("first.example\n")
    assert code_hosts(read({**told, "ZHENGKA_CODE_HOSTS": "a.example, B.example:81"})) == {
        "new.example", "card.example:8443", "first.example", "a.example", "b.example:81"}
    with pytest.raises(BadEnvironment, match="ZHENGKA_CODE_HOSTS"):
        read({**told, "ZHENGKA_CODE_HOSTS": "https://a.example"})
