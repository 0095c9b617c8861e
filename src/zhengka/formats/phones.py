"""Phone numbers of the mainland (大陆电话号码) as people write them. Pure."""

import re
from typing import Final

_EXTENSION: Final = re.compile(r"(.+?)(?:转|ext\.?|x|#)[\s.:：]*(\d{1,6})", re.IGNORECASE)
_DASHED: Final = re.compile(r"([(（]?0\d{2,3}[)）]?[\s-]*\d{7,8})-(\d{1,6})")
_BETWEEN: Final = re.compile(r"[\s()（）－–—-]+")
_ABROAD: Final = re.compile(r"(?:\+|00)86")
_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_LANDLINE: Final = re.compile(r"(?:0\d{2,3})?[2-9]\d{6,7}|[48]00\d{7}")


def normalised(text: str) -> str:
    """The number as records keep it, empty for what is no number: of a mobile phone (手机) eleven digits; of a landline
    (固定电话) its digits, with the area code where that was given, then `-` and the extension (分机) if there is one.
    """
    text = text.strip()
    split = _EXTENSION.fullmatch(text) or _DASHED.fullmatch(text)
    body, extension = (split[1], split[2]) if split else (text, "")
    body = _BETWEEN.sub("", body)
    if _MOBILE.fullmatch(bare := _ABROAD.sub("", body, count=1)):
        return "" if extension else bare
    return f"{body}{'-' if extension else ''}{extension}" if _LANDLINE.fullmatch(body) else ""
