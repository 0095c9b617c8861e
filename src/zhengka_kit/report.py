"""What was found, as a table for people and as JSON for whoever collects it."""

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from zhengka_kit.checking import PASSED, Found

WIDTH = 34


def table(found: Sequence[Found]) -> str:
    """One line for each case, and below it what went wrong."""
    lines = []
    for each in found:
        lines.append(f"{'✓' if each.outcome == PASSED else '✗'} {_padded(each.title_zh)} {each.title}  ({each.steps})")
        lines += [f"    {fault}" for fault in each.faults[:5]]
        if len(each.faults) > 5:
            lines.append(f"    … and {len(each.faults) - 5} more")
        lines += [f"    · {word}" for word in each.words[:2]]
    failed = sum(each.outcome != PASSED for each in found)
    lines.append(f"{len(found)} cases: {len(found) - failed} passed, {failed} failed · "
                 f"共 {len(found)} 项：通过 {len(found) - failed}，未通过 {failed}")
    return "\n".join(lines)


def write(found: Sequence[Found], path: Path, about: str) -> None:
    """The report as JSON."""
    told = {"format": 1, "about": about, "passed": all(each.outcome == PASSED for each in found), "cases": [
        {"name": each.name, "title": each.title, "outcome": each.outcome, "steps": each.steps, "faults": each.faults,
         "words": each.words} for each in found]}
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _padded(text: str) -> str:
    """Chinese characters are two cells wide."""
    wide = sum(1 + (unicodedata.east_asian_width(each) in "WF") for each in text)
    return text + " " * max(WIDTH - wide, 0)
