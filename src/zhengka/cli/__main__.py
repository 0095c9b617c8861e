"""Entry point: settles Django first, then runs the command and turns every "no" into one line and an exit status."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengka.config.settings")
django.setup()

from django.db import connection  # noqa: E402 - models can be imported only once Django is settled
from rich.console import Console  # noqa: E402
from rich.markup import escape  # noqa: E402

from zhengka.cli.app import app  # noqa: E402
from zhengka.cli.cluster import ClusterFault  # noqa: E402
from zhengka.core.errors import Refusal  # noqa: E402
from zhengka.core.events import Replayed  # noqa: E402
from zhengka.core.scope import of_the_platform  # noqa: E402
from zhengka_reader.pcsc import PcscFault, TwoCards  # noqa: E402

REFUSED = 2
"""Exit status of a named "no"; 1 is a fault of the machine or the environment."""


def main() -> None:
    """Run the command of the process's arguments."""
    errors = Console(stderr=True)
    of_the_platform(connection.settings_dict)
    try:
        app()
    except Refusal as no:
        told = escape(str(no).removesuffix(f" [{no.code}]"))  # the code stands before it
        errors.print(f"[bold red]{no.code}[/] {no.problem.title_zh} · {told}", soft_wrap=True)
        errors.print(f"  → {no.problem.next_zh} {no.problem.next}", soft_wrap=True)
        sys.exit(REFUSED)
    except Replayed as again:
        errors.print(f"already done: {again.event}")
    except ClusterFault as fault:
        errors.print(f"[bold red]database[/] {fault}", soft_wrap=True)
        sys.exit(1)
    except (PcscFault, TwoCards) as fault:
        errors.print(f"[bold red]reader[/] {fault}", soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
