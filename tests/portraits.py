"""Drawn portraits for tests: nobody's face."""

import io

from PIL import Image, ImageDraw


def make_photo(number: int = 0) -> bytes:
    """A drawn portrait as JPEG; another number gives other bytes."""
    picture = Image.new("RGB", (358, 441), (235, 238 - number % 40, 240))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((-20, 320, 378, 700), fill=(40 + number % 120, 60, 110))
    draw.rectangle((150, 260, 208, 350), fill=(228, 188, 160))
    draw.ellipse((105, 90, 253, 300), fill=(232, 194, 166))
    draw.pieslice((95, 65, 263, 265), 180, 360, fill=(34, 28, 26))
    for eye in (145, 205):
        draw.ellipse((eye, 190, eye + 12, 202), fill=(30, 24, 22))
    draw.text((4, 4), str(number), fill=(235, 238, 240))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
