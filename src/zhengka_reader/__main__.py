"""`zhengka-reader`: init, pair, trust, serve, list, show, insert, look. It shares only the formats with us."""

import argparse
import os
import sys
from pathlib import Path

from zhengka.formats.chip import SoftCard
from zhengka.formats.chip.image import ImageBroken
from zhengka.formats.suites import SUITES
from zhengka_reader import home, station, virtual
from zhengka_reader.pcsc import Readers, card_on
from zhengka_reader.printing import Printer
from zhengka_reader.serve import PORT, Agent
from zhengka_reader.slots import MODULE, Slots

_HOME = Path.home() / ".zhengka-reader"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 1 refused with one line that says why, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    try:
        asked.work(asked)
    except KeyboardInterrupt:
        return 0
    except (ValueError, OSError, ImageBroken) as error:
        print(f"zhengka-reader: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zhengka-reader", description="Lets the pages of a site use a card reader.")
    parser.add_argument("--home", type=Path, default=_HOME, metavar="DIR", help="the reader's own folder")
    commands = parser.add_subparsers(required=True, metavar="init|pair|part|trust|serve|list|show|insert|look")
    init = commands.add_parser("init", help="create the reader's key pair and print the path of its public key file")
    init.add_argument("--suite", choices=SUITES, default="SM")
    init.set_defaults(work=_init)
    pair = commands.add_parser("pair", help="type in the code that the page of your site shows")
    pair.add_argument("code", metavar="CODE")
    pair.set_defaults(work=_pair)
    part = commands.add_parser("part", help="let the pages of a site use the reader no more")
    part.add_argument("site", metavar="https://SITE")
    part.set_defaults(work=_part)
    trust = commands.add_parser("trust", help="take a site's batch key: cards of its packages are made here")
    trust.add_argument("site", metavar="https://SITE")
    trust.add_argument("public", type=Path, metavar="FILE")
    trust.set_defaults(work=_trust)
    serve = commands.add_parser("serve", help="serve the pages of paired sites until Ctrl-C")
    serve.add_argument("--port", type=int, default=PORT)
    serve.add_argument("--printer", metavar="QUEUE", help="print queue of the card printer")
    serve.add_argument("--print-command", default="lp", metavar="PROGRAM", help="what puts jobs into it (default lp)")
    serve.set_defaults(work=_serve)
    commands.add_parser("list", help="the readers of this PC, and whether a card lies there").set_defaults(work=_list)
    show = commands.add_parser("show", help="answer to reset and identifier of the card that lies there")
    show.add_argument("--reader", default="", metavar="NAME")
    show.set_defaults(work=_show)
    insert = commands.add_parser("insert", help="lay a software card (file) into a virtual reader, for trials")
    insert.add_argument("card", type=Path, metavar="FILE")
    insert.add_argument("--port", type=int, default=virtual.PORT, help="of vpcd (default %(default)s)")
    insert.set_defaults(work=_insert)
    look = commands.add_parser("look", help="sign what a read-back station sees of a box of cards, for trials")
    look.add_argument("box", type=Path, metavar="BOX", help="as `zhengka-maker run` wrote it")
    look.add_argument("--out", type=Path, required=True, metavar="FILE")
    look.set_defaults(work=_look)
    return parser


def _init(asked: argparse.Namespace) -> None:
    print(home.init(asked.home, asked.suite))


def _look(asked: argparse.Namespace) -> None:
    print(f"{station.look(asked.box, asked.home, asked.out)} cards seen")


def _pair(asked: argparse.Namespace) -> None:
    home.expect(asked.home, asked.code.replace(" ", ""))
    print("Now press “Connect the reader” on the page.")


def _part(asked: argparse.Namespace) -> None:
    home.part(asked.home, asked.site)


def _trust(asked: argparse.Namespace) -> None:
    key = home.trust(asked.home, asked.site, asked.public)
    print(f"packages signed by key {key.key_id.hex()} are made from now on")


def _serve(asked: argparse.Namespace) -> None:
    printer = Printer(asked.printer, asked.print_command) if asked.printer else None
    agent = Agent(asked.home, port=asked.port, printer=printer)
    print(f"Serving on 127.0.0.1:{agent.port}; end with Ctrl-C.", flush=True)
    try:
        agent.run()
    finally:
        agent.close()


def _list(_asked: argparse.Namespace) -> None:
    with Readers() as readers:
        for name, what in Slots().told(readers, ours=None).items():
            print(f"{name}: {'security module' if what == MODULE else what}")


def _show(asked: argparse.Namespace) -> None:
    with card_on(asked.reader) as card:
        print(f"reader {card.reader}\natr {card.atr.hex().upper()}\nuid {card.uid.hex().upper() or '—'}")


def _insert(asked: argparse.Namespace) -> None:
    key = bytes.fromhex(os.environ.get("ZHENGKA_CARD_KEY", ""))
    if len(key) != 16:
        raise ValueError("ZHENGKA_CARD_KEY must hold the 16 bytes, in hexadecimal, under which the card lies on disk")
    inserted = virtual.insert(SoftCard.load(asked.card, key), port=asked.port)
    print("The card lies in the reader; take it out with Ctrl-C.", flush=True)
    try:
        inserted.wait()
    finally:
        inserted.remove()


if __name__ == "__main__":
    sys.exit(main())
