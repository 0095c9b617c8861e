"""What an import of the sample must find, counted while the sample is made."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

MERGE_RULE: Final = (
    "Files are imported in the order of their names, rows in the order of the file. The first row of an identity "
    "number that is not refused creates the holder at that file's unit. A later row of the same identity number whose "
    "data differ (unit, certificate number, grade, phone or address) is merged: recorded under the existing person, "
    "whose first unit stays. A later row of the same file with the same data is unchanged."
)


@dataclass
class Photos:
    """Portraits of the holders that a file creates; `good` + `missing` + `unreadable` = created."""

    good: int = 0
    missing: int = 0
    unreadable: int = 0


@dataclass
class FileTruth:
    """One file: rows by outcome. `rows` = created + merged + unchanged + the sum of `refused` (fault → rows).

    `oddities` counts what must be understood; one row may have several.
    """

    unit: str
    rows: int = 0
    created: int = 0
    merged: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    oddities: Counter[str] = field(default_factory=Counter)
    photos: Photos = field(default_factory=Photos)


@dataclass
class Truth:
    """A sample: how it was made, and each file by its name."""

    seed: int
    scale: float
    files: dict[str, FileTruth]

    @property
    def total(self) -> FileTruth:
        """All files added up."""
        whole = FileTruth("")
        for one in self.files.values():
            for name in ("rows", "created", "merged", "unchanged"):
                setattr(whole, name, getattr(whole, name) + getattr(one, name))
            whole.refused += one.refused
            whole.oddities += one.oddities
            for name in ("good", "missing", "unreadable"):
                setattr(whole.photos, name, getattr(whole.photos, name) + getattr(one.photos, name))
        return whole

    def save(self, path: Path) -> None:
        """Write as JSON with the totals and the merge rule it assumes."""
        content = {
            "seed": self.seed,
            "scale": self.scale,
            "merge_rule": MERGE_RULE,
            "total": _plain(self.total),
            "files": {name: _plain(one) for name, one in sorted(self.files.items())},
        }
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Truth":
        """What `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(content["seed"], content["scale"], {
            name: FileTruth(**one | {
                "refused": Counter(one["refused"]),
                "oddities": Counter(one["oddities"]),
                "photos": Photos(**one["photos"]),
            }) for name, one in content["files"].items()
        })  # fmt: skip


def _plain(one: FileTruth) -> dict[str, Any]:
    """A file's truth with its counters in a fixed order."""
    return vars(one) | {
        "refused": dict(sorted(one.refused.items())),
        "oddities": dict(sorted(one.oddities.items())),
        "photos": vars(one.photos),
    }
