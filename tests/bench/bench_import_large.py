"""The import at the size of a province: 1,690,000 rows in one file."""

import bench_import

HOLDERS = 1_690_000


def main() -> None:
    """Print rates, ratios and memory."""
    bench_import.main(HOLDERS, rounds=1)
