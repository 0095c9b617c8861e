"""The chip of the card: profile, script, read-back, and a software card that understands them (芯片)."""

from zhengka.formats.chip.card import ATR, PowerCut, SoftCard
from zhengka.formats.chip.lint import Finding, lint, lint_many, lint_order
from zhengka.formats.chip.profile import Application, Field, File, Key, Kind, Profile, ProfileBroken, load, load_file
from zhengka.formats.chip.script import (
    ReadingPlan,
    Record,
    RecordBroken,
    Script,
    application_keys,
    compile_many,
    compile_whole,
    expected_readback,
    outline,
    readback,
    reading_plan,
    reference,
)

__all__ = [
    "ATR",
    "Application",
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
    "application_keys",
    "compile_many",
    "compile_whole",
    "expected_readback",
    "lint",
    "lint_many",
    "lint_order",
    "load",
    "load_file",
    "outline",
    "readback",
    "reading_plan",
    "reference",
]
