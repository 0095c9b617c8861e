"""`zhengka parts`: every part with its version and licence, as a table or as a CycloneDX bill of materials (SBOM)."""

import json
from importlib import metadata
from pathlib import Path

import typer
from django.conf import settings
from rich.console import Console
from rich.table import Table

LICENCE_LENGTH = 48


def parts(cyclonedx: bool = typer.Option(False, help="Print a CycloneDX 1.6 bill of materials (JSON).")) -> None:
    """List every part that is installed or shipped, with its licence."""
    found = sorted([*python_parts(), *shipped_parts()])
    if cyclonedx:
        typer.echo(json.dumps(bill(found), ensure_ascii=False, indent=1))
        return
    table = Table("Part", "Version", "Licence", "From", title=f"{len(found)} parts")
    for row in found:
        table.add_row(*row)
    Console().print(table)
    typer.echo("Known vulnerabilities: not checked (no advisory data is shipped).")


def python_parts() -> list[tuple[str, str, str, str]]:
    """(name, version, licence, "python") of every installed distribution but this one."""
    return [(dist.metadata["Name"], dist.version, licence(dist), "python") for dist in metadata.distributions()
            if dist.metadata["Name"] not in (None, "zhengka", "pip")]


def shipped_parts() -> list[tuple[str, str, str, str]]:
    """Parts that the repository ships itself, from data/parts.json: (name, version, licence, where)."""
    listed = json.loads((Path(settings.DATA) / "parts.json").read_text())
    return [(part["name"], part["version"], part["licence"], part["where"]) for part in listed]


def licence(dist: metadata.Distribution) -> str:
    """The licence as the part itself states it: SPDX expression, classifier, or the first words of its field."""
    about = dist.metadata
    if "License-Expression" in about:
        return about["License-Expression"]
    classifiers = [c.split(" :: ")[-1] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    if classifiers:
        return ", ".join(classifiers)
    return about["License"].strip().split("\n")[0][:LICENCE_LENGTH] if "License" in about else "not stated"


def bill(found: list[tuple[str, str, str, str]]) -> dict[str, object]:
    """The parts as a CycloneDX document."""
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "metadata": {"component": {"type": "application", "name": "zhengka",
                                       "version": metadata.version("zhengka")}},
            "components": [{"type": "library", "name": name, "version": version,
                            "licenses": [{"license": {"name": terms}}], "group": origin}
                           for name, version, terms, origin in found]}
