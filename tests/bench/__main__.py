"""`make bench`: every bench_*.py beside this file, or those named: `python -m tests.bench verify`."""

import importlib
import os
import platform
import ssl
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhengka.config.settings")
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]


def main() -> None:
    """Run the benches, each in the order of its name."""
    django.setup()
    here = Path(__file__).parent
    wanted = sys.argv[1:] or sorted(path.stem.removeprefix("bench_") for path in here.glob("bench_*.py"))
    cores = len(os.sched_getaffinity(0))
    print(f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, {cores} cores, load {os.getloadavg()[0]:.1f}")
    for name in wanted:
        print(f"\n-- {name} --")
        importlib.import_module(f"bench_{name}").main()


if __name__ == "__main__":
    main()
