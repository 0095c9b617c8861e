"""Certificates of keys in both suites are read and verified by OpenSSL and by a second reader; so are lists."""

import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509 as other
from hypothesis import given, settings
from hypothesis import strategies as st

from zhengka.formats import sm2
from zhengka.formats.suites import SUITES, SigningKey
from zhengka.formats.x509 import Issuer, Name, Wanted, certificate_body, revocation_body, signed

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
YEAR = timedelta(days=365)
ROOT, PROVINCE, SIGNER = (Name("CN", "中国残疾人联合会", name) for name in ("根", "湖南省", "制证签名 1"))
KEYS = {suite: [SUITES[suite].generate() for _ in range(4)] for suite in SUITES}
suites = pytest.mark.parametrize("suite", sorted(SUITES))


def issue(wanted: Wanted, name: Name, key: SigningKey) -> bytes:
    body = certificate_body(wanted, Issuer(name, key.public))
    return signed(body, key.sign(body), key.public.suite)


def chain(suite: str, *, end: timedelta = YEAR) -> list[bytes]:
    """Root, province, signing key."""
    root, province, signer, _ = KEYS[suite]
    return [
        issue(Wanted(1, ROOT, root.public, NOW, NOW + 30 * YEAR, below=1), ROOT, root),
        issue(Wanted(2, PROVINCE, province.public, NOW, NOW + 20 * YEAR, below=0), ROOT, root),
        issue(Wanted(1 << 150, SIGNER, signer.public, NOW, NOW + end), PROVINCE, province)]


def openssl(*words: object) -> tuple[bool, str]:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def pem(path: Path, der: bytes, kind: str = "x509") -> Path:
    path.with_suffix(".der").write_bytes(der)
    passed, told = openssl(kind, "-inform", "DER", "-in", path.with_suffix(".der"), "-out", path)
    assert passed, told
    return path


def verify(folder: Path, made: list[bytes], *more: object, at: datetime = NOW + timedelta(days=1)) -> tuple[bool, str]:
    """OpenSSL 3.0 takes the distinguishing identifier for the last certificate alone: in SM a check for each link."""
    paths = [pem(folder / f"{place}.pem", der) for place, der in enumerate(made)]
    words = ["verify", "-x509_strict", "-attime", int(at.timestamp()), *more]
    if other.load_der_x509_certificate(made[0]).signature_algorithm_oid.dotted_string.startswith("1.2.840"):
        return openssl(*words, "-CAfile", paths[0], "-untrusted", paths[1], paths[2])
    words += ["-vfyopt", "distid:1234567812345678"]
    links = [openssl(*words, "-CAfile", paths[0], paths[0])] + [
        openssl(*words, "-partial_chain", "-trusted", above, below) for above, below in pairwise(paths)]
    return all(passed for passed, _ in links), "".join(told for _, told in links)


@suites
def test_openssl_accepts_the_chain_from_the_nation_to_the_signing_key(suite: str, tmp_path: Path) -> None:
    passed, told = verify(tmp_path, chain(suite))
    assert passed, told


@suites
def test_openssl_refuses_what_another_signed_and_what_is_over(suite: str, tmp_path: Path) -> None:
    made, stranger = chain(suite), KEYS[suite][3]
    forged = issue(Wanted(9, SIGNER, KEYS[suite][2].public, NOW, NOW + YEAR), PROVINCE, stranger)
    assert not verify(tmp_path, [*made[:2], forged])[0]
    passed, told = verify(tmp_path, made, at=NOW + 2 * YEAR)
    assert not passed and "expired" in told
    passed, told = verify(tmp_path, made, at=NOW - YEAR)
    assert not passed and "not yet valid" in told


class UnderNoIdentifier:
    """An SM2 key that signs under the empty distinguishing identifier, against GM/T 0009."""

    def __init__(self, key: SigningKey) -> None:
        self.public, self._key = key.public, sm2.PrivateKey.from_scalar(key.scalar(), identifier=b"")

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def test_openssl_3_takes_an_sm_chain_in_one_command_only_where_upper_links_have_no_identifier(tmp_path: Path) -> None:
    """Why there is a command for each link: `-vfyopt distid` goes to the last certificate, the others get none. When
    this fails OpenSSL has learnt it, and the page on hardware tokens can say so.
    """
    root, province, *_ = KEYS["SM"]
    made = chain("SM")
    other_link = issue(Wanted(2, PROVINCE, province.public, NOW, NOW + 20 * YEAR, below=0), ROOT,
                       UnderNoIdentifier(root))
    top, ours, odd, last = (pem(tmp_path / f"{name}.pem", der)
                            for name, der in zip("abcd", (*made[:2], other_link, made[2]), strict=True))
    words = ["verify", "-attime", int((NOW + timedelta(days=1)).timestamp()), "-vfyopt", "distid:1234567812345678",
             "-CAfile", top]
    passed, told = openssl(*words, "-untrusted", ours, last)
    assert not passed and "error 7 at 1 depth lookup: certificate signature failure" in told
    assert openssl(*words, "-untrusted", odd, last)[0], "the same chain, but for its upper signature's identifier"
    assert openssl(*words, ours)[0] and not openssl(*words, odd)[0], "and that one is wrong by itself"


def test_a_signing_key_issues_no_certificates(tmp_path: Path) -> None:
    _, _, signer, fourth = KEYS["INTL"]
    made = chain("INTL")
    beneath = issue(Wanted(7, Name("CN", "x", "y"), fourth.public, NOW, NOW + YEAR), SIGNER, signer)
    passed, told = verify(tmp_path, [*made[:2], beneath], "-untrusted", pem(tmp_path / "between.pem", made[2]))
    assert not passed and "invalid CA certificate" in told, told


def test_a_province_makes_no_further_authority(tmp_path: Path) -> None:
    _, province, signer, fourth = KEYS["INTL"]
    made = chain("INTL")
    city = issue(Wanted(8, Name("CN", "x", "city"), fourth.public, NOW, NOW + YEAR, below=0), PROVINCE, province)
    leaf = issue(Wanted(9, SIGNER, signer.public, NOW, NOW + YEAR), Name("CN", "x", "city"), fourth)
    passed, told = verify(tmp_path, [*made[:2], leaf], "-untrusted", pem(tmp_path / "between.pem", city))
    assert not passed and "path length constraint" in told, told


@suites
def test_a_second_reader_reads_what_was_written(suite: str) -> None:
    made = chain(suite)
    for der, name, below in zip(made, (ROOT, PROVINCE, SIGNER), (1, 0, None), strict=True):
        read = other.load_der_x509_certificate(der)
        assert read.subject.rfc4514_string() == f"CN={name.common},O={name.organisation},C=CN"
        constraints = read.extensions.get_extension_for_class(other.BasicConstraints)
        assert constraints.critical and constraints.value.ca is (below is not None)
        assert constraints.value.path_length == below
        usage = read.extensions.get_extension_for_class(other.KeyUsage)
        assert usage.critical and usage.value.key_cert_sign is (below is not None) is not usage.value.digital_signature
        assert asn1_x509.Certificate.load(der, strict=True).dump(force=True) == der, "there is no other spelling"
    leaf = other.load_der_x509_certificate(made[2])
    assert leaf.serial_number == 1 << 150 and leaf.not_valid_before_utc == NOW
    public = KEYS[suite][1].public
    assert leaf.extensions.get_extension_for_class(other.AuthorityKeyIdentifier).value.key_identifier == public.key_id


@suites
def test_a_revoked_certificate_is_on_the_list_and_openssl_believes_the_list(suite: str, tmp_path: Path) -> None:
    province = KEYS[suite][1]
    issuer = Issuer(PROVINCE, province.public)
    for revoked in ([], [(1 << 150, NOW), (7, NOW)]):
        body = revocation_body(issuer, revoked, number=300, at=NOW, next_at=NOW + timedelta(days=7))
        der = signed(body, province.sign(body), suite)
        read = other.load_der_x509_crl(der)
        assert [one.serial_number for one in read] == sorted(serial for serial, _ in revoked)
        assert read.extensions.get_extension_for_class(other.CRLNumber).value.crl_number == 300
        assert asn1_crl.CertificateList.load(der, strict=True).dump(force=True) == der
        if suite == "INTL":  # OpenSSL 3.0 gives a list's check no distinguishing identifier
            listed = pem(tmp_path / "list.pem", der, "crl")
            passed, told = verify(tmp_path, chain(suite), "-crl_check", "-CRLfile", listed)
            assert passed is not bool(revoked) and ("certificate revoked" in told) is bool(revoked), told
        assert province.public.verify(body, province.sign(body))


@pytest.mark.parametrize("change", [
    {"serial": 0}, {"serial": -1}, {"serial": 1 << 160}, {"not_after": NOW}, {"name": Name("cn", "a", "b")},
    {"name": Name("CN", "", "b")}, {"name": Name("CN", "a", "b" * 65)}, {"name": Name("CN", "a\n", "b")},
    {"public": KEYS["INTL"][0].public}])
def test_what_no_reader_would_take_is_not_written(change: dict) -> None:
    good = {"serial": 1, "name": ROOT, "public": KEYS["SM"][0].public, "not_before": NOW, "not_after": NOW + YEAR}
    with pytest.raises(ValueError):
        certificate_body(Wanted(**(good | change)), Issuer(ROOT, KEYS["SM"][0].public))


@pytest.mark.filterwarnings("ignore:Attribute's length")  # RFC 5280 has 64 characters, the library that reads 64 octets
@settings(max_examples=100, deadline=None)
@given(serial=st.integers(1, (1 << 159) - 1), start=st.integers(-600_000_000, 3_700_000_000),
       days=st.integers(1, 20_000), common=st.text(
           st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=64).filter(str.isprintable))
def test_every_certificate_is_read_back_as_it_was_meant(serial: int, start: int, days: int, common: str) -> None:
    start = datetime.fromtimestamp(start, UTC)
    key, name = KEYS["INTL"][0], Name("CN", "o", common)
    der = issue(Wanted(serial, name, key.public, start, start + timedelta(days=days)), ROOT, key)
    read = other.load_der_x509_certificate(der)
    assert read.serial_number == serial
    assert (read.not_valid_before_utc, read.not_valid_after_utc) == (start, start + timedelta(days=days))
    assert read.subject.get_attributes_for_oid(other.NameOID.COMMON_NAME)[0].value == common
