"""Problems with finished cards on their way to their holders, and with old certificates that come back."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "cards-not-here": Problem(
        409, "Not all of these cards lie where they shall be packed", "所列卡片不全在装包地点",
        "Look up the serial that is named to see where it is, then correct the list.",
        "请查询提示的序列号目前在何处，再更正清单。"),
    "cards-of-two-offices": Problem(
        409, "These cards lie at several offices, or belong to several", "所选卡片不在同一单位",
        "Tick cards that lie at one office and are one office's; pack the others after them.",
        "请只勾选同一单位、放在同一处的卡，其余的另行装包。"),
    "count-empty": Problem(
        409, "No card waits at this office", "该单位没有待领卡片",
        "There is nothing to count.", "没有可盘点的卡片。"),
    "seals-short": Problem(
        409, "There are fewer seals than parcels", "封签数量少于包裹数量",
        "Give more seals, or put more cards into each parcel.", "请增加封签，或加大每包张数。"),
    "parcel-known": Problem(
        409, "A parcel or seal with this number was used before", "该包裹号或封签号已经用过",
        "Look at label and seal again; every number is used once.", "请再次核对包裹号与封签号，每个号码只用一次。"),
    "parcel-target-wrong": Problem(
        422, "Cards of this office do not go there", "本单位的卡不能发往该处",
        "Choose the issuing office, a street below it, or (for cards that go back) an office above it.",
        "请选择发证单位、其下属街道，退卡时可选上级单位。"),
    "parcel-not-here": Problem(
        409, "By its journey this parcel is not at this office", "按流转记录该包裹不在本单位",
        "Scan it in first, then go on.", "请先扫描接收，再继续。"),
    "parcel-here-already": Problem(
        409, "This office has the parcel already", "该包裹已由本单位接收",
        "Nothing was changed. Send it on, or open it where this is its destination.",
        "未作改动。请继续转运；如已到目的单位，请拆包清点。"),
    "parcel-not-at-its-end": Problem(
        409, "A parcel is opened at its destination only", "包裹只能在目的单位拆开",
        "Send it on to its destination.", "请继续转运至目的单位。"),
    "custody-time-back": Problem(
        409, "The parcel came there later than this says", "该包裹到达时间晚于本次时间",
        "Give a time after its arrival.", "请填写到达之后的时间。"),
    "custody-same-person": Problem(
        403, "Whoever proposed this may not confirm it", "提请人不能自己确认",
        "Let another person look and confirm.", "请由另一人核对后确认。"),
    "custody-own-alarm": Problem(
        403, "Whoever noticed this does not clear it up", "发现人不能自己结案",
        "Let another person look at the parcel and its paper, and say what happened.",
        "请由另一人核对包裹与单据后结案。"),
    "parcel-still-late": Problem(
        409, "The parcel has not moved: it is late still", "该包裹仍未流转，超时尚未消除",
        "Have it scanned where it is and sent on, or let two persons declare it lost. The case stands until then.",
        "请在其所在单位扫描接收并继续转运；确已遗失的，由两人报失。此前该异常不能结案。"),
    "card-still-missing": Problem(
        409, "The card has not turned up", "该卡仍未找到",
        "Say at which office it was found, or have the loss declared by two persons.",
        "请填写在何处找到；如确已遗失，请由两人报失。"),
    "not-a-loss": Problem(
        409, "This case cannot end by a loss", "该异常不能以遗失结案",
        "Say how it was cleared up.", "请填写查明的情况后结案。"),
    "card-not-at-counter": Problem(
        409, "By the records this card does not lie at a counter", "按保管记录该卡不在窗口",
        "It is in a parcel that was not opened, missing, or lost. Open the parcel and count it first.",
        "该卡在未拆的包裹中、缺失或已报失。请先拆包清点。"),
    "signature-missing": Problem(
        422, "Nobody has signed", "尚未签名",
        "Let them sign in the field. For who cannot, type the name, say why, and let them confirm it.",
        "请在签名框内签名；不能签名的，请键入姓名、选择原因并由其确认。"),
    "agent-must-sign": Problem(
        422, "Who comes in the holder's place has not signed", "代领人尚未签名",
        "The photo is the holder's and proves nothing of them: let them sign; the chip may be read besides.",
        "照片为持证人本人，不能证明代领人；请代领人签名，可同时读卡。"),
    "list-incomplete": Problem(
        422, "It is not told on which list the holders signed", "签领单信息不完整",
        "Write the number of the list and the day on which it was signed, today or before.",
        "请填写签领单编号和签名日期，日期不得晚于今天。"),
    "proof-missing": Problem(
        422, "The hand-over is not proved", "领取凭证不完整",
        "Read the chip and compare the photo, have it signed for, or name the list that was signed by hand.",
        "请读卡并核对照片，或请领取人签名，或填写纸质签领单。"),
    "reading-missing": Problem(
        409, "This card was not read on your reader just now", "刚才没有在您的读卡器上读过此卡",
        "Lay the card on the reader, then hand it over within half an hour; or have it signed for.",
        "请先读卡，并在半小时内办理发放；也可请领取人签名。"),
    "agent-incomplete": Problem(
        422, "It is not told who came in the holder's place", "代领人信息不完整",
        "Write name, the last four characters of the ID number, relation and mandate.",
        "请填写代领人姓名、身份证号后四位、与持证人关系和委托书。"),
    "booklets-differ": Problem(
        409, "The number of booklets is not that of the list", "旧证数量与清单不一致",
        "Count again. Report one that is not here as missing, then it is asked for no more. Nothing was destroyed.",
        "请重新清点。确实不在的旧证请先报缺失，之后不再计入清单。本次未销毁。"),
    "booklet-still-missing": Problem(
        409, "The booklet has not turned up", "该旧证仍未找到",
        "Say that it was found, or let a second person confirm that it was not taken back.",
        "请填写已找到；如确未收回，请由另一人确认。"),
    "booklets-none": Problem(
        409, "No old booklet lies here", "本单位没有待销毁的旧证",
        "There is nothing to destroy.", "没有可销毁的旧证。"),
    "nothing-under-number": Problem(
        404, "Nothing with this number is known", "没有该号码的包裹、封签或卡片",
        "Scan it again, or type the number of the parcel, the seal or the card.",
        "请重新扫描，或键入包裹号、封签号、卡片序列号。"),
    "card-too-young": Problem(
        409, "Not all of these cards have waited long enough", "所选卡片未到退卡期限",
        "A card goes back after the last stage of reminders.", "催领期满后方可退卡。"),
}
