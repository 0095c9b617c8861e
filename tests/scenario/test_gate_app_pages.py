"""The gate app's page, worker and manifest, and the words of its core."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from visits import Visitor
from zhengka.web.public import gate
from zhengka.web.public.gate_words import texts
from zhengka_reader import gating

pytestmark = pytest.mark.django_db
ROOT = Path(settings.DATA).parent


@pytest.mark.parametrize(("path", "language"), [("/gate/", "en"), ("/gate/en", "en"), ("/gate/zh-hans", "zh-Hans"),
                                                ("/gate/xx", "en")])
def test_the_app_is_there_in_the_language_that_is_asked_for(path, language):
    page = Visitor().get(path).content.decode()
    assert f'<html lang="{language}"' in page and 'id="gate-texts"' in page


def test_the_worker_keeps_files_that_are_there_and_nothing_that_a_gate_knows():
    answer = Visitor().get("/gate/worker.js")
    assert answer["Content-Type"].startswith("text/javascript") and answer["Cache-Control"] == "no-cache"
    kept = json.loads(answer.content.decode().split("const KEPT = ", 1)[1].split(";\n", 1)[0])
    for path in kept:
        if path.startswith("/static/"):
            assert (gate.BUILT.parents[1] / path.removeprefix("/static/").split("?")[0]).is_file(), path
        else:
            assert Visitor().get(path).status_code == 200, path
    assert not [path for path in kept if path.startswith(("/api/", "/bundle/"))]


def test_a_phone_can_install_the_app():
    told = json.loads(Visitor().get("/gate/manifest.webmanifest").content)
    assert told["start_url"] == told["scope"] == "/gate/" and told["display"] == "standalone"
    for icon in told["icons"]:
        assert (gate.BUILT.parents[1] / icon["src"].removeprefix("/static/")).is_file()


def test_the_page_holds_nothing_of_anybody_and_asks_for_no_cookie():
    answer = Visitor().get("/gate/")
    assert not answer.cookies and answer["Cache-Control"] == "no-cache"


def test_the_core_in_javascript_says_the_words_of_the_core_in_python():
    script = ROOT / "frontend" / "words"
    assert subprocess.run([sys.executable, script, "--check"], check=False).returncode == 0


def test_every_no_of_a_gates_read_is_an_answer_of_the_app_with_words():
    script = (ROOT / "frontend/src/gate/app/tap.js").read_text("utf-8")
    of_card, rest = script.split("const OF_CARD = {", 1)[1].split("}", 1)
    unproved = re.findall(r'"([a-z-]+)"', rest.split("const UNPROVED = [", 1)[1].split("]", 1)[0])
    coloured = dict(re.findall(r'"?([a-z-]+)"?: "(red|amber)"', of_card))
    assert {*coloured, *unproved} == set(gating.CODES) and "not-authentic" in coloured
    for language in ("en", "zh-hans"):
        with translation.override(language):
            assert {*coloured, "module-unfit", "hold-again", "no-reader", "no-bundle"} <= set(texts()["codes"])


def test_every_answer_and_every_fault_of_the_app_itself_has_words():
    said = {name: (ROOT / f"frontend/src/gate/app/{name}.js").read_text("utf-8") for name in ("desk", "gate", "sync")}
    codes = set(re.findall(r'own\("([a-z-]+)"', said["desk"] + said["gate"]))
    faults = set(re.findall(r'"(not-(?:sent|fetched|stored))"', said["sync"] + said["gate"]))
    assert {"asking", "voucher-strange", "not-taken"} <= codes <= set(texts()["codes"])
    assert len(faults) == 3 and {*faults, "refused"} <= set(texts()["faults"])
