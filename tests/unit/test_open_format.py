"""What goes to and comes from the card maker is an open format: every file that we write is what its schema says."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from made_cards import make_orders, make_package, make_profile, make_records
from zhengka.config.env import PROJECT
from zhengka.formats import parts, receipts
from zhengka.formats.package import PackageReader
from zhengka.formats.receipts import PackageReceipt, ResultsReceipt
from zhengka.formats.results import CardResult, ResultsInfo, ResultWriter
from zhengka.formats.shown import Shown
from zhengka.formats.suites import SUITES

SCHEMAS = {path.name.removesuffix(".schema.json"): json.loads(path.read_text())
           for path in sorted((PROJECT / "data" / "schemas").glob("*.json"))}
KNOWN = {"$schema", "$id", "$defs", "$ref", "title", "type", "properties", "required", "additionalProperties", "items",
         "anyOf", "enum", "const", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
AT = datetime(2026, 11, 20, 4, tzinfo=UTC)


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any], where: str = "") -> list[str]:  # noqa: C901
    """Where a value is not what a schema says, by the keywords of JSON Schema 2020-12 that ours use."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        return faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, where)
    if "anyOf" in schema:
        each = [faults(value, one, root, where) for one in schema["anyOf"]]
        return [] if [] in each else [f"{where}: none of {len(each)}"]
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        return [f"{where}: another value"]
    if "type" in schema and type(value) is not TYPES[schema["type"]]:
        return [f"{where}: no {schema['type']}"]
    found = []
    if isinstance(value, dict):
        named = schema.get("properties", {})
        found += [f"{where}.{name}: missing" for name in schema.get("required", ()) if name not in value]
        if schema.get("additionalProperties") is False:
            found += [f"{where}.{name}: unknown" for name in value if name not in named]
        for name, one in named.items():
            found += faults(value[name], one, root, f"{where}.{name}") if name in value else []
    if isinstance(value, list):
        out = not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        found += [f"{where}: {len(value)} items"] if out else []
        for place, one in enumerate(value):
            found += faults(one, schema.get("items", {}), root, f"{where}[{place}]")
    if isinstance(value, str):
        out = not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        found += [f"{where}: length"] if out or not re.search(schema.get("pattern", ""), value) else []
    if type(value) is int and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found += [f"{where}: out of range"]
    return found


@pytest.fixture(scope="module", params=["SM", "INTL"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Any]]:
    """Everything that we and a maker write, of either suite: name of the schema and object."""
    folder, suite = tmp_path_factory.mktemp("open"), SUITES[request.param]
    profile, issuer, maker = make_profile(suite=suite.name), suite.generate(), suite.generate()
    orders, digests = make_orders(profile, make_records(3))
    package = folder / "b.zkp"
    make_package(package, orders, signer=issuer, maker=maker.public, profile=profile, each=2)
    found: list[tuple[str, Any]] = []
    with PackageReader(package, maker, issuer.public) as reader:
        found.append(("package-manifest-2", json.loads(reader._archive.read("manifest.json"))))
        for member in reader.members:
            found += [("package-card-2", json.loads(line)) for line in reader.plain(member).splitlines()]
        digest = reader.digest
    results = folder / "results.jsonl"
    with ResultWriter(results, ResultsInfo(UUID(int=1 << 70), "b", digest), maker) as writer:
        shown = Shown(bytes(16), bytes(16), bytes(16))
        for place, (serial, readback) in enumerate(digests.items()):
            told = [("good", "", readback, shown), ("spoiled", "smeared", None, None), ("suspect", "cut", None, None)]
            outcome, reason, read, seen = told[place]
            writer.add(CardResult(serial, bytes(7), b"\x3b\x00", read, outcome, reason, seen))
    found += [("results-1", json.loads(line)) for line in results.read_text().splitlines()]
    plan = parts.cut(package, parts.LEAST, batch="b", package=digest, suite=suite.name)
    for name, text in (
            ("parts-1", parts.sign(plan, issuer)),
            ("package-receipt-1", receipts.sign_package(PackageReceipt("b", digest, 3, 0, AT), maker)),
            ("results-receipt-1", receipts.sign_results(
                ResultsReceipt("b", digest, UUID(int=1 << 70), digest, 1, 1, 1, AT), issuer))):
        found += [(name, json.loads(line)) for line in text.splitlines()]
    return found


def test_every_schema_is_one_of_a_file_that_is_written(written):
    assert {name for name, _ in written} == set(SCHEMAS)
    assert all(schema["$schema"].endswith("2020-12/schema") and schema["title"] for schema in SCHEMAS.values())


def test_everything_that_is_written_is_what_its_schema_says(written):
    assert [fault for name, said in written for fault in faults(said, SCHEMAS[name], SCHEMAS[name], name)] == []


def test_a_field_left_out_or_of_another_kind_is_not_what_the_schema_says(written):
    for name, said in written:
        for field in said:
            if name == "results-1" and field in ("shown", "suspect"):
                continue
            without = {key: value for key, value in said.items() if key != field}
            assert faults(without, SCHEMAS[name], SCHEMAS[name]), (name, field)
            assert faults({**said, field: object()}, SCHEMAS[name], SCHEMAS[name]), (name, field)


def test_a_field_that_nobody_knows_is_not_what_the_schema_of_a_signed_head_says(written):
    for name, said in written:
        if "serial" not in said:
            assert faults({**said, "more": 1}, SCHEMAS[name], SCHEMAS[name]), name


def test_the_manifest_tells_a_member_of_any_kind_but_no_path(written):
    schema = SCHEMAS["package-manifest-2"]
    said = next(said for name, said in written if name == "package-manifest-2")
    for member in ("../cards-0001.bin", "cards-1.bin", "/etc/passwd", "cards-0001", "CARDS-0001.bin"):
        changed = {**said, "members": [{**said["members"][0], "name": member}]}
        assert faults(changed, schema, schema), member
    assert Path(PROJECT / "data" / "schemas").is_dir()
