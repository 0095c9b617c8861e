"""Problems with keys, cards and their making."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    # -- keys ----------------------------------------------------------------------------------------------------------
    "key-missing": Problem(
        503, "The key that this needs is not in the key store", "密钥库中没有所需的密钥",
        "Let the security administrator make or restore the key.",
        "请安全管理员生成或恢复密钥。"),
    "key-not-yet": Problem(
        503, "The key that this needs is not valid yet", "所需的密钥尚未生效",
        "Wait for the key's first day, or let the security administrator look.",
        "请等待密钥生效，或由安全管理员检查。"),
    "key-retired": Problem(
        503, "The key that this needs makes nothing any more", "所需的密钥已停用",
        "Let the security administrator make the next version of the key.",
        "请安全管理员生成新版本的密钥。"),
    "key-store-fails": Problem(
        503, "The key store does not do what it is asked", "密钥库未能完成操作",
        "Nothing was done with the key. Let the security administrator look at the key store or its hardware.",
        "未使用密钥。请安全管理员检查密钥库或密码设备。"),
    # -- cards ---------------------------------------------------------------------------------------------------------
    "card-on-its-way": Problem(
        409, "The holder has a card on its way already", "持证人已有在制或待领的卡",
        "Look at the holder's cards and go on with that one.",
        "请查看持证人名下的卡，继续办理那一张。"),
    "card-not-spoiled": Problem(
        409, "Only a spoiled or suspect card is made again", "只有废卡或存疑卡可以补制",
        "Look at the card's state.",
        "请核对卡的状态。"),
    "card-replaced": Problem(
        409, "Another card was ordered in place of this one already", "已为此卡订购补制卡",
        "Go on with the card that replaces it.",
        "请继续办理补制的卡。"),
    "certificate-not-valid": Problem(
        409, "The certificate is not valid for this", "残疾人证不是可办理此项的有效证件",
        "Look at the holder's certificates.",
        "请查看持证人名下的残疾人证。"),
    "certificate-opened": Problem(
        409, "The holder has a third-generation certificate already", "持证人已有第三代残疾人证",
        "Look at the holder's certificates; close the case if nothing is left to do.",
        "请查看持证人名下的残疾人证；如无须再办，请终止本件。"),
    "activation-not-due": Problem(
        409, "The card is active; its next year cannot be activated yet", "卡在激活期内，尚未到下一年度激活时间",
        "Come again from the day named.",
        "请在所示日期之后办理。"),
    "channel-not-allowed": Problem(
        409, "The region's policy does not allow this way of activating", "本地区规定不允许这种激活方式",
        "Choose one of the ways that the card's page offers.", "请选择证卡页面所列的激活方式。"),
    "activation-in-person": Problem(
        409, "The first activation needs an officer who sees the holder", "首次激活须由工作人员当面或视频核实本人",
        "Activate the card at the counter, at home, or by video.", "请在窗口、上门或通过视频为其激活。"),
    "evidence-wrong": Problem(
        422, "A record number of letters, digits and - . / is wanted", "凭据编号只能含字母、数字和 - . /",
        "Enter the number of the record, never an ID number.", "请填写记录的编号，不得填写身份证号。"),
    "policy-missing": Problem(
        503, "No card policy covers this area today", "没有适用于该辖区的证卡政策",
        "Let the operator add a policy file for the area.",
        "请运维人员补充该辖区的政策文件。"),
    "profile-missing": Problem(
        503, "There is no card profile of this name", "没有该名称的卡片规格",
        "Let the operator add the profile file, or correct the policy.",
        "请运维人员补充规格文件或更正政策。"),
    # -- production ----------------------------------------------------------------------------------------------------
    "batch-empty": Problem(
        409, "No card of this office and profile waits to be made", "该单位没有待制的卡",
        "Order cards first, or choose another office.",
        "请先订购卡片，或选择其他发证单位。"),
    "batch-all-held": Problem(
        409, "Every card of this batch is held: there is nothing to send", "本批卡片全部暂缓，没有可送制的卡",
        "Cure the cards and release them, then cancel this batch and open another.",
        "请处理暂缓原因并解除暂缓，撤销本批后重新组批。"),
    "lists-not-published": Problem(
        409, "Gates were not told of this batch's cards yet", "本批卡尚未载入已发布的状态表",
        "Wait a minute for the status lists, then send the batch; if they do not come, publish them by hand.",
        "请稍候状态表发布后再送制；如仍未发布，请手动发布状态表。"),
    "batch-has-cards": Problem(
        409, "Cards of this batch have their numbers already", "本批卡片已编号，不能撤销",
        "Send the batch, or let its cards be spoiled by the card maker.",
        "请送制，或由制卡单位按废卡处理。"),
    "maker-key-differs": Problem(
        409, "This card maker is known by another key", "该制卡单位已登记其他公钥",
        "Compare the key id with the maker over another way before anything else.",
        "请先通过其他途径与制卡单位核对公钥编号。"),
    "maker-suite-differs": Problem(
        409, "The card maker's key is of another suite than the card profile", "制卡单位公钥的算法与卡片规格不一致",
        "Choose another card maker or another profile.",
        "请更换制卡单位或卡片规格。"),
    "public-url-unfit": Problem(
        503, "The address of the scan page does not fit into the QR code of a card", "核验网址过长，无法写入卡面二维码",
        "Let the operator choose a shorter address.",
        "请运维人员改用更短的网址。"),
    "lease-lost": Problem(
        409, "Another worker has taken over this piece of work", "该任务已由其他进程接手",
        "Nothing is lost; nothing needs to be done.",
        "数据未受影响，无需处理。"),
    "results-broken": Problem(
        422, "The results file is damaged or not signed by this card maker", "回盘文件损坏或签名不符",
        "Ask the card maker for the file again.",
        "请制卡单位重新提供回盘文件。"),
    "results-of-another-batch": Problem(
        409, "These results belong to another batch", "回盘文件属于其他批次",
        "Open the batch that the file names.",
        "请在文件所属的批次中回盘。"),
    "result-replayed": Problem(
        409, "These results were received before", "该回盘文件已接收过",
        "Look at the batch: nothing was changed now.",
        "请查看批次，本次未作任何改动。"),
}
