"""Every word of the pages stands in Chinese and in English, and what is compiled is what is written."""

import ast
import gettext
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src/zhengka"
FOLDERS = sorted(SOURCE.glob("**/locale"))
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext"}
TRANSLATE = re.compile(r"""\{%-?\s*(?:translate|trans)\s+(?:"([^"]+)"|'([^']+)')""")


def compiled(folder: Path, language: str) -> gettext.GNUTranslations:
    with (folder / language / "LC_MESSAGES/django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def words_of(folder: Path) -> set[str]:
    """What the programs and templates beside a locale folder say."""
    found: set[str] = set()
    for path in folder.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    for path in folder.parent.rglob("*.html"):
        found |= {double or single for double, single in TRANSLATE.findall(path.read_text(encoding="utf-8"))}
    return found


@pytest.mark.parametrize("language", ["zh_Hans", "en"])
@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.parent.name for folder in FOLDERS])
def test_every_word_of_the_pages_is_translated_and_compiled(folder, language):
    catalog = compiled(folder, language)._catalog  # type: ignore[attr-defined]
    known = {key[0] if isinstance(key, tuple) else key for key, value in catalog.items() if value}
    missing = sorted(words_of(folder) - known)
    assert not missing, f"run bin/messages and translate: {missing}"


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.parent.name for folder in FOLDERS])
def test_nothing_is_left_empty_or_guessed_in_the_written_catalogs(folder):
    for path in folder.glob("*/LC_MESSAGES/django.po"):
        entries = path.read_text(encoding="utf-8").split("\n\n")[1:]
        assert not [entry for entry in entries if re.search(r'^msgstr(?:\[\d\])? ""$(?!\n")', entry, re.M)], path
        assert not [entry for entry in entries if re.search(r"^#,.*fuzzy", entry, re.M)], path


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.parent.name for folder in FOLDERS])
def test_placeholders_are_the_same_in_both_languages(folder):
    catalog = compiled(folder, "zh_Hans")._catalog  # type: ignore[attr-defined]
    for key, value in catalog.items():
        english = key[0] if isinstance(key, tuple) else key
        assert set(re.findall(r"%\((\w+)\)", value)) <= set(re.findall(r"%\((\w+)\)", english)), english
