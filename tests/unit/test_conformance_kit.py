"""The conformance kit: a right reader passes all of a sandbox, and each kind of wrong one is found out by name."""

import http.server
import json
import sys
import threading
from pathlib import Path

import pytest

from zhengka.cli.bundle import open_bundle
from zhengka.core.errors import Refusal
from zhengka.formats import bundle, qr
from zhengka.formats.bundle import BadBundle
from zhengka.formats.issuers import BadKeySet, KeySet, KeysOfSandbox
from zhengka_kit import cases, making
from zhengka_kit.__main__ import main as kit
from zhengka_kit.making import NOON, OPERATOR

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples/operator-reader/reader.py"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kit") / "sandbox"
    assert kit(["make", str(folder)]) == 0
    return folder


def run(sandbox, tmp_path, program, *more):
    """The exit status, and by the case's name what was found."""
    report = tmp_path / "report.json"
    status = kit(["reader", str(sandbox), "--report", str(report), *more, *(["--", *program] if program else [])])
    told = json.loads(report.read_text())
    assert told["passed"] is (status == 0)
    return status, {case["name"]: case for case in told["cases"]}


def wrong_reader(tmp_path, body):
    """A reader that is the sample but for one fault."""
    path = tmp_path / "wrong.py"
    path.write_text(f"import sys\nsys.path.insert(0, {str(SAMPLE.parent)!r})\nimport reader\n"
                    f"class Wrong(reader.SampleReader):\n{body}\nreader.main(Wrong)\n")
    return [sys.executable, str(path)]


@pytest.fixture(autouse=True)
def of_this_tree(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))


def failed(found):
    return {name for name, case in found.items() if case["outcome"] == "failed"}


def test_the_sample_reader_passes_every_case(sandbox, tmp_path, capsys):
    status, found = run(sandbox, tmp_path, [sys.executable, str(SAMPLE)])
    assert status == 0 and len(found) > 50 and failed(found) == set()
    assert not any(case["words"] for case in found.values()), "its words are ours"
    assert "0 failed" in capsys.readouterr().out


def test_a_reader_that_skips_the_status_list_fails(sandbox, tmp_path):
    status, found = run(sandbox, tmp_path, wrong_reader(tmp_path, """
    def show(self, told):
        answer = super().show(told)
        if answer["code"] in ("suspended", "revoked", "inactive", "list-missing", "list-too-old"):
            return {"pass": True}
        return answer
"""))
    assert status == 1
    assert {"card-lost", "card-cancelled", "card-not-activated", "card-no-list", "newer-list", "list-too-old",
            "nothing-taken"} <= failed(found)
    assert "card-forged" not in failed(found) and "card-valid" not in failed(found)
    assert "let through, must be refused (suspended)" in found["card-lost"]["faults"][0]


@pytest.mark.parametrize("fault, body, named", [
    ("believes every signature", """
    def show(self, told):
        answer = super().show(told)
        return {"pass": True} if answer["code"] in ("signature-wrong", "key-unknown") else answer
""", {"card-forged", "card-stranger", "every-bit-flipped"}),
    ("takes an older bundle", """
    def take(self, told):
        held, self.held = self.held, None
        answer = super().take(told)
        if not answer["pass"]:
            self.held = held
        return answer
""", {"bundle-older"}),
    ("lets a voucher pass twice", """
    def voucher(self, told):
        self.redeemed.clear()
        return super().voucher(told)
""", {"voucher-once"}),
    ("asks no clock", """
    def show(self, told):
        return super().show(told | {"at": "2026-11-20T04:00:30Z"})
""", {"clock-behind", "list-too-old", "midnight", "rule-once-a-day", "rule-time"}),
    ("lets in whoever holds a good card", """
    def show(self, told):
        answer = super().show(told)
        return {"pass": True} if answer["code"] in ("not-entitled", "quota-used", "wrong-time") else answer
""", {"rule-from-here", "rule-once-a-day", "rule-time"}),
    ("forgets what it holds when a bundle is bad", """
    def take(self, told):
        answer = super().take(told)
        if not answer["pass"]:
            self.held = None
        return answer
""", {"bundle-older", "bundle-cut-short", "bundle-mixed", "bundle-without-list", "bundle-of-another", "bundle-forged",
      "bundle-manifest-cut"}),
    ("refuses everybody", """
    def show(self, told):
        return {"pass": False}
""", {"card-valid", "card-valid-intl", "another-host"})])
def test_each_fault_of_a_reader_is_found_by_name(sandbox, tmp_path, fault, body, named):
    status, found = run(sandbox, tmp_path, wrong_reader(tmp_path, body))
    assert status == 1 and named <= failed(found), fault


def test_a_reader_may_have_no_words_of_ours(sandbox, tmp_path):
    program = wrong_reader(tmp_path, """
    def show(self, told):
        return {"pass": super().show(told)["pass"]}
""")
    assert run(sandbox, tmp_path, program)[0] == 0


@pytest.mark.parametrize("program, said", [
    ("pass", "has ended"), ("import sys\nfor line in sys.stdin: print('{', flush=True)", "no JSON"),
    ("import sys\nfor line in sys.stdin: print('[]', flush=True)", "no JSON object"),
    ("import sys\nfor line in sys.stdin: print('{}', flush=True)", "did not answer ok"),
    ("import time\ntime.sleep(60)", "no answer within"),
    ("import sys\nfor line in sys.stdin: print('{\"ok\": true, \"pass\": 1}', flush=True)", "no pass")])
def test_a_program_that_is_no_reader_fails_with_a_reason(sandbox, tmp_path, program, said):
    status, found = run(sandbox, tmp_path, [sys.executable, "-c", program], "--only", "card-valid", "--patience", "2")
    assert status == 1 and said in found["card-valid"]["faults"][0]


def test_a_reader_behind_an_address_is_driven_by_the_same_messages(sandbox, tmp_path):
    sys.path.insert(0, str(SAMPLE.parent))
    try:
        import reader
    finally:
        sys.path.pop(0)
    now = {}

    class Taking(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if told["do"] == "begin":
                now["reader"], answer = reader.SampleReader(told), {"ok": True}
            else:
                answer = getattr(now["reader"], told["do"])(told)
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        assert run(sandbox, tmp_path, None, "--url", url, "--only", "card-")[0] == 0
    finally:
        server.shutdown()
        server.server_close()
    assert run(sandbox, tmp_path, None, "--url", url, "--only", "card-valid")[0] == 1


@pytest.mark.parametrize("words", [["reader", "{}"], ["reader", "{}", "--url", "http://x/", "--", "prog"],
                                   ["reader", "{}", "--only", "no such", "--", "prog"], ["reader", "{}", "--url", "ftp://x"],
                                   ["reader", "{}-nowhere", "--", "prog"], ["make", "{}"],
                                   ["site", "{}/cases.json"]])
def test_wrong_usage_is_one_line(sandbox, capsys, words):
    assert kit([word.format(sandbox) for word in words]) == 1
    assert capsys.readouterr().err.startswith("zhengka-kit: ")


# -- test keys are nobody's outside ------------------------------------------------------------------------------------

def test_production_refuses_the_keys_of_a_sandbox_by_name(sandbox):
    text = (sandbox / "keys.json").read_text()
    with pytest.raises(KeysOfSandbox):
        KeySet.from_json(text)
    assert len(KeySet.from_json(text, test=True)) == 6
    with pytest.raises(Refusal, match="bundle-of-sandbox"):
        open_bundle(sandbox / "bundles/first", at=NOON)


def test_who_asks_for_test_keys_takes_no_others_and_a_made_up_format_is_none(sandbox):
    text = (sandbox / "keys.json").read_text()
    real = text.replace('"test"', "1")
    assert len(KeySet.from_json(real)) == 6
    with pytest.raises(BadKeySet):
        KeySet.from_json(real, test=True)
    with pytest.raises(BadKeySet):
        KeySet.from_json(text.replace('"test"', '"TEST"'), test=True)


def test_a_set_of_test_keys_stays_one(sandbox):
    keys = KeySet.from_json((sandbox / "keys.json").read_text(), test=True)
    assert KeySet.from_json(keys.to_json(), test=True).test
    with pytest.raises(KeysOfSandbox):
        KeySet.from_json(keys.to_json())


def test_a_gate_that_trusts_real_keys_takes_no_bundle_of_a_sandbox(sandbox):
    def fetch(name):
        path = sandbox / "bundles/first" / name
        return path.read_bytes() if path.exists() else None
    with pytest.raises(BadBundle, match="key-unknown"):
        bundle.take(fetch, trusted=KeySet([]), at=NOON, bundle=OPERATOR)
    # even where somebody let the test keys in among the trusted ones, the bundle's own key file is not read
    keys = KeySet(list(KeySet.from_json((sandbox / "keys.json").read_text(), test=True)))
    with pytest.raises(BadBundle, match="bundle-format"):
        bundle.take(fetch, trusted=keys, at=NOON, bundle=OPERATOR)


def test_every_card_of_a_sandbox_has_a_picture_that_reads_as_its_text(sandbox):
    pictures = sorted((sandbox / "cards").glob("*.png"))
    assert len(pictures) >= 15
    for picture in pictures:
        assert qr.read_image(picture.read_bytes()) == [picture.with_suffix(".txt").read_text()]


def test_the_cases_are_written_for_every_verdict_that_a_code_can_get():
    from zhengka.formats.verdict import WORDS
    codes = {card.verdict for card in making.cards(making.make_keys())}
    assert set(WORDS) - codes == {"key-not-yet", "list-too-old", "clock-behind"}, "the last two are cases of clocks"


def test_cases_are_read_as_they_were_written(sandbox, tmp_path):
    found = cases.read(sandbox)
    cases.write(tmp_path, found)
    assert cases.read(tmp_path) == found and len({case.name for case in found}) == len(found)


def test_no_private_key_lies_in_a_sandbox(sandbox):
    files = [path for path in sandbox.rglob("*") if path.is_file()]
    assert files and not any(b"PRIVATE" in path.read_bytes() or b"scalar" in path.read_bytes() for path in files)
