"""Certificates of keys: nation, province, signing key, of keys in a file and in a token; OpenSSL follows them."""

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.db import IntegrityError, connection, transaction
from typer.testing import CliRunner

import builders
import tokens
from builders import NOON, request_id
from zhengka.cli.app import app
from zhengka.config.env import TokenPlace
from zhengka.core.errors import Refusal
from zhengka.formats.suites import SUITES
from zhengka.keys import queries, rules, services
from zhengka.keys.models import Key, KeyCertificate
from zhengka.keys.services import certificates

pytestmark = pytest.mark.django_db(transaction=True)
YUELU = 430104_000000
SUITE_NAMES = pytest.mark.parametrize("suite", sorted(SUITES))


@pytest.fixture(params=["file", "token"])
def kept(request, settings, tmp_path) -> str:
    """Keys in a new file, or in a new token."""
    settings.HOME = tmp_path
    if request.param == "token":
        request.getfixturevalue("token_home")
        settings.KEY_PASSPHRASE = tokens.PIN
        settings.KEY_TOKEN = TokenPlace(tokens.SOFTHSM, tokens.make_token(), "")
    return request.param


@pytest.fixture
def security():
    return builders.make_actor("security", area=builders.make_area())


def issue(suite: str, by) -> list[KeyCertificate]:
    services.ensure(YUELU, suite, at=NOON)
    return services.certify(YUELU, suite, by=by, request_id=request_id(), at=NOON)


def signed_by(certificate: KeyCertificate, issuer: Key) -> bool:
    read = x509.load_der_x509_certificate(bytes(certificate.der))
    r, s = decode_dss_signature(read.signature)
    return SUITES[issuer.suite].public_key(bytes(issuer.public)).verify(
        read.tbs_certificate_bytes, r.to_bytes(32) + s.to_bytes(32))



@SUITE_NAMES
def test_a_chain_leads_from_the_nation_to_every_signing_key(kept, security, suite):
    made = issue(suite, security)
    assert [one.key.purpose for one in made] == [
        "authority", "authority", "batch", "credential", "status", "transcript", "voucher"]
    nation, province = made[0].key, made[1].key
    assert (nation.area, province.area) == (rules.NATION, 43 * 10**10)
    assert [one.issuer_id for one in made] == [nation.label, nation.label, *[province.label] * 5]
    assert all(signed_by(one, one.issuer) for one in made)
    for one in made:
        read = x509.load_der_x509_certificate(bytes(one.der))
        assert (read.serial_number, read.not_valid_before_utc, read.not_valid_after_utc) == (
            one.serial, one.not_before, one.not_after)
        assert one.not_after <= made[0].not_after
    assert Key.objects.get(pk=nation.pk).signatures == 2 and Key.objects.get(pk=province.pk).signatures == 5
    expected = {"file": "file", "token": "token" if suite == "INTL" else "hybrid"}[kept]
    assert {one.key.kept for one in made} == {expected}, "each key says where it lives"


def test_authorities_are_no_signers_of_cards(security):
    issue("SM", security)
    trusted = {one.public.key_id for one in queries.key_set()}
    assert not trusted & {bytes(key.key_id) for key in Key.objects.filter(purpose="authority")}


def test_a_second_time_nothing_is_signed_again(security):
    first = issue("SM", security)
    assert [one.pk for one in issue("SM", security)] == [one.pk for one in first]
    assert sum(Key.objects.filter(purpose="authority").values_list("signatures", flat=True)) == len(first)


def test_what_is_signed_is_written_down_first_and_a_repeat_goes_on_from_there(security, monkeypatch):
    services.ensure(YUELU, "SM", at=NOON)
    key = services.make_authorities(YUELU, "SM", at=NOON)[0]
    asked = request_id()

    def dies(self, message):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(certificates.Signer, "sign", dies)
        services.issue_certificate(key, by=security, request_id=asked, at=NOON)
    [row] = KeyCertificate.objects.all()
    assert row.der is None and queries.certificate(key) is None
    done = services.issue_certificate(key, by=security, request_id=asked, at=NOON + dt.timedelta(hours=1))
    assert (done.pk, done.serial) == (row.pk, row.serial) and signed_by(done, key)
    other = services.make_authorities(YUELU, "SM", at=NOON)[1]
    with pytest.raises(Refusal, match="request-id-reused"):
        services.issue_certificate(other, by=security, request_id=asked, at=NOON)


def test_only_who_manages_keys_certifies_and_revokes(security):
    [root, *_] = issue("SM", security)
    for role in ("clerk", "system", "audit", "producer"):
        nobody = builders.make_actor(role, area=builders.make_area())
        for call in (lambda by: services.certify(YUELU, "SM", by=by, request_id=request_id(), at=NOON),
                     lambda by: services.issue_certificate(root.key, by=by, request_id=request_id(), at=NOON),
                     lambda by: services.revoke_certificate(root, by=by, at=NOON)):
            with pytest.raises(Refusal, match="not-permitted"):
                call(nobody)


@SUITE_NAMES
def test_a_revoked_certificate_is_on_its_issuers_list_and_a_new_one_may_be_issued(security, suite):
    made = issue(suite, security)
    status = made[-1]
    revoked = services.revoke_certificate(status, by=security, at=NOON)
    again = services.revoke_certificate(status, by=builders.make_actor("security"), at=NOON + dt.timedelta(days=1))
    assert (again.revoked_at, again.revoked_by) == (revoked.revoked_at, security.person) == (NOON, security.person)
    listed = x509.load_der_x509_crl(services.revocation_list(YUELU, suite, at=NOON))
    assert [one.serial_number for one in listed] == [status.serial]
    assert list(x509.load_der_x509_crl(services.revocation_list(rules.NATION, suite, at=NOON))) == []
    assert issue(suite, security)[-1].serial != status.serial


def test_a_key_that_signs_nothing_has_no_certificate(security):
    services.ensure(YUELU, "SM", at=NOON)
    with pytest.raises(ValueError):
        services.issue_certificate(Key.objects.get(purpose="blank_card"), by=security, request_id=request_id(), at=NOON)


@pytest.mark.parametrize("change", ["serial = -serial", "not_after = not_before", "revoked_at = now()",
                                    "revoked_by = 'somebody'"])
def test_the_database_holds_what_a_certificate_is(security, change):
    issue("SM", security)
    with pytest.raises(IntegrityError), transaction.atomic():
        connection.cursor().execute(f"UPDATE keys_keycertificate SET {change}")


def test_the_command_writes_a_chain_that_openssl_accepts(security, settings, tmp_path):
    officer = builders.make_officer("security", area=builders.make_area()).username
    services.ensure(YUELU, "INTL", at=dt.datetime.now(dt.UTC))

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.output
    out = tmp_path / "certificates"
    told = run("keys", "certify", "--unit", "430104", "--suite", "INTL", "--as", officer, "--out", str(out))
    assert "43-credential-INTL-1.pem" in told
    assert verify(out, "43-credential-INTL-1.pem") == (True, "")
    serial = KeyCertificate.objects.get(key__purpose="credential").serial
    run("keys", "revoke", str(serial), "--unit", "430104", "--as", officer)
    run("keys", "certify", "--unit", "430104", "--suite", "INTL", "--as", officer, "--out", str(tmp_path / "next"))
    for name in out.glob("*.crl"):
        name.write_bytes((tmp_path / "next" / name.name).read_bytes())
    passed, why = verify(out, "43-credential-INTL-1.pem")
    assert not passed and "certificate revoked" in why
    assert verify(tmp_path / "next", "43-credential-INTL-1.pem")[0]
    assert "43/credential/INTL/1 active" in run("keys", "list", "--unit", "430104")


def verify(folder: Path, leaf: str) -> tuple[bool, str]:
    lists = folder / "lists"
    lists.write_bytes(b"".join(path.read_bytes() for path in sorted(folder.glob("*.crl"))))
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile", str(lists), "-CAfile",
         str(folder / "00-authority-INTL-1.pem"), "-untrusted", str(folder / "43-authority-INTL-1.pem"),
         str(folder / leaf)], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr
