"""The sheet of a component (密钥分量单): for one custodian's envelope, with a receipt to tear off that names no secret.

It is made in memory when its custodian asks for it, and kept nowhere but on paper.
"""

from datetime import datetime
from html import escape
from typing import Final

from django.utils import timezone

from zhengka.keys import rules
from zhengka.keys.models import Ceremony, Seat
from zhengka.keys.services.custody import Component
from zhengka.letters.services import print_document

_STYLE: Final = (
    "@page{size:A4;margin:18mm 20mm}body{margin:0;font-size:11pt;line-height:1.5}h1{font-size:18pt;margin:0 0 2mm}"
    "h2{font-size:13pt;margin:0 0 2mm}table{border-collapse:collapse;width:100%;margin:3mm 0}"
    "th,td{border:0.3mm solid #444;padding:1.6mm 2.5mm;text-align:left;vertical-align:top}"
    "th{width:36%;font-weight:normal}"
    ".value{font-size:17pt;letter-spacing:0.06em;line-height:1.7}.tear{border-top:0.4mm dashed #000;margin-top:12mm;"
    "padding-top:6mm}.line{display:inline-block;border-bottom:0.3mm solid #000;width:55mm}p{margin:0 0 2mm}")


def groups(value: str) -> str:
    """Hexadecimal digits in groups of four, as people read them out and type them."""
    return " ".join(value[at:at + 4] for at in range(0, len(value), 4)).upper()


def pdf(row: Ceremony, seat: Seat, component: Component, *, at: datetime) -> bytes:
    """The sheet of one seat as a tagged PDF. `Refusal("letter-press-missing")`."""
    slot = f" · {rules.CARD_KEYS[row.slot]}" if row.slot in rules.CARD_KEYS else ""
    about = [("仪式 Ceremony", f"{row.pk}"), ("密钥 Key", row.label + slot),
             ("保管员 Custodian", f"{seat.name}（{seat.person}）"),
             ("分量序号 Component", f"{component.number} / {row.among}")]
    whole = [*about, ("密钥校验值 Check value of the key (KCV)", groups(row.check_value)),
             ("分量校验值 Check value of the component", groups(component.check_value))]
    body = (
        f"<h1>密钥分量单 Component of a key</h1>{_table(whole)}"
        f'<h2>分量 Component</h2><p class="value">{escape(groups(component.value))}</p>'
        f"<p>任意 {row.needed} 份分量可恢复密钥，单独一份不泄露任何内容。"
        "请本人装入信封密封保管，不得复印、拍照或告知他人。</p>"
        f"<p>Any {row.needed} components give the key; one alone tells nothing. Seal this sheet in an envelope "
        "yourself and keep it; do not copy it, photograph it or tell it to anybody.</p>"
        f'<section class="tear"><h2>回执 Receipt</h2><p>沿虚线撕下，交安全管理员存档；本联不含分量。'
        "Tear off and hand to the security administrator; no component is on this part.</p>"
        f"{_table([*about, ('分量校验值 Check value of the component', groups(component.check_value))])}"
        f'<p>签收 Signed <span class="line"> </span> 日期 Day {timezone.localtime(at):%Y-%m-%d}</p></section>')
    return print_document(body, title="密钥分量单 Component of a key", style=_STYLE)


def _table(lines: list[tuple[str, str]]) -> str:
    rows = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in lines)
    return f"<table><tbody>{rows}</tbody></table>"
