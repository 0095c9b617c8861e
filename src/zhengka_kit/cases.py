"""Cases: what a reader is told and shown, and what it must answer. They lie in `cases.json` of a sandbox."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
FILE: Final = "cases.json"


class BadCases(ValueError):
    """A file that holds no cases of this format."""


@dataclass(frozen=True)
class Step:
    """One message to the reader and what its answer must be. `passes`: whether the person may go through, or the bundle
    must be taken; `code`: our word for it, which a reader need not know; empty where any will do.
    """

    message: dict[str, Any]
    passes: bool
    code: str


@dataclass(frozen=True)
class Case:
    """Some steps that belong together; the reader begins each case with nothing but its place and the first keys."""

    name: str
    title: str
    title_zh: str
    place: dict[str, str]
    steps: tuple[Step, ...]


def read(folder: Path) -> list[Case]:
    """The cases of a sandbox. Raises `BadCases`."""
    try:
        told = json.loads((folder / FILE).read_text("utf-8"))
        if told["format"] != FORMAT:
            raise BadCases(f"{folder / FILE} is of another format")
        return [Case(each["name"], each["title"], each["title_zh"], each["place"],
                     tuple(Step(one["message"], one["passes"], one["code"]) for one in each["steps"]))
                for each in told["cases"]]
    except FileNotFoundError:
        raise BadCases(f"{folder} is no sandbox: it has no {FILE}") from None
    except (ValueError, KeyError, TypeError) as bad:
        raise BadCases(f"{folder / FILE} cannot be read") from bad


def write(folder: Path, cases: list[Case]) -> None:
    """Put the cases into a sandbox."""
    told = [{"name": case.name, "title": case.title, "title_zh": case.title_zh, "place": case.place, "steps": [
        {"message": step.message, "passes": step.passes, "code": step.code} for step in case.steps]} for case in cases]
    text = json.dumps({"format": FORMAT, "cases": told}, ensure_ascii=False, indent=1)
    (folder / FILE).write_text(f"{text}\n", "utf-8")
