"""`zhengka-kit`: make a sandbox, drive a reader through it, try the interface of a sandbox site."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from zhengka_kit import asking, cases, checking, driving, report, writing
from zhengka_kit.checking import PASSED, Found


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status: 0 all passed, 1 something failed, 2 wrong usage."""
    words = sys.argv[1:] if arguments is None else arguments
    end = words.index("--") if "--" in words else len(words)
    asked = _parser().parse_args(words[:end])
    asked.program = words[end + 1:]
    try:
        return int(asked.work(asked))
    except KeyboardInterrupt:
        return 1
    except (ValueError, OSError) as error:
        print(f"zhengka-kit: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zhengka-kit", description="Conformance kit for an operator's engineer.")
    commands = parser.add_subparsers(required=True, metavar="make|reader|site")
    make = commands.add_parser("make", help="write test keys, cards, bundles and cases into a new folder")
    make.add_argument("folder", type=Path, metavar="DIR")
    make.set_defaults(work=_make)
    reader = commands.add_parser("reader", help="drive your reader through all cases of a sandbox",
                                 usage="zhengka-kit reader DIR [--url URL | -- PROGRAM …]")
    reader.add_argument("folder", type=Path, metavar="DIR")
    reader.add_argument("--url", metavar="URL", help="your reader takes the messages by POST there")
    reader.add_argument("--only", metavar="TEXT", default="", help="only cases with this in their names")
    reader.add_argument("--patience", type=float, default=driving.PATIENCE, metavar="SECONDS")
    reader.add_argument("--report", type=Path, metavar="FILE", help="write the report here as JSON, too")
    reader.set_defaults(work=_reader)
    site = commands.add_parser("site", help="try tokens, verifying, vouchers, receipts and webhooks of a sandbox site")
    site.add_argument("site", type=Path, metavar="FILE",
                      help="what `zhengka sandbox serve` wrote: address, client, cards")
    site.add_argument("--hook", metavar="PORT", type=int, default=0, help="wait on this port for a webhook, too")
    site.add_argument("--report", type=Path, metavar="FILE", help="write the report here as JSON, too")
    site.set_defaults(work=_site)
    return parser


def _make(asked: argparse.Namespace) -> int:
    print(f"{asked.folder}: {len(writing.make(asked.folder))} cases")
    return 0


def _reader(asked: argparse.Namespace) -> int:
    if bool(asked.url) == bool(asked.program):
        raise ValueError("name either --url or, behind --, a program")
    chosen = [case for case in cases.read(asked.folder) if asked.only in case.name]
    if not chosen:
        raise ValueError("no case has this in its name")
    reader: driving.Reader = (driving.Address(asked.url, asked.patience) if asked.url
                              else driving.Program(asked.program, asked.patience))
    try:
        return _told(list(checking.drive(reader, chosen, asked.folder)), asked.report, "reader")
    finally:
        reader.close()


def _site(asked: argparse.Namespace) -> int:
    return _told(asking.run(asking.read(asked.site), hook=asked.hook), asked.report, "site")


def _told(found: Sequence[Found], path: Path | None, about: str) -> int:
    print(report.table(found))
    if path:
        report.write(found, path, about)
    return 0 if all(each.outcome == PASSED for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
