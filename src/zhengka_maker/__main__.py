"""`zhengka-maker`: keys, transfer, making, receipts. It reads what the office gave and nothing else of the platform."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from zhengka.formats import parts, receipts, serials
from zhengka.formats.package import PackageReader
from zhengka.formats.receipts import PackageReceipt
from zhengka.formats.suites import SUITES
from zhengka_maker import box, fetching, home, making, older
from zhengka_maker.on_reader import Bench


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 1 refused with one line that says why, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    try:
        asked.work(asked)
    except (ValueError, OSError) as error:
        print(f"zhengka-maker: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zhengka-maker", description="Card maker's stand-in.")
    commands = parser.add_subparsers(required=True, metavar="init|certify|trust|fetch|receipt|run|text|printed|believe")
    init = commands.add_parser("init", help="create the maker's key pair and print the path of its public key file")
    init.add_argument("home", type=Path, metavar="DIR")
    init.add_argument("--suite", choices=SUITES, default="SM")
    init.add_argument("--name", default="card maker", help="name in the certificate")
    init.add_argument("--since", type=_day, metavar="DATE", help="day on which the certificate begins (default: today)")
    init.set_defaults(work=_init)
    certify = commands.add_parser("certify", help="write a new certificate of the same key, which ends later")
    certify.add_argument("home", type=Path, metavar="DIR")
    certify.add_argument("--name", default="card maker", help="name in the certificate")
    certify.add_argument("--days", type=int, default=home.DAYS, choices=range(1, 3651), metavar="N")
    certify.add_argument("--since", type=_day, metavar="DATE", help="day on which it begins (default: today)")
    certify.set_defaults(work=_certify)
    trust = commands.add_parser("trust", help="take the customer's public key: only its packages are made")
    trust.add_argument("home", type=Path, metavar="DIR")
    trust.add_argument("public", type=Path, metavar="FILE")
    trust.set_defaults(work=_trust)
    _add_transfer(commands)
    _add_run(commands)
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Making cards, and what may be planted in them."""
    run = commands.add_parser("run", help="make the cards of a package and write the signed results")
    run.add_argument("package", type=Path, metavar="PACKAGE")
    run.add_argument("--home", type=Path, required=True, metavar="DIR")
    run.add_argument("--out", type=Path, required=True, metavar="RESULTS")
    run.add_argument("--spoil", type=_share, default=0.004, help="share of cards that are spoiled (default 0.004)")
    run.add_argument("--seed", type=int, default=1)
    run.add_argument("--workers", type=int, default=2, choices=range(1, 65), metavar="N")
    run.add_argument("--reader", nargs="?", const="", metavar="NAME",
                     help="make real cards on this PC/SC reader (default: the only one) and spoil none on purpose")
    run.add_argument("--patience", type=float, default=0, metavar="SECONDS",
                     help="how long to wait for a person at the reader (default: for ever)")
    run.add_argument("--blanks", type=_runs, default=[], metavar="FIRST-LAST",
                     help="serials of the blank cards in the machine: each card names the one that it got")
    run.add_argument("--waste", type=_share, default=0.0,
                     help="share of blanks that the feeder spoils before a card (default 0)")
    run.add_argument("--plant", action="append", choices=(*making.PLANTS, *making.BLANK_PLANTS), default=[],
                     help="plant a fault in the results")
    run.add_argument("--receipt", type=Path, metavar="RECEIPT", help="write the signed receipt of the package, too")
    run.add_argument("--box", type=Path, metavar="BOX", help="write what lies in the box of finished cards, too")
    run.add_argument("--mix", action="append", choices=box.PLANTS, default=[],
                     help="swap two cards of the box after the results are signed")
    run.set_defaults(work=_run)


def _add_transfer(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What is done with a package on its way, and with receipts."""
    fetch = commands.add_parser("fetch", help="fetch a package part by part; a stopped run goes on where it was")
    fetch.add_argument("listed", type=Path, metavar="LIST", help="the office's signed list of parts")
    fetch.add_argument("source", metavar="SOURCE", help="folder or address (http, https) of the parts or the package")
    fetch.add_argument("--home", type=Path, required=True, metavar="DIR")
    fetch.add_argument("--out", type=Path, required=True, metavar="PACKAGE")
    fetch.set_defaults(work=_fetch)
    receipt = commands.add_parser("receipt", help="look through a package and write the signed receipt for it")
    receipt.add_argument("package", type=Path, metavar="PACKAGE")
    receipt.add_argument("--home", type=Path, required=True, metavar="DIR")
    receipt.add_argument("--out", type=Path, required=True, metavar="RECEIPT")
    receipt.add_argument("--listed", type=Path, metavar="LIST", help="the list by whose parts it came")
    receipt.set_defaults(work=_receipt)
    text = commands.add_parser("text", help="write the text form of older programs out of a package")
    text.add_argument("package", type=Path, metavar="PACKAGE")
    text.add_argument("--home", type=Path, required=True, metavar="DIR")
    text.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    text.set_defaults(work=_text)
    printed = commands.add_parser("printed", help="hold an older program's return file against the results of `run`")
    printed.add_argument("results", type=Path, metavar="RESULTS")
    printed.add_argument("returned", type=Path, metavar="RETURN")
    printed.add_argument("--home", type=Path, required=True, metavar="DIR")
    printed.add_argument("--out", type=Path, required=True, metavar="RESULTS")
    printed.set_defaults(work=_printed)
    believe = commands.add_parser("believe", help="read the office's receipts of results")
    believe.add_argument("receipts", type=Path, nargs="+", metavar="RECEIPT")
    believe.add_argument("--home", type=Path, required=True, metavar="DIR")
    believe.set_defaults(work=_believe)


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("a share is between 0 and 1")
    return share


def _runs(text: str) -> serials.Runs:
    try:
        return serials.parse(text)
    except serials.SerialsWrong as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def _init(asked: argparse.Namespace) -> None:
    print(home.init(asked.home, asked.suite))
    if not (asked.home / home.CERTIFICATE).exists():
        home.certify(asked.home, asked.name, days=home.DAYS, at=asked.since or datetime.now(UTC))


def _certify(asked: argparse.Namespace) -> None:
    print(home.certify(asked.home, asked.name, days=asked.days, at=asked.since or datetime.now(UTC)))


def _trust(asked: argparse.Namespace) -> None:
    print(f"packages signed by key {home.trust(asked.home, asked.public).key_id.hex()} are made from now on")


def _run(asked: argparse.Namespace) -> None:
    bench = None if asked.reader is None else Bench(asked.reader, asked.patience)
    if set(asked.plant) & set(making.BLANK_PLANTS) and not asked.blanks:
        raise ValueError("a fault with blank cards needs --blanks")
    if asked.receipt:
        _receipt(argparse.Namespace(**vars(asked) | {"out": asked.receipt, "listed": None}))
    job = making.Job(asked.package, asked.home, 0 if bench else asked.spoil, asked.seed, tuple(asked.plant),
                     asked.blanks, asked.waste)
    counts = making.run(job, asked.out, workers=asked.workers, bench=bench)
    if asked.box:
        box.pack(asked.out, asked.box, tuple(asked.mix))
    print(" ".join(f"{name} {count}" for name, count in counts._asdict().items()))


def _fetch(asked: argparse.Namespace) -> None:
    came, whole = fetching.fetch(asked.listed, asked.source, asked.out, home.issuer_key(asked.home))
    print(f"{asked.out}: {came} of {whole} parts came now")


def _receipt(asked: argparse.Namespace) -> None:
    key, issuer = home.private_key(asked.home), home.issuer_key(asked.home)
    count = len(parts.read(asked.listed.read_bytes(), issuer).digests) if asked.listed else 0
    with PackageReader(asked.package, key, issuer) as reader:
        for member in reader.members:
            reader.sealed(member)  # a receipt says that it is whole
        told = PackageReceipt(reader.info.batch, reader.digest, reader.cards, count, datetime.now(UTC))
    asked.out.write_bytes(receipts.sign_package(told, key))
    print(f"{told.batch}: {told.cards} cards")


def _text(asked: argparse.Namespace) -> None:
    with PackageReader(asked.package, home.private_key(asked.home), home.issuer_key(asked.home)) as reader:
        for path in older.unpack(reader, asked.out):
            print(path)


def _printed(asked: argparse.Namespace) -> None:
    counts = older.merged(asked.results, asked.returned, asked.out, home.private_key(asked.home))
    print(" ".join(f"{name} {count}" for name, count in counts._asdict().items()))


def _believe(asked: argparse.Namespace) -> None:
    issuer = home.issuer_key(asked.home)
    for path in asked.receipts:
        told = receipts.read_results(path.read_bytes(), issuer)
        print(f"{told.batch}: {told.cards} cards = {told.good} good + {told.spoiled} spoiled + {told.suspect} suspect, "
              f"results {told.result}")


if __name__ == "__main__":
    sys.exit(main())
