"""Receipts between the office and the card maker: who signed them, of what, and nothing else is believed."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from made_cards import make_orders, make_package, make_profile, make_records
from zhengka.formats import receipts, statement, x509
from zhengka.formats.keyfile import read_public, write_public
from zhengka.formats.receipts import PackageReceipt, ResultsReceipt
from zhengka.formats.statement import StatementBroken
from zhengka.formats.suites import SM, SUITES
from zhengka.formats.x509 import CertificateBroken
from zhengka_maker import home as homes
from zhengka_maker.__main__ import main

AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
OF_PACKAGE = PackageReceipt("430104-20261120-01", bytes(32), 5, 2, AT)
OF_RESULTS = ResultsReceipt("430104-20261120-01", bytes(32), UUID(int=7), bytes(range(32)), 3, 1, 1, AT)


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_receipts_say_what_was_signed(suite):
    key = SUITES[suite].generate()
    assert receipts.read_package(receipts.sign_package(OF_PACKAGE, key), key.public) == OF_PACKAGE
    assert receipts.read_results(receipts.sign_results(OF_RESULTS, key), key.public) == OF_RESULTS
    assert OF_RESULTS.cards == 5


def test_one_kind_of_receipt_is_never_taken_for_the_other():
    key = SM.generate()
    with pytest.raises(StatementBroken, match="unknown-format"):
        receipts.read_results(receipts.sign_package(OF_PACKAGE, key), key.public)
    with pytest.raises(StatementBroken, match="unknown-format"):
        receipts.read_package(receipts.sign_results(OF_RESULTS, key), key.public)


def test_a_receipt_under_another_key_or_of_another_suite_is_not_believed():
    text = receipts.sign_package(OF_PACKAGE, SM.generate())
    for other in (SM.generate().public, SUITES["INTL"].generate().public):
        with pytest.raises(StatementBroken, match="wrong-signature"):
            receipts.read_package(text, other)


@pytest.mark.parametrize("change", [
    {"cards": -1}, {"cards": "5"}, {"cards": 4}, {"cards": 5.0}, {"good": -3}, {"result": "7"}, {"digest": "00"},
    {"at": "2026-11-20T04:00:00"}, {"at": "yesterday"}, {"at": None}, {"batch": 7}, {"package": "zz" * 32}])
def test_a_signed_receipt_that_says_nonsense_is_refused(change):
    key = SM.generate()
    said = json.loads(receipts.sign_results(OF_RESULTS, key).splitlines()[0])
    with pytest.raises(StatementBroken, match="bad-field"):
        receipts.read_results(statement.sign(said | change, key), key.public)


@pytest.mark.parametrize("text", [b"", b"\n", b"{}", b"{}\n{}", b"[]\n[]", b"\xff\xfe", b"[" * 100_000, b"{" * 50_000,
                                  b"x" * (statement.MOST + 1)])
def test_what_is_no_receipt_is_refused(text):
    with pytest.raises(StatementBroken):
        receipts.read_package(text, SM.generate().public)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A maker of a name."""
    assert main(["init", str(tmp_path / "home"), "--name", "长沙制卡厂"]) == 0
    return tmp_path / "home"


def test_a_makers_receipt_is_of_a_package_that_it_looked_through(home, capsys):
    issuer, path = SM.generate(), home.parent / "b.zip"
    write_public(home.parent / "i.json", issuer.public)
    main(["trust", str(home), str(home.parent / "i.json")])
    maker, profile = read_public(home / "maker-public.json"), make_profile()
    orders, _ = make_orders(profile, make_records(5))
    digest = make_package(path, orders, signer=issuer, maker=maker, profile=profile, each=2)
    out = home.parent / "r"
    assert main(["receipt", str(path), "--home", str(home), "--out", str(out)]) == 0
    told = receipts.read_package(out.read_bytes(), maker)
    assert (told.package, told.cards, told.parts) == (digest, 5, 0)
    out.unlink()
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert main(["receipt", str(path), "--home", str(home), "--out", str(out)]) == 1 and not out.exists()
    capsys.readouterr()


def test_a_maker_reads_the_offices_receipt(home, capsys):
    issuer = SM.generate()
    write_public(home.parent / "i.json", issuer.public)
    main(["trust", str(home), str(home.parent / "i.json")])
    (home.parent / "r").write_bytes(receipts.sign_results(OF_RESULTS, issuer))
    capsys.readouterr()
    assert main(["believe", str(home.parent / "r"), "--home", str(home)]) == 0
    assert "5 cards = 3 good + 1 spoiled + 1 suspect" in capsys.readouterr().out
    (home.parent / "r").write_bytes(receipts.sign_results(OF_RESULTS, SM.generate()))
    assert main(["believe", str(home.parent / "r"), "--home", str(home)]) == 1


# -- certificates ------------------------------------------------------------------------------------------------------
def test_a_makers_certificate_vouches_for_its_key_for_its_days(home):
    own = x509.read_own((home / homes.CERTIFICATE).read_bytes())
    assert (own.name, own.public) == ("长沙制卡厂", read_public(home / "maker-public.json"))
    assert own.not_after - own.not_before == timedelta(days=homes.DAYS + 1) and x509.read_own(own.der) == own
    assert main(["certify", str(home), "--days", "9", "--since", "2025-12-21"]) == 0
    again = x509.read_own((home / homes.CERTIFICATE).read_bytes())
    assert (again.public, again.not_after - again.not_before) == (own.public, timedelta(days=10))
    assert again.not_before == datetime(2025, 12, 20, tzinfo=UTC)


def test_a_certificate_that_openssl_made_is_taken(tmp_path):
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-keyout", tmp_path / "k", "-out", tmp_path / "c", "-subj", "/C=CN/CN=Maker of Changsha",
                           "-days", "30"], capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    own = x509.read_own((tmp_path / "c").read_bytes())
    assert (own.name, own.public.suite, own.not_after - own.not_before) == (
        "Maker of Changsha", "INTL", timedelta(days=30))


def test_a_certificate_with_a_bit_changed_or_cut_is_refused(home):
    der = x509.read_own((home / homes.CERTIFICATE).read_bytes()).der
    for place in range(0, len(der), 3):
        with pytest.raises(CertificateBroken):
            x509.read_own(der[:place])
        changed = der[:place] + bytes([der[place] ^ 4]) + der[place + 1:]
        with pytest.raises(CertificateBroken):
            x509.read_own(changed)


def test_a_certificate_that_another_key_signed_is_refused():
    key, other = SM.generate(), SM.generate()
    body = x509.certificate_body(
        x509.Wanted(7, x509.Name("CN", "x", "x"), key.public, AT, AT + timedelta(days=1)),
        x509.Issuer(x509.Name("CN", "x", "x"), key.public))
    with pytest.raises(CertificateBroken, match="not-by-its-own-key"):
        x509.read_own(x509.signed(body, other.sign(body), "SM"))
    assert x509.read_own(x509.signed(body, key.sign(body), "SM")).serial == 7


def test_a_certificate_of_another_kind_of_key_is_refused(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "k",
                    "-out", tmp_path / "c", "-subj", "/CN=x"], capture_output=True, check=True)
    with pytest.raises(CertificateBroken):
        x509.read_own((tmp_path / "c").read_bytes())
