"""`python -m tests.soak [seed or story …]`: break the life of a batch at seeded points and draw its balance afterwards.

It needs a home and a server of its own (ZHENGKA_HOME, no DATABASE_URL), for it kills the server. Without arguments it
reads seeds and stories from its input, a line each, and answers each with one line of JSON.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]


def main() -> int:
    """Answer what is asked; 1 where something did not come out."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengka.config.settings")
    import django

    import unlooked

    os.environ["ZHENGKA_DATA"] = str(unlooked.make_data(
        Path(os.environ.get("ZHENGKA_HOME", ROOT / "var")) / "unlooked"))  # workers of other processes read it, too
    django.setup()
    from soak import stories
    from soak.killing import Room

    room, wrong = Room(), False
    told_by = {"calm": lambda: room.calm, "disk": lambda: stories.full_disk(room),
               **{moment: partial(stories.frozen, room, moment) for moment in stories.MOMENTS},
               **{broken: partial(stories.planted, room, broken) for broken in stories.PLANTED}}
    for line in sys.argv[1:] or sys.stdin:
        asked = line.strip()
        told = room.seed(int(asked)) if asked.isdigit() else told_by[asked]()
        wrong |= bool(told["faults"])
        print(json.dumps(told, ensure_ascii=False), flush=True)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
