"""The operator's conformance kit passes against our own sandbox site, and finds out one that does not keep its word."""

import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from builders import make_area, make_officer, request_id
from codes import finished
from zhengka.accounts.services import actor_of
from zhengka.cards import services as cards
from zhengka.cases.services import load_ways
from zhengka.cli import line, sandbox
from zhengka.cli.app import app
from zhengka.cli.officers import enrol_demo
from zhengka.core.errors import Refusal
from zhengka.partners import services as partners
from zhengka.partners.models import Partner, Webhook
from zhengka.partners.services.tokens import CALLS, LOG_INS, WRONG
from zhengka_kit.__main__ import main as kit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def a_sandbox(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    settings.WEBHOOK_LOOPBACK = settings.DEMO = True
    for pace in (LOG_INS, WRONG, CALLS):
        pace.forget()


def people(area):
    return sandbox.People(*(actor_of(make_officer(role, area=area)) for role in ("system", "security", "clerk")))


def a_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def described(tmp_path, url="https://sandbox.invalid", hook=0):
    """The site's file, with a card in each state that a program can meet."""
    area = make_area()
    for state in sandbox.VERDICTS:
        finished(state, area=area)
    cards.publish_status_lists(at=timezone.now())
    told = sandbox.describe(people(area), at=timezone.now(), hook=hook, url=url)
    file = tmp_path / "site.json"
    file.write_text(json.dumps(told))
    return file, told


def run(tmp_path, file, *more):
    """Start the kit beside us, and be the site's worker until it ends; its status and what it found."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "zhengka_kit", "site", str(file), "--report", str(report), *more]
    ran = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.PIPE,
                           text=True)
    while ran.poll() is None:
        for webhook in Webhook.objects.all():
            partners.deliver(webhook.pk, at=timezone.now())
        time.sleep(0.2)
    said = ran.stdout.read()
    ran.stdout.close()
    return ran.returncode, {case["name"]: case for case in json.loads(report.read_text())["cases"]}, said


@pytest.mark.django_db(transaction=True)
def test_the_kit_passes_against_our_own_sandbox(live_server, tmp_path):
    port = a_port()
    file, _ = described(tmp_path, url=live_server.url, hook=port)
    status, found, said = run(tmp_path, file, "--hook", str(port))
    assert status == 0, said
    assert set(found) == {"site-token", "site-bearer", "site-verify", "site-issue", "site-redeem", "site-feed",
                          "site-statements", "site-webhook"}
    assert all(case["steps"] >= 1 and not case["faults"] for case in found.values())
    assert found["site-verify"]["steps"] == 2 * (len(sandbox.VERDICTS) + 1)


@pytest.mark.django_db(transaction=True)
def test_the_kit_finds_out_a_site_whose_client_was_stopped_or_whose_cards_changed(live_server, tmp_path):
    file, told = described(tmp_path, url=live_server.url)
    told["cards"] = [card | {"code": "valid", "passes": True} for card in told["cards"]]
    file.write_text(json.dumps(told))
    status, found, _ = run(tmp_path, file)
    assert status == 1 and found["site-verify"]["faults"] and not found["site-token"]["faults"]
    who = people(make_area())
    partners.change(Partner.objects.get(), "stop", by=who.system, request_id=request_id(), at=timezone.now())
    LOG_INS.forget()
    status, found, _ = run(tmp_path, file)
    assert status == 1 and all(case["faults"] for case in found.values())


@pytest.mark.django_db
def test_a_description_names_a_test_card_for_each_state_and_a_forged_one(tmp_path):
    _, told = described(tmp_path, hook=8099)
    assert [card["code"] for card in told["cards"]] == ["valid", "signature-wrong", "suspended", "revoked",
                                                       "not-activated"]
    assert sum(card["passes"] for card in told["cards"]) == 1 and not any("area" in card for card in told["cards"])
    assert Webhook.objects.get().url == "http://127.0.0.1:8099/" and told["hook_secret"]


@pytest.mark.django_db
def test_without_a_card_that_passes_there_is_no_sandbox():
    with pytest.raises(Refusal, match="sandbox-without-cards"):
        sandbox.describe(people(make_area()), at=timezone.now())
    assert not Partner.objects.exists()


def test_a_real_register_is_made_no_sandbox(settings):
    settings.DEMO = False
    with pytest.raises(Refusal, match="not-a-sandbox"):
        CliRunner().invoke(app, ["sandbox", "client"], catch_exceptions=False)


def test_a_sandbox_is_made_by_the_command_and_never_over_files(tmp_path):
    folder = tmp_path / "sandbox"
    made = CliRunner().invoke(app, ["sandbox", "make", str(folder)], catch_exceptions=False)
    assert made.exit_code == 0 and (folder / "cases.json").exists()
    with pytest.raises(Refusal, match="sandbox-folder-used"):
        CliRunner().invoke(app, ["sandbox", "make", str(folder)], catch_exceptions=False)


def test_the_kit_says_in_one_line_that_a_site_is_not_there(tmp_path, capsys):
    file = tmp_path / "site.json"
    file.write_text(json.dumps({"format": 1, "url": f"http://127.0.0.1:{a_port()}", "client_id": "a", "secret": "b",
                                "gate": "1", "venue": "v", "service": "s", "cards": []}))
    assert kit(["site", str(file)]) == 1
    assert "the answer has another form, or none came" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_the_file_with_the_secret_is_its_owners_alone(tmp_path, settings):
    load_ways()
    line.load_plan(Path(settings.DATA))
    enrol_demo()
    finished("active")
    file = tmp_path / "site.json"
    done = CliRunner().invoke(app, ["sandbox", "client", str(file)], catch_exceptions=False)
    assert done.exit_code == 0 and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["secret"] not in done.output
