"""What the pages say is there: links, targets, commands, settings, words."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
import typer

from zhengka.accounts.workflow import COVER, DELEGATION, OFFICER
from zhengka.assessment.workflow import APPOINTMENT, ASSESSMENT, CONFLICT, INSTITUTION, LICENCE, SESSION
from zhengka.bulk.workflow import ACT
from zhengka.cards.workflow import CARD, STOP
from zhengka.cases import book
from zhengka.cases.workflow import desk
from zhengka.cli.app import app
from zhengka.config import env
from zhengka.devices.workflow import DEVICE, PSAM
from zhengka.letters.workflow import LETTER
from zhengka.papers.workflow import PAPER, PORTRAIT
from zhengka.partners.workflow import PARTNER, WEBHOOK
from zhengka.production.workflow import BATCH
from zhengka.registry.workflow import CERTIFICATE, HOLDER, IMPORT
from zhengka_kit.__main__ import main as conformance_kit
from zhengka_maker.__main__ import main as maker
from zhengka_reader.__main__ import main as desk_agent

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(page for page in ROOT.glob("docs/**/*.md") if "reference" not in page.parts)])
NAMED = {page.relative_to(ROOT).as_posix(): page.read_text() for page in PAGES}
EXCHANGE = book.table("measures-2017", "exchange", minor=False)
WORKFLOWS = (HOLDER, CERTIFICATE, IMPORT, EXCHANGE, CARD, STOP, BATCH, OFFICER, ACT, LETTER, INSTITUTION, LICENCE,
             SESSION, APPOINTMENT, ASSESSMENT, CONFLICT, PAPER, PORTRAIT, COVER, DELEGATION, DEVICE, PSAM,
             PARTNER, WEBHOOK,
             desk("applied"))
MADE_LATER = "docs/reference/"  # `make docs` writes it, `make check` says when it is stale
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


def code(text: str) -> str:
    """What stands in code spans and blocks of a page."""
    return "\n".join(CODE.findall(text))


def commands(group: click.Command, name: str = "zhengka") -> set[str]:
    """Every command and group of commands, by its words."""
    inner = group.commands.items() if isinstance(group, click.Group) or hasattr(group, "commands") else ()
    return {name}.union(*(commands(child, f"{name} {word}") for word, child in inner))


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    rows = re.search(rf"^{heading}.*?\n(\|.*?)(?:\n\n|\Z)", page, re.MULTILINE | re.DOTALL)
    assert rows, heading
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows[1].splitlines()[2:]]


@pytest.mark.parametrize("name", NAMED)
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(name):
    page = ROOT / name
    text = re.sub(r"```.*?```", "", NAMED[name], flags=re.DOTALL)
    for in_text, in_tag in re.findall(r"\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"", text):
        link = unquote(in_text or in_tag)
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists() or MADE_LATER in found.as_posix(), f"{name} → {link}"
        if anchor:
            assert anchor in anchors(found.read_text()), f"{name} → {link}"


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings make."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMED)
def test_every_make_target_that_a_page_names_exists(name):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", code(NAMED[name]))) <= targets


@pytest.mark.parametrize("name", NAMED)
def test_every_command_that_a_page_names_exists(name):
    known = commands(typer.main.get_command(app))
    groups = {command for command in known if any(other.startswith(f"{command} ") for other in known)}
    for words in re.findall(r"\bzhengka((?: [a-z][a-z\-]*)+)", code(NAMED[name])):
        command = "zhengka"
        for word in words.split():
            if command not in groups:
                break
            command = f"{command} {word}"
        assert command in known, f"{name}: {command}"


def test_every_command_of_the_card_maker_that_a_page_names_exists(capsys):
    asked = {word for text in NAMED.values() for word in re.findall(r"zhengka-maker ([a-z]+)", code(text))}
    for word in asked:
        with pytest.raises(SystemExit) as ended:
            maker([word, "--help"])
        assert ended.value.code == 0, word
    assert asked == {"init", "certify", "trust", "fetch", "receipt", "run", "text", "printed", "believe"}


def test_every_command_of_the_desk_agent_that_a_page_names_exists():
    asked = {word for text in NAMED.values() for word in re.findall(r"zhengka-reader ([a-z]+)", code(text))}
    for word in asked:
        with pytest.raises(SystemExit) as ended:
            desk_agent([word, "--help"])
        assert ended.value.code == 0, word
    assert asked == {"init", "pair", "part", "trust", "serve", "insert", "list", "look"}


def test_every_command_of_the_conformance_kit_that_a_page_names_exists():
    asked = {word for text in NAMED.values() for word in re.findall(r"zhengka-kit ([a-z]+)", code(text))}
    for word in asked:
        with pytest.raises(SystemExit) as ended:
            conformance_kit([word, "--help"])
        assert ended.value.code == 0, word
    assert asked == {"make", "reader", "site"}


def test_every_setting_that_a_page_names_exists():
    known = {name for name, _, _ in env.sentences()}
    for name, text in NAMED.items():
        assert set(re.findall(r"\bZHENGKA_[A-Z_]+\b", text)) <= known, name


def test_both_readmes_have_the_same_sections_commands_pictures_and_links():
    english, chinese = NAMED["README.md"], NAMED["README.zh-CN.md"]
    for pattern in (r"^(#+) ", r"^\|", r"\]\(([^)]+)\)", r"src=\"([^\"]+)\""):
        assert shape(english, pattern) == shape(chinese, pattern), pattern
    assert blocks(english) == blocks(chinese)


def shape(text: str, pattern: str) -> list[str]:
    """What of a page must be equal in both languages; each page links to the other."""
    other = {"README.md": "README", "README.zh-CN.md": "README"}
    return [other.get(found, found) for found in re.findall(pattern, text, re.MULTILINE)]


def blocks(text: str) -> list[str]:
    """The commands of a page, without remarks."""
    return [re.sub(r"\s*#.*", "", block) for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]


def test_every_room_is_in_the_glossary_and_in_the_house():
    layers = re.search(r"layers =\n(.*?)containers", (ROOT / ".importlinter").read_text(), re.DOTALL)[1]
    rooms = set(re.findall(r"[a-z]+", layers))
    built = {path.name for path in (ROOT / "src/zhengka").iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert built <= rooms
    for room in rooms:
        assert f"`{room}`" in NAMED["docs/glossary.md"], room
        assert f"`{room}`" in NAMED["docs/explanation/house.md"], room


def test_every_step_of_a_workflow_is_in_the_glossary_under_its_official_term():
    told = {(row[0], word) for row in table(NAMED["docs/glossary.md"], "# Glossary")
            for word in re.findall(r"`([^`]+)`", row[1])}
    for workflow in WORKFLOWS:
        for step in workflow.steps:
            assert step.zh, (workflow.name, step.action)
            assert (step.zh, step.action) in told, (workflow.name, step.action, step.zh)


def test_the_glossary_is_sorted_whole_and_has_a_source_for_each_word():
    rows = table(NAMED["docs/glossary.md"], "# Glossary")
    assert len(rows) >= 50
    assert all(len(row) == 4 and all(row) for row in rows)
    order = [(re.search(r"`([^`]+)`", row[1])[1].lower(), row[0]) for row in rows]
    assert all(one < next_ for one, next_ in pairwise(order))


def test_the_drawing_of_a_cards_life_shows_each_step_of_its_table():
    drawing = re.search(r"stateDiagram-v2\n(.*?)```", NAMED["docs/explanation/the-life-of-a-card.md"], re.DOTALL)[1]
    shown = {(source, action, target) for source, target, actions in re.findall(r"(\w+) --> (\w+): (.+)", drawing)
             for action in re.findall(r"[a-z_]+", actions)}
    assert shown == {(step.source, step.action, step.target) for step in CARD.steps}


def test_screenshots_are_small_and_each_is_shown():
    shots = sorted((ROOT / "docs/screenshots").glob("*.png"))
    assert shots
    for shot in shots:
        assert shot.stat().st_size <= 250 * 1024, shot.name
        assert any(re.search(rf"screenshots/{re.escape(shot.name)}[)\"]", page) for page in NAMED.values()), shot.name


def test_news_for_users_begin_with_what_they_can_do_now():
    for piece in (ROOT / "changelog.d").glob("*.md"):
        kind = piece.name.split(".")[-2]
        assert kind in ("added", "changed", "fixed"), piece.name
        assert piece.read_text().startswith(("You can now ", "You ")), piece.name


def test_no_page_names_a_path_of_somebodys_machine():
    for name, text in NAMED.items():
        assert not re.search(r"(?<![\w.])/(?:home|root|Users)/", text), name
