"""What prints (印制), as a process of its own: HTML comes in, a tagged PDF (PDF/UA-1, ISO 14289-1) goes out.

`python -m zhengka.letters.press FONT…` reads HTML from its input and takes nothing from anywhere but the fonts named.
It stands apart because it needs Pango, which a site without letters does without, and because a text that hangs or
swells ends with its process.
"""

import sys
from pathlib import Path
from typing import Any

from weasyprint import HTML
from weasyprint.urls import URLFetcher


class Fonts(URLFetcher):  # type: ignore[misc]
    """Answers for the fonts that were named, and for no other address."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(allowed_protocols=["file"])
        self._known = {Path(path).as_uri() for path in paths}

    def fetch(self, url: str, headers: Any = None) -> Any:
        """The font at the address; ValueError for any other."""
        if url not in self._known:
            raise ValueError("a letter takes nothing from elsewhere")
        return super().fetch(url, headers)


def main() -> None:
    """Print what comes in."""
    document = HTML(string=sys.stdin.buffer.read().decode(), url_fetcher=Fonts(sys.argv[1:]))
    sys.stdout.buffer.write(document.write_pdf(pdf_variant="pdf/ua-1") or b"")


if __name__ == "__main__":
    main()
