"""What fields, codes and data objects of a card are called (数据项名称), in Chinese and English."""

from typing import Final

from zhengka.formats.chip.directory import PPSE, PSE

FIELDS: Final[dict[str, tuple[str, str]]] = {
    "serial": ("卡号", "card serial"),
    "issuer": ("发证机构", "issuing office"),
    "issued": ("发证日期", "issued"),
    "valid_until": ("证件有效期至", "certificate valid until"),
    "activation_until": ("激活有效期至", "activated until"),
    "number": ("残疾人证号", "certificate number"),
    "name": ("姓名", "name"),
    "category": ("残疾类别", "category"),
    "grade": ("残疾等级", "grade"),
    "credential": ("签名凭证", "signed credential"),
    "transit_issuer": ("发卡机构代码", "issuer code"),
    "transit_type": ("应用类型标识", "application type"),
    "transit_version": ("应用版本", "application version"),
    "transit_serial": ("应用序列号", "application serial"),
    "transit_start": ("应用启用日期", "first day"),
    "transit_end": ("应用有效日期", "last day"),
    "transit_fci": ("发卡机构自定义", "issuer's own"),
    "transit_holder": ("持卡人信息", "holder"),
    "transit_country": ("国际代码", "country"),
    "transit_province": ("省级代码", "province"),
    "transit_city": ("城市代码", "city"),
    "transit_interop": ("互通卡种", "interoperability"),
    "transit_kind": ("卡种类型", "card kind"),
    "transit_reserved": ("预留", "reserved"),
    "log_serial": ("交易序号", "transaction number"),
    "log_overdraft": ("透支限额", "overdraft"),
    "log_amount": ("交易金额(分)", "amount in fen"),
    "log_type": ("交易类型", "transaction type"),
    "log_terminal": ("终端机编号", "terminal"),
    "log_date": ("交易日期", "day"),
    "log_time": ("交易时间", "time"),
    "process_record": ("记录标识", "record mark"),
    "process_length": ("记录长度", "length"),
    "process_valid": ("有效标识", "valid"),
    "process_interop": ("互通标识", "interoperability"),
    "process_lock": ("应用锁定标志", "lock mark"),
    "process_flow": ("交易流水号", "flow number"),
    "process_state": ("行程状态", "journey"),
    "social_mark": ("识别码", "identification mark"),
    "social_class": ("卡类别", "card class"),
    "social_version": ("规范版本", "specification version"),
    "social_maker": ("初始化机构", "initialising office"),
    "social_issued": ("发卡日期", "issued"),
    "social_until": ("有效期", "valid until"),
    "social_number": ("卡号", "card number"),
    "social_citizen": ("社会保障号", "social-security number"),
    "social_name": ("姓名", "name"),
    "social_name_rest": ("姓名扩展", "name, continued"),
    "social_sex": ("性别", "sex"),
    "social_people": ("民族", "ethnic group"),
    "social_birthplace": ("出生地", "place of birth"),
    "social_birth": ("出生日期", "born"),
    "social_account": ("社保数据区", "account data"),
    "social_photo": ("相片", "photo"),
}
"""Name of a field → what it is."""

VALUES: Final[dict[tuple[str, str], str]] = {
    ("transit_type", "01"): "ED 电子存折",
    ("transit_type", "02"): "EP 电子钱包",
    ("transit_type", "03"): "ED+EP",
    ("transit_country", "00000156"): "中国 China",
    ("transit_interop", "0000"): "本地 local",
    ("transit_interop", "0001"): "互通 interoperable",
    ("transit_kind", "1"): "标准卡 standard",
    ("transit_kind", "2"): "老年卡 senior",
    ("transit_kind", "3"): "学生卡 student",
    ("transit_kind", "4"): "员工卡 staff",
    ("transit_kind", "5"): "残疾卡 disability",
    ("transit_kind", "6"): "拥军卡 military",
    ("transit_kind", "133"): "残疾卡 disability",
    ("process_record", "2701"): "轨道 rail",
    ("process_record", "2702"): "公交 bus",
    ("process_state", "0"): "初始 initial",
    ("process_state", "1"): "已上车 on",
    ("process_state", "2"): "已下车 off",
    ("process_lock", "0"): "未锁定 not locked",
    ("process_lock", "1"): "已锁定 locked",
    ("social_sex", "1"): "男 male",
    ("social_sex", "2"): "女 female",
}
"""Field and value → what the code stands for."""

APPLICATIONS: Final[dict[bytes, tuple[str, str]]] = {
    PSE: ("应用目录(接触)", "directory for readers with contacts"),
    PPSE: ("应用目录(非接触)", "directory for contactless readers"),
}
"""Name of an application that no profile describes → what it is."""

PURPOSES_ZH: Final = {
    "control": "主控密钥", "maintenance": "应用维护密钥", "reader": "外部认证密钥", "internal": "内部认证密钥",
    "pin-unlock": "PIN解锁密钥", "pin": "口令(PIN)"}
"""Purpose of a key slot → its term."""

FCI: Final[dict[int, tuple[str, str, str]]] = {
    0x6F: ("文件控制信息", "file control information", "ISO/IEC 7816-4, 7.4.1"),
    0x84: ("应用名称", "name of the application", "ISO/IEC 7816-4, 7.4.3"),
    0x85: ("密钥版本与算法", "versions and algorithms of the keys, by slot", "ours"),
    0xA5: ("专用信息", "proprietary information", "ISO/IEC 7816-4, 7.4.3"),
    0x88: ("短文件标识", "short file identifier", "ISO/IEC 7816-4, 7.4.4"),
    0x9F0C: ("发卡机构自定义数据", "issuer's data", "JR/T 0025"),
    0x9F08: ("应用版本", "application version", "JR/T 0025"),
    0xBF0C: ("发卡机构自定义目录", "issuer's directory", "EMV B, 3.3"),
    0x61: ("应用模板", "application template", "EMV 1, 12.2.3"),
    0x4F: ("应用标识", "application identifier", "EMV 1, 12.2.3"),
    0x50: ("应用标签", "application label", "EMV 1, 12.2.3"),
    0x87: ("应用优先级", "priority", "EMV 1, 12.2.3"),
    0x5F2D: ("首选语言", "language", "EMV 1, 12.2.3"),
}
"""Tag of a data object → what it is, and the clause."""
