"""`zhengka-maker`: init, trust, run. It reads the package and nothing else of the platform."""

import argparse
import sys
from pathlib import Path

from zhengka.formats import serials
from zhengka.formats.suites import SUITES
from zhengka_maker import home, making
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
    commands = parser.add_subparsers(required=True, metavar="init|trust|run")
    init = commands.add_parser("init", help="create the maker's key pair and print the path of its public key file")
    init.add_argument("home", type=Path, metavar="DIR")
    init.add_argument("--suite", choices=SUITES, default="SM")
    init.set_defaults(work=_init)
    trust = commands.add_parser("trust", help="take the customer's public key: only its packages are made")
    trust.add_argument("home", type=Path, metavar="DIR")
    trust.add_argument("public", type=Path, metavar="FILE")
    trust.set_defaults(work=_trust)
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
    run.set_defaults(work=_run)
    return parser


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


def _trust(asked: argparse.Namespace) -> None:
    print(f"packages signed by key {home.trust(asked.home, asked.public).key_id.hex()} are made from now on")


def _run(asked: argparse.Namespace) -> None:
    bench = None if asked.reader is None else Bench(asked.reader, asked.patience)
    if set(asked.plant) & set(making.BLANK_PLANTS) and not asked.blanks:
        raise ValueError("a fault with blank cards needs --blanks")
    job = making.Job(asked.package, asked.home, 0 if bench else asked.spoil, asked.seed, tuple(asked.plant),
                     asked.blanks, asked.waste)
    counts = making.run(job, asked.out, workers=asked.workers, bench=bench)
    print(" ".join(f"{name} {count}" for name, count in counts._asdict().items()))


if __name__ == "__main__":
    sys.exit(main())
