"""Why a row of an import was refused: one table, code → words in Chinese and English."""

from typing import NamedTuple


class Reason(NamedTuple):
    """What stands in the file of refused rows (`zh`), and the same in English."""

    zh: str
    en: str


_NUMBER = {
    "empty": ("没有填写{}", "No {} is given"),
    "float": ("{}被表格软件改成了浮点数，末几位已丢失", "A spreadsheet turned the {} into a floating-point value"),
    "length": ("{}位数不对", "The {} has too few or too many characters"),
}

ROW_REASONS: dict[str, Reason] = {
    **{f"id-{code}": Reason(zh.format("身份证号"), en.format("identity number"))
       for code, (zh, en) in _NUMBER.items()},
    **{f"cert-{code}": Reason(zh.format("残疾人证号"), en.format("certificate number"))
       for code, (zh, en) in _NUMBER.items()},
    "id-character": Reason("身份证号含有不应有的字符", "The identity number holds a character that none has"),
    "id-birth-date": Reason("身份证号中的出生日期不存在", "The birth date in the identity number is no day"),
    "id-birth-future": Reason("身份证号中的出生日期晚于今天", "The birth date in the identity number lies ahead"),
    "id-check-digit": Reason("身份证号末位校验码不符", "The check character of the identity number is wrong"),
    "id-mismatch": Reason("身份证号与残疾人证号前18位不一致", "Identity and certificate number are of two persons"),
    "cert-21-digits": Reason("残疾人证号为21位数字，多一位", "The certificate number has 21 digits, one too many"),
    "cert-category": Reason("残疾类别不是1至7类", "The category is none of 1 to 7"),
    "cert-grade": Reason("残疾等级不是一至四级", "The grade is none of 1 to 4"),
    "cert-suffix": Reason("残疾人证号20位之后不是B、B1、B2……", "What follows 20 characters is not B, B1, B2, …"),
    "category-mismatch": Reason("残疾类别与残疾人证号第19位不一致", "The category differs from the number's digit"),
    "grade-mismatch": Reason("残疾等级与残疾人证号第20位不一致", "The grade differs from the number's digit"),
    "components-unreadable": Reason("多重残疾明细无法识别", "The components of the disability cannot be read"),
    "name-empty": Reason("没有填写姓名", "No name is given"),
    "name-length": Reason("姓名过长", "The name is too long"),
    "name-control": Reason("姓名含有控制字符或换行", "The name holds a control character or line break"),
    "name-direction": Reason("姓名含有改变书写方向的符号", "The name holds a mark that turns the direction of writing"),
    "name-invisible": Reason("姓名含有不可见字符", "The name holds an invisible character"),
    "name-variation": Reason("姓名含有异体选择符", "The name holds a variation selector"),
    "name-surrogate": Reason("姓名含有半个代理字符", "The name holds half a surrogate pair"),
    "name-private-use": Reason("姓名含有自造字（私用区字符），其他电脑无法显示",
                               "The name holds a private-use character"),
    "name-lost": Reason("姓名中有字符已丢失（?、□等）", "A character of the name was lost on the way"),
    "name-character": Reason("姓名含有不应有的字符", "The name holds a character that no name has"),
    "name-joiner": Reason("姓名中的间隔号或空格位置不对", "A dot or space of the name stands in a wrong place"),
    "sex-unreadable": Reason("性别无法识别", "The sex cannot be read"),
    "sex-mismatch": Reason("性别与身份证号不一致", "The sex differs from the identity number"),
    "birth-mismatch": Reason("出生日期与身份证号不一致", "The birth date differs from the identity number"),
    "date-empty": Reason("发证日期和有效期都没有填写", "Neither date of issue nor date of expiry is given"),
    "date-unreadable": Reason("日期无法识别", "A date cannot be read"),
    "date-impossible": Reason("日期不存在（如2月30日）", "A date is no day of the calendar"),
    "date-future": Reason("发证日期晚于今天", "The date of issue lies ahead"),
    "date-order": Reason("有效期不晚于发证日期", "The certificate ends before it begins"),
    "phone-float": Reason("电话号码被表格软件改成了浮点数", "A spreadsheet turned the phone number into a float"),
    "text-length": Reason("单元格文字过长", "A cell holds too much text"),
    "unit-empty": Reason("没有填写发证单位", "No issuing unit is given"),
    "unit-unknown": Reason("发证单位不在本辖区内或无法识别", "The issuing unit is unknown or outside your area"),
    "row-cells": Reason("本行单元格比表头多（可能有多余的逗号）", "The row has more cells than the header"),
    "person-elsewhere": Reason("该持证人档案在其他发证单位，较新的证号由该单位导入",
                               "Another unit has this person's record: a later number is for that unit to import"),
    "person-closed": Reason("该持证人的档案已注销", "The record of this person is closed"),
}
