"""What of cards is data: the card policy of each region (证卡政策) and the card profiles, each read once."""

import tomllib
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings

from zhengka.cards import rules
from zhengka.core.dated import choose, read
from zhengka.core.errors import Refusal
from zhengka.formats import chip


def policy(area: int, on: date) -> rules.Policy:
    """The card policy of an area on a day; `Refusal("policy-missing")` where no file covers it."""
    found = choose(policies(), area, on)
    if found is None:
        raise Refusal("policy-missing", area=area)
    return found


def policies() -> tuple[rules.Policy, ...]:
    """Every card policy of `data/policies`."""
    return _policies(Path(settings.DATA) / "policies")


def policy_ranges(on: date) -> tuple[tuple[int, int, rules.Policy], ...]:
    """Which card policy holds where on a day: ranges of areas that do not overlap, in order."""
    return _ranges(policies(), on)


def profile(name: str) -> chip.Profile:
    """A card profile by its name in `data/profiles`; `Refusal("profile-missing")`."""
    path = Path(settings.DATA) / "profiles" / f"{name}.toml"
    if not path.is_file():
        raise Refusal("profile-missing", profile=name)
    return _profile(path)


def profiles() -> tuple[chip.Profile, ...]:
    """Every card profile of `data/profiles`."""
    return tuple(_profile(path) for path in sorted((Path(settings.DATA) / "profiles").glob("*.toml")))


@cache
def profile_title(name: str) -> tuple[str, str]:
    """What a card profile is called, in Chinese and in English; its bare name where its file is not there."""
    path = Path(settings.DATA) / "profiles" / f"{name}.toml"
    told = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return told.get("title_zh", name), told.get("title", name)


@lru_cache(maxsize=4)
def _policies(folder: Path) -> tuple[rules.Policy, ...]:
    return rules.load_all(read(path) for path in sorted(folder.glob("*.toml")))


@lru_cache(maxsize=4)
def _ranges(held: tuple[rules.Policy, ...], on: date) -> tuple[tuple[int, int, rules.Policy], ...]:
    return tuple(rules.ranges(held, on))


@lru_cache(maxsize=16)
def _profile(path: Path) -> chip.Profile:
    return chip.load_file(path)
