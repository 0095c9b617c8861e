"""`make fuzz`: coverage-guided fuzzing of what reads bytes from cards, makers and files.

    python -m tests.fuzz [target …]

Each target runs in a process of its own. FUZZ_SECONDS (600) is shared by the four parsers that are named first (TLV,
APDU, profile, script); every other target gets a third of what one of them gets, on top: 600 s for the four and
50 s for each of the others, `cores` among them, where the two cores of a gate are compared. An input that crashes,
takes longer than five seconds or more than a gigabyte ends the run with status 1, and is kept under var/fuzz.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
KEPT = Path("var/fuzz")
SECONDS = int(os.environ.get("FUZZ_SECONDS", "600"))
NAMED = ("tlv", "apdu", "profile", "script")
"""The parsers among which FUZZ_SECONDS is shared."""
LESS = 3
"""Every other target gets one part in so many of what a named one gets."""
SLOW, MEMORY = 5, 1024
PATIENCE = 600
"""Seconds for which a busy machine may be late before a target counts as hanging."""
ONE = "--one"
CORES = "cores"


def main() -> int:
    """Fuzz each target in turn; 1 where one of them found something."""
    from fuzz import cores
    from fuzz.targets import TARGETS

    known = [*TARGETS, CORES]
    wanted = sys.argv[1:] or known
    if strange := set(wanted) - set(known):
        sys.exit(f"no such target: {', '.join(sorted(strange))}; there are {', '.join(known)}")
    found = [name for name in wanted if (cores.main(seconds(name)) if name == CORES else run(name, seconds(name)))]
    print(f"found something in: {', '.join(found)}; inputs in {KEPT}" if found else "nothing found")
    return bool(found)


def seconds(name: str, total: int = SECONDS) -> int:
    """How long one target is fuzzed, where FUZZ_SECONDS is `total`; at least a second."""
    own = -(-total // len(NAMED))
    return max(1, own if name in NAMED else own // LESS)


def run(name: str, seconds: int) -> bool:
    """Fuzz one target in its own process; whether it found something."""
    from fuzz.targets import SEEDS

    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(SEEDS[name]):
            (Path(seeds) / f"{number:03}").write_bytes(seed)
        corpus = KEPT / name
        corpus.mkdir(exist_ok=True)
        options = [f"-max_total_time={seconds}", f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}", "-max_len=8192",
                   f"-artifact_prefix={KEPT}/{name}-", "-print_final_stats=1", "-verbosity=0"]
        asked = [sys.executable, "-m", "tests.fuzz", ONE, name, *options, str(corpus), seeds]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, timeout=seconds + PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            print(f"{name:<8} {seconds} s, NOT ENDED: it hangs, or the machine has no time for it", flush=True)
            return True
    runs = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    print(f"{name:<8} {seconds} s, {int(runs[0]) if runs else 0:,} inputs, {len(list(corpus.iterdir())):,} kept"
          f"{'' if done.returncode == 0 else ', FOUND SOMETHING'}", flush=True)
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
    return done.returncode != 0


def one(name: str, options: list[str]) -> None:
    """Fuzz one target in this process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["zhengka.formats"], enable_loader_override=False):
        from fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == [ONE]:
        one(sys.argv[2], sys.argv[3:])
    sys.exit(main())
