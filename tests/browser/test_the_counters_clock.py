"""How long the counter takes: a whole new application by keyboard alone, counted in keystrokes and never by a clock.

The rate is that of average computer users who copy a text: 32.5 words a minute (Karat, Halverson, Horn and Karat, CHI
1999), a word being five keystrokes as in every typing test. Chinese is typed by pinyin: each letter, and one key to
choose, for every two characters. What the applicant says and the scanner does is not typing.
"""

import datetime as dt
from pathlib import Path

import pytest
from pypinyin import lazy_pinyin

from builders import make_area, make_id_number, make_officer
from papers_brought import jpeg, photograph
from windows import NARROW, PASSWORD, WIDE, Window, follow, log_in, said
from zhengka.cases.models import Case
from zhengka.papers.models import Paper

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
A_MINUTE = 32.5 * 5
SECONDS = 90


def keystrokes(text: str) -> int:
    """The keys that a text is typed with."""
    chinese = [sign for sign in text if "\u4e00" <= sign <= "\u9fff"]
    return len(text) - len(chinese) + sum(map(len, lazy_pinyin(chinese))) + (len(chinese) + 1) // 2


class Counted(Window):
    """A window that counts keys: `typed` of a text, and `pressed` besides, Tab among them."""

    typed = pressed = 0

    def press(self, *keys: str) -> None:
        """Press keys, each of which counts."""
        self.pressed += len(keys)
        super().press(*keys)

    def type(self, text: str) -> None:
        """Type a text, which counts as on a Chinese keyboard."""
        self.typed += keystrokes(text)
        super().type(text)


@pytest.mark.parametrize(("born", "guardian"), [(1960, False), (2015, True)])
def test_a_complete_new_application_with_its_papers_is_typed_within_ninety_seconds(
        born, guardian, live_server, chromium, tmp_path):
    make_area()
    window = Counted(chromium, live_server)
    log_in(window, make_officer("clerk", password=PASSWORD))
    window.typed = window.pressed = 0
    follow(window, "n")
    said_of_them = ["石小榴", make_id_number(born=dt.date(born, 6, 1)), "4", "", "13900000001",
                    "湖南省长沙市岳麓区麓山南路932号2栋502"]
    if guardian:
        said_of_them += ["石大山", make_id_number(), "13900000002"]
    for text in said_of_them[:-1]:
        window.type(text)
        window.press("Tab")
    window.type(said_of_them[-1])
    follow(window, "Enter")
    case = Case.objects.get()
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    scanned = tmp_path / "1.jpg"
    scanned.write_bytes(jpeg(photograph()))
    window.page.on("filechooser", lambda dialogue: dialogue.set_files(scanned))
    for _paper in range(3 + guardian):
        take_in(window, scanned)
    assert Paper.objects.filter(subject="case", subject_id=case.pk).count() == 3 + guardian
    [missing] = window.page.locator(".zk-notice li:has(.govuk-hint)").all_inner_texts()
    assert missing.startswith("Photo"), "the camera takes it: no key is typed"
    keys = window.typed + window.pressed
    seconds = keys / A_MINUTE * 60
    print(f"\n{keys} keystrokes ({window.typed} typed, {window.pressed} pressed): {seconds:.0f} s")
    assert seconds <= SECONDS
    assert not faults + window.inspect(WIDE, NARROW)
    window.close()


def take_in(window: Counted, scanned: Path) -> None:
    """One paper of the stack: its kind is proposed, its file has the focus."""
    follow(window, "m")
    window.pressed += 1
    _choose(window)
    window.typed += keystrokes(scanned.name)
    window.pressed += 1  # Enter, in the browser's own dialogue
    window.press("Tab")
    follow(window, "Enter")
    assert "The paper is kept" in said(window)


def _choose(window: Counted) -> None:
    """Open the browser's dialogue; on a busy machine it may open before anybody listens, and is opened again."""
    for attempt in range(200):
        if attempt % 50 == 0:
            window.page.keyboard.press("Space")
        if window.page.evaluate("document.activeElement.files.length"):
            return
        window.page.wait_for_timeout(50)
    raise AssertionError("the file was never chosen")
