"""Problems with the tree of keys, their custodians and ceremonies."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    "key-has-children": Problem(
        409, "Keys that are in use are drawn from this one", "仍有在用密钥由此密钥分散而来",
        "Retire and destroy the keys below it first.",
        "请先停用并销毁其下级密钥。"),
    "key-in-use": Problem(
        409, "Cards depend on this key version", "仍有证卡依赖此密钥版本",
        "Bring them to the new keys, or let them be made again. Where it must end at once, open the ceremony that "
        "retires it: two custodians agree, and the reason is kept.",
        "请先将相关证卡升级到新密钥或补制；如须立即停用，请发起停用仪式，由两名密钥保管员同意并记录原因。"),
    "key-by-two": Problem(
        409, "Keys of every province come from this one", "各省密钥均由此密钥而来",
        "Open the ceremony that retires it: two custodians agree, and the reason is kept.",
        "请发起停用仪式，由两名密钥保管员同意并记录原因。"),
    "key-works-already": Problem(
        409, "A version of this key works already", "该密钥已有在用版本",
        "Open a rotation instead: the version before goes on reading for a while. A key that is to be drawn from the "
        "level above comes after the working one was retired, or after the master above was rotated.",
        "请改为轮换：旧版本在过渡期内仍可读取。如须改由上级密钥分散，请先停用在用版本，或待上级密钥轮换后再分散。"),
    "key-not-rotated": Problem(
        409, "A key of this purpose is never replaced", "此用途的密钥不得更换",
        "It gives each card its place in the status lists; recover it if it was lost.",
        "它决定每张卡在状态名单中的位置；如已丢失请恢复。"),
    "key-versions-used-up": Problem(
        409, "This master has had as many versions as a chip can tell", "该主密钥的版本号已用尽",
        "Let the operator give the cards another profile with key slots of their own; for the loading channel order "
        "chips of another kind.",
        "请运维人员改用另设密钥槽的卡片规格；如为安全通道主密钥，请改购另一型号的芯片。"),
    "key-not-a-master": Problem(
        409, "No key is drawn from this one for that place", "不能由此密钥为该地区分散密钥",
        "Choose an active master key of the level directly above the place.",
        "请选择该地区直接上级的在用主密钥。"),
    "key-stays": Problem(
        409, "This key was made to stay in its key store", "该密钥不可导出",
        "Export a key that is drawn from it for a place, or make another one that may leave.",
        "请导出由它为某地区分散的密钥，或另行生成可导出的密钥。"),
    "overlap-over": Problem(
        422, "The last day of the overlap is past", "过渡期截止日已过",
        "Enter today or a later day.",
        "请填写今天或之后的日期。"),
    "custodians-wrong": Problem(
        422, "Three different persons who are custodians are wanted, and not the one who leads",
        "须选择三名不同的密钥保管员，且不得为仪式主持人",
        "Choose three custodians; two or more for an import, export or destruction, and those who hold its "
        "components for a recovery.",
        "请选择三名密钥保管员；导入、导出或销毁时不少于两名，恢复时须为持有分量的人员。"),
    "ceremony-under-way": Problem(
        409, "A ceremony over this key is under way", "该密钥已有进行中的仪式",
        "Go on with that one, or cancel it first.",
        "请继续办理该仪式，或先取消它。"),
    "not-your-seat": Problem(
        403, "You are no custodian in this ceremony", "您不是本次仪式的保管员",
        "Only the officers who were named do their part, each in their own session.",
        "只有指定的保管员可在本人登录的会话中办理。"),
    "seat-done": Problem(
        409, "Your part in this ceremony is done", "您在本次仪式中的事项已办结",
        "Nothing more is shown and nothing more needs to be done.",
        "不再显示任何内容，无须再办。"),
    "component-wrong": Problem(
        422, "The component and its check value do not belong together, or it is not the one of your sheet",
        "密钥分量与校验值不符，或与您的分量单不一致",
        "Compare every group of digits with the sheet and type it again. Nothing was kept.",
        "请逐组核对分量单后重新输入。系统未保存任何内容。"),
    "components-wrong": Problem(
        409, "The components together do not give this key", "各分量合成的密钥与校验值不符",
        "All of them were wiped. Each custodian compares sheet and key, and brings the component again.",
        "所有分量已清除。请各保管员核对分量单后重新输入。"),
    "key-without-ceremony": Problem(
        409, "This master key was made without a ceremony", "该根密钥未经密钥仪式产生",
        "Nobody but this machine holds it, so it serves for trials only. Rotate it in a ceremony with three "
        "custodians, then make the cards.",
        "除本机外无人保管该密钥，仅可用于演示和试用。请先由三名密钥保管员通过仪式轮换，再制卡。"),
    "wrapped-key-wrong": Problem(
        422, "What came wrapped is not the key that was told", "密文中的密钥与告知的校验值不符",
        "Nothing was taken in. Cancel, compare file, check value and the key id of our transport key with the sender "
        "by telephone, and open the import again.",
        "未导入任何密钥。请取消本次仪式，与发送方电话核对密文文件、密钥校验值及本方传输密钥编号后重新发起导入。"),
    "transport-key-wrong": Problem(
        422, "This is no public key of the right suite", "不是所需算法的公钥文件",
        "Ask the receiver for the public key file of its transport key, and compare the key id by telephone.",
        "请向接收方索取其传输密钥的公钥文件，并通过电话核对公钥编号。"),
}
