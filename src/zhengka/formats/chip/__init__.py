"""The chip of the card: profile, script, read-back, and a software card that understands them (芯片)."""

from zhengka.formats.chip.card import ATR, PowerCut, SoftCard
from zhengka.formats.chip.lint import Finding, lint, lint_many
from zhengka.formats.chip.profile import Field, File, Key, Kind, Profile, ProfileBroken, load
from zhengka.formats.chip.script import (
    ReadingPlan,
    Record,
    RecordBroken,
    Script,
    compile_many,
    compile_whole,
    expected_readback,
    readback,
    reading_plan,
)

__all__ = [
    "ATR",
    "Field",
    "File",
    "Finding",
    "Key",
    "Kind",
    "PowerCut",
    "Profile",
    "ProfileBroken",
    "ReadingPlan",
    "Record",
    "RecordBroken",
    "Script",
    "SoftCard",
    "compile_many",
    "compile_whole",
    "expected_readback",
    "lint",
    "lint_many",
    "load",
    "readback",
    "reading_plan",
]
