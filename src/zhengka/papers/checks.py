"""Photo standards (照片标准): which figure of a portrait must lie within which limits, and what to do where not.
Pure: figures come in, findings go out.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, Literal, NamedTuple

from zhengka.core.dated import FileRefused, Table

Needs = Literal["picture", "face", "eyes"]


class Check(NamedTuple):
    """One check in words: what is measured, in which unit, with how many digits, what it can be measured of, and what
    to do where it fails; Chinese before English.
    """

    what: tuple[str, str]
    todo: tuple[str, str]
    unit: tuple[str, str] = ("", "")
    digits: int = 2
    needs: Needs = "face"


_PIXELS: Final = ("像素", "px")
_SHARE: Final = ("", "")
_LARGER: Final = ("请用更高分辨率重新拍摄或扫描。", "Take or scan the photo again with more pixels.")
_LIGHT: Final = ("请在光线均匀的地方正面受光重拍，不要用闪光灯直射。",
                 "Take it again in even light from the front, without a flash straight into the face.")
_WHITE: Final = ("请在白墙或白幕前重拍，人离背景约半米，避免阴影。",
                 "Take it again before a white wall or sheet, half a metre away from it, so that no shadow falls.")
_FRAME: Final = ("请按取景框重拍：头部居中，约占画面高度的三分之二。",
                 "Take it again within the guide: the head in the middle, about two thirds of the height.")

CHECKS: Final[dict[str, Check]] = {
    "width": Check(("宽", "Width"), _LARGER, _PIXELS, 0, "picture"),
    "height": Check(("高", "Height"), _LARGER, _PIXELS, 0, "picture"),
    "shape": Check(("宽高比", "Width to height"), (
        "请裁剪为二寸照片的比例（35 × 49 毫米）。", "Cut it to the shape of a two-inch photo (35 × 49 mm)."),
        needs="picture"),
    "faces": Check(("人脸数", "Faces"), (
        "画面中须有且只有本人一张清晰的正面人脸，请重拍。",
        "Take it again with one face in it: the person's, from the front."),
        digits=0, needs="picture"),
    "centre": Check(("面部偏离中线", "Face off the middle"), _FRAME, _SHARE),
    "eye_line": Check(("眼睛高度（自上而下）", "Eyes from the top"), _FRAME, _SHARE),
    "head": Check(("头部占画面高度", "Height of the head"), _FRAME, _SHARE),
    "turn": Check(("转头程度", "Head turned away"), (
        "请正对镜头，尽量露出双耳后重拍。",
        "Take it again facing the camera, with both ears in sight if they can be."), _SHARE),
    "tilt": Check(("头部倾斜", "Head tilted"), (
        "请端正头部、双眼保持水平后重拍。",
        "Take it again with the head upright and the eyes level."), ("度", "°"), 1, "eyes"),
    "eyes": Check(("眼部可见", "Eyes in sight"), (
        "请摘下墨镜、拨开遮眼的头发后重拍；视力残疾人可以佩戴墨镜。",
        "Take it again without dark glasses or hair over the eyes; for a visual disability dark glasses are allowed."),
        needs="eyes"),
    "sharpness": Check(("清晰度", "Sharpness"), (
        "照片模糊，请对准焦点、拿稳相机后重拍。",
        "Take it again: hold the camera still and focus on the face."), digits=0),
    "face_light": Check(("面部亮度", "Light on the face"), _LIGHT, digits=0),
    "blown": Check(("面部过曝比例", "Face over-exposed"), _LIGHT, _SHARE),
    "sides": Check(("左右亮度差", "One side darker"), _LIGHT, _SHARE),
    "colour": Check(("面部色彩", "Colour of the face"), (
        "须为彩色照片，不收黑白照片或复印件。", "Bring a colour photo, not one in grey or a copy."), digits=0),
    "background": Check(("背景亮度", "Brightness of the background"), _WHITE, digits=0, needs="picture"),
    "shadow": Check(("背景明暗差", "Shadow on the background"), _WHITE, digits=0, needs="picture"),
    "tint": Check(("背景偏色", "Colour of the background"), _WHITE, digits=0, needs="picture"),
}
"""Figure → its check, in the order in which a page shows them."""


class Limits(NamedTuple):
    """Between what a figure must lie; None: no limit on this side."""

    least: float | None
    most: float | None


class Standard(NamedTuple):
    """A photo standard of the areas from `lo` to `hi`, in force from `valid_from` on; `limits` by check."""

    code: str
    lo: int
    hi: int
    valid_from: date
    limits: Mapping[str, Limits]


class Finding(NamedTuple):
    """What one check found. `value`: None where it could not be measured; `outcome`: `passed`, `failed`, or why the
    check was left out: `no-face`, `dark-glasses` (they are allowed to this person).
    """

    code: str
    value: float | None
    least: float | None
    most: float | None
    outcome: str


def load(table: Table) -> Standard:
    """The standard that a file holds. Raises `FileRefused`."""
    code, (lo, hi), since = table.take("code", str), table.area(), table.take("valid_from", date)
    part = table.table("checks")
    limits = {name: _limits(Table(data, f"{part.place}: {name}"), name) for name, data in part.rest(dict).items()}
    table.end()
    for name in CHECKS.keys() - limits.keys():
        raise FileRefused("field-missing", part.place, name)
    return Standard(code, lo, hi, since, limits)


def _limits(part: Table, name: str) -> Limits:
    if name not in CHECKS:
        raise FileRefused("value-unknown", part.place)
    if not part.take("source", str).strip():
        raise FileRefused("source-missing", part.place)
    least, most = (part.take(side, float) if part.has(side) else None for side in ("least", "most"))
    part.end()
    if least is None and most is None:
        raise FileRefused("field-missing", part.place, "least, most")
    if least is not None and most is not None and least > most:
        raise FileRefused("value-out-of-range", part.place, f"{least} > {most}")
    return Limits(least, most)


def judge(figures: Mapping[str, float], standard: Standard, *, dark_glasses: bool) -> list[Finding]:
    """Each check of a standard against the figures of a portrait.

    `dark_glasses`: this person may wear them (视力), so nothing is asked of the eyes.
    """
    return [_finding(name, figures.get(name), standard.limits[name], dark_glasses) for name in CHECKS]


def _finding(name: str, value: float | None, limits: Limits, dark_glasses: bool) -> Finding:
    if dark_glasses and CHECKS[name].needs == "eyes":
        return Finding(name, None, *limits, "dark-glasses")
    if value is None:
        return Finding(name, None, *limits, "no-face")
    value = round(value, CHECKS[name].digits + 1)
    fits = (limits.least is None or value >= limits.least) and (limits.most is None or value <= limits.most)
    return Finding(name, value, *limits, "passed" if fits else "failed")


def fits(findings: Iterable[Finding]) -> bool:
    """True where no check failed. Without a face `faces` failed, so nothing passes for want of one."""
    return all(one.outcome != "failed" for one in findings)
