"""Windows of the browser: whose they are, what was complained about in them, and what axe finds on a page."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse

from papers_brought import put_first
from visits import Visitor
from zhengka.accounts.models import Officer
from zhengka.cases.models import Case

AXE = (Path(__file__).parent / "browser/vendor/axe.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
         "resultTypes": ["violations"]}
WIDE, NARROW = 1280, 320
PASSWORD = "a long password"
COMPLAIN = ("document.addEventListener('securitypolicyviolation', "
            "e => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))")


class Window:
    """A window of one officer or a passer-by, in a language, perhaps in care mode. `faults` collects complaints."""

    def __init__(self, chromium: Any, server: Any, officer: Any = None, *, language: str = "en", width: int = WIDE):
        """Open it; the officer is logged in."""
        self.url, self.width, self.faults = server.url, width, []
        self.context = chromium.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
        self.context.add_init_script(AXE + ";" + COMPLAIN)
        self.look(language=language, care=False)
        if officer:
            self._cookie("sessionid", Visitor(officer).cookies["sessionid"].value)
        self.page = self.context.new_page()
        self.page.on("console", lambda line: line.type == "error" and self._hear(line.text))
        self.page.on("pageerror", lambda error: self._hear(str(error)))
        self.expected: tuple[str, ...] = ()

    def _hear(self, text: str) -> None:
        if not any(part in text for part in self.expected):
            self.faults.append(f"{self.page.url}: {text}")

    def _cookie(self, name: str, value: str) -> None:
        self.context.add_cookies([{"name": name, "value": value, "url": self.url}])

    def look(self, *, language: str, care: bool) -> None:
        """Choose language and care mode for the next pages."""
        self._cookie("django_language", language)
        self._cookie("care", "1" if care else "0")

    def go(self, path: str) -> Any:
        """Open an address of the site."""
        return self.page.goto(self.url + path)

    def resize(self, width: int) -> None:
        """Make the window this wide (CSS pixels)."""
        self.page.set_viewport_size({"width": width, "height": 900})

    def inspect(self, *widths: int, axe: bool = True) -> list[str]:
        """What is wrong with the page as it stands, at each width: axe's findings, and sideways scrolling."""
        found = []
        for width in widths or (self.width,):
            self.resize(width)
            over = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if over > 0:
                found.append(f"{self.page.url} at {width} px: {over} px too wide: {self._widest()}")
            found += [f"{self.page.url} at {width} px: {line}" for line in (self._axe() if axe else ())]
        faults, self.faults[:] = list(self.faults), []
        return found + faults

    def _axe(self) -> list[str]:
        violations = self.page.evaluate("rules => axe.run(document, rules).then(found => found.violations)", RULES)
        return [f"{each['id']}: {each['help']}: {node['html'][:160]} {node['failureSummary'][:200]}"
                for each in violations for node in each["nodes"][:3]]

    def _widest(self) -> str:
        return self.page.evaluate(
            "(() => { const w = window.innerWidth; return [...document.querySelectorAll('main *, header *, footer *')]"
            ".filter(e => e.checkVisibility() && !e.closest('.zk-scroll, details:not([open])')"
            " && e.getBoundingClientRect().right > w + 1).slice(-3)"
            ".map(e => e.outerHTML.slice(0, 120)).join(' | ') })()")

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.page.keyboard.type(text)

    def focused(self) -> str:
        """The words of what has the focus: its text, label or value."""
        return self.page.evaluate(
            "(() => { const e = document.activeElement; return e === document.body ? '' : (e.labels?.[0]?.innerText || "
            "e.innerText || e.getAttribute('aria-label') || e.value || e.tagName).replace(/\\s+/g, ' ').trim() })()")

    def tab_to(self, words: str, *, limit: int = 80) -> None:
        """Move the focus by the Tab key until it is on something that says `words`."""
        for _ in range(limit):
            self.press("Tab")
            if words in self.focused():
                return
        raise AssertionError(f"the Tab key never reached {words!r} on {self.page.url}")

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page (for eyes, not for tests)."""
        self.page.screenshot(path=name, full_page=True)

    def close(self) -> None:
        """Close the window."""
        self.context.close()


def log_in(window: Window, officer: Officer) -> None:
    """Log in by keyboard."""
    window.go(reverse("staff:login"))
    window.tab_to("Login name")
    window.type(officer.username)
    window.press("Tab")
    window.type(PASSWORD)
    with window.page.expect_navigation():
        window.press("Enter")
    assert "Worklist" in window.page.title()


def follow(window: Window, *keys: str) -> None:
    """Press the keys; the last one leads to another page."""
    window.press(*keys[:-1])
    with window.page.expect_navigation():
        window.press(keys[-1])


def accept_without_papers(window: Window) -> None:
    """Accept the case of the page with the papers that must be there, and say that the others are to follow."""
    put_first(Case.get(int(urlsplit(window.page.url).path.rsplit("/", 1)[1])))
    window.page.reload()
    window.tab_to("Accept with papers to follow")
    window.press("Enter", "Tab")
    window.type("户籍地已核，材料五日内补交")
    window.tab_to("Accept with papers to follow")
    follow(window, "Enter")


def said(window: Window) -> str:
    """What the page says was done."""
    return window.page.locator(".zk-messages").inner_text()
