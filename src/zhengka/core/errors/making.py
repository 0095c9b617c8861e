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
    # -- devices -------------------------------------------------------------------------------------------------------
    "factory-keys-unusable": Problem(
        422, "The file with the chip maker's keys cannot be used", "芯片出厂密钥文件无法使用",
        "It has four lines: enc, mac, dek, transport, each with 32 hexadecimal digits. Ask the chip maker for it.",
        "文件应有四行：enc、mac、dek、transport，各32位十六进制数。请向芯片厂商索取。"),
    "no-blank-chip": Problem(
        409, "Nobody laid the next blank chip down in time", "未在规定时间内放上下一张空白卡",
        "Run the command again: it goes on where it was.", "请重新运行该命令，将从中断处继续。"),
    "device-name-taken": Problem(
        409, "The office has a device of this name already", "本单位已有同名机具",
        "Give it another name, such as that of its counter.", "请另取名称，例如以窗口命名。"),
    "device-unknown": Problem(
        403, "This card reader is not one of your office's", "该读卡器不是本单位登记的机具",
        "Pair it with its page under Devices first.", "请先在“机具”页面为其配对。"),
    "device-unpaired": Problem(
        409, "The reader was not paired yet", "读卡器尚未配对",
        "Pair it at the office PC to which it is connected.", "请在其所连接的办公电脑上配对。"),
    "device-stopped": Problem(
        403, "The reader was stopped: nothing that it says is believed", "该读卡器已停用，其读数一律不予采信",
        "Use another reader, or ask the system administrator.", "请换用其他读卡器，或联系系统管理员。"),
    "printer-unknown": Problem(
        403, "The card printer of this PC is not entered at your office", "本机的证卡打印机未在本单位登记",
        "Let the system administrator enter it under Devices, by the name of its print queue.",
        "请系统管理员在“机具”中按打印队列的名称登记。"),
    "printer-stopped": Problem(
        403, "The card printer was stopped, or is not at work yet: nothing is printed there",
        "该证卡打印机已停用或尚未启用，不能打印",
        "Ask the system administrator to start it, or make the card at another counter.",
        "请系统管理员启用，或到其他窗口制卡。"),
    "device-key-taken": Problem(
        409, "Another device signs with this key already", "该密钥已属于另一台机具",
        "Make a key pair of its own on this PC: zhengka-reader init with another folder.",
        "请在本机另建密钥对：用 zhengka-reader init 指定另一文件夹。"),
    "device-has-module": Problem(
        409, "A security module is bound to this reader", "该读卡器已绑定安全模块",
        "Take the module off first.", "请先解绑其安全模块。"),
    "device-unfit": Problem(
        409, "A module is bound to a reader or gate that is in use", "安全模块只能绑定在用的读卡器或闸机",
        "Choose another reader.", "请另选读卡器。"),
    "pairing-failed": Problem(
        409, "The reader was not paired: code or signature are not right, or too late",
        "配对未成功：配对码或签名不符，或已过期",
        "Ask for a new code, type it in at the PC of the reader, and connect again.",
        "请取新的配对码，在读卡器所在电脑上输入后重新连接。"),
    "gate-pairing-failed": Problem(
        409, "The gate was not paired: the code is not right, or too late", "闸机配对未成功：配对码不符，或已过期",
        "Ask the office for a new code, and type it in here within ten minutes.",
        "请向单位索取新的配对码，并在十分钟内在本机输入。"),
    "gate-clock-wrong": Problem(
        401, "The clock of this gate is wrong: nothing was taken", "本机时钟不准，未予受理",
        "Let the clock of this device set itself by the network, then try again. Nothing is lost meanwhile.",
        "请将本机时间设为自动校准后重试，其间记录不会丢失。"),
    "gate-signature-wrong": Problem(
        401, "This was not signed by the key of this gate", "签名与该闸机的密钥不符",
        "Pair this device again under Devices, with a new code.", "请在“机具”页面取新的配对码，重新配对。"),
    "reading-over": Problem(
        409, "This reading has ended", "本次读卡已结束",
        "Lay the card down again.", "请重新放卡。"),
    "reading-ended": Problem(
        409, "The card was not read", "读卡未完成",
        "The outcome says why. Lay the card down again, or use another reader.",
        "原因见结果代码。请重新放卡或换用其他读卡器。"),
    "psam-missing": Problem(
        409, "No security module answers for this reader", "该读卡器没有可用的安全模块",
        "Let the security administrator bind one to it.", "请安全管理员为其绑定安全模块。"),
    "module-of-another-region": Problem(
        409, "The security module here has no keys for cards of this unit", "此处的安全模块没有该发卡单位的密钥",
        "The card may be good: read it at a desk, where the key store answers, or use a module of the card's unit.",
        "该卡可能有效：请到联网窗口读卡（由密钥库应答），或换用该卡发卡单位的安全模块。"),
    "psam-unfit": Problem(
        409, "What lies in the module's slot is no security module that answers", "安全模块插槽中没有可用的安全模块",
        "Put the right module into the slot. One that is used up is replaced.",
        "请插入正确的安全模块；次数用尽的须更换。"),
    "psam-behind": Problem(
        409, "The security module counts fewer answers than are known of it", "安全模块的使用次数少于已登记次数",
        "It may be a copy. Report it lost, and let the security administrator issue another one.",
        "可能是复制品。请报失并由安全管理员另行发放。"),
    # -- cards ---------------------------------------------------------------------------------------------------------
    "card-on-its-way": Problem(
        409, "The holder has a card on its way already", "持证人已有在制或待领的卡",
        "Look at the holder's cards and go on with that one.",
        "请查看持证人名下的卡，继续办理那一张。"),
    "card-not-spoiled": Problem(
        409, "Only a spoiled, suspect or missing card is made again", "只有废卡、存疑卡或缺卡可以补制",
        "Look at the card's state.",
        "请核对卡的状态。"),
    "card-replaced": Problem(
        409, "Another card was ordered in place of this one already", "已为此卡订购补制卡",
        "Go on with the card that replaces it.",
        "请继续办理补制的卡。"),
    "card-condemned": Problem(
        409, "Somebody proposed already that the card is destroyed", "已有人提请销毁此卡",
        "Another person than the proposer destroys it.",
        "请由提请人以外的人员办理销毁。"),
    "card-not-condemned": Problem(
        409, "Nobody has proposed that the card is destroyed", "此卡尚未提请销毁",
        "Propose it; another person then destroys the card.",
        "请先提请销毁，再由另一人办理。"),
    "loss-proposed": Problem(
        409, "Somebody proposed already that the card is declared lost", "已有人提请认定此卡遗失",
        "Another person than the proposer declares it lost.",
        "请由提请人以外的人员认定。"),
    "loss-not-proposed": Problem(
        409, "Nobody has proposed that the card is declared lost", "此卡尚未提请认定遗失",
        "Propose it; another person then declares the card lost.",
        "请先提请认定遗失，再由另一人认定。"),
    "card-not-replaced": Problem(
        409, "The holder would be left without a card", "持证人将无卡可用",
        "First order another card in its place.",
        "请先为持证人补制新卡。"),
    "card-outdated": Problem(
        409, "The record has changed since this card was made", "制卡后档案已变更，卡面与档案不符",
        "Do not hand it over. Let the card office make it again, and destroy this one.",
        "请勿发放。请制卡岗位为其补制，并销毁本卡。"),
    "card-keys-over": Problem(
        409, "A key of this card was retired or revoked since it was made", "制卡后本卡所用密钥已停用或吊销",
        "Do not hand it over: no reader would take it. Let the card office make it again, and destroy this one.",
        "请勿发放，读卡设备已不再认可。请制卡岗位为其补制，并销毁本卡。"),
    "unanswered-not-proposed": Problem(
        409, "Nobody has proposed to give this batch up", "尚无人提请认定本批次未回盘",
        "One person proposes it, and another one declares it.", "须由一人提请、另一人认定。"),
    "batch-given-up": Problem(
        409, "This batch was declared not to come back: its results are not taken any more",
        "本批次已认定未回盘，不再接收其回盘",
        "Its cards are void, and others were ordered in their place. Let the card maker hand over what it made: each "
        "card that turns up is set aside and destroyed.",
        "其卡片已作废并已补制。请制卡单位交回已制成的卡片，找到的每张卡均另行存放并销毁。"),
    "batch-not-checked": Problem(
        409, "Cards of this batch are still to be looked at", "本批成品尚未核对完毕",
        "Look at the cards that were drawn; then the batch is ready.",
        "请先核对抽中的卡片，核对通过后方可继续。"),
    "card-not-drawn": Problem(
        404, "This card is not one that is to be looked at", "此卡不在待核对的抽样中",
        "Put it back and take one that was drawn; or it was looked at already.",
        "请放回此卡，取抽中的卡片；也可能已核对过。"),
    "code-not-seen": Problem(
        422, "The photo does not show exactly one code", "照片中没有或不止一个二维码",
        "Take the photo again: the card alone, whole, sharp and without glare.",
        "请重新拍摄：只拍此卡，完整、清晰、无反光。"),
    "reading-not-good": Problem(
        409, "The reader has not read this card for you", "读卡器未成功读取此卡",
        "Lay the card on the reader once more.", "请将卡片重新放在读卡器上。"),
    "name-not-shortened": Problem(
        409, "The rule gives no shorter name that fits", "按规则缩略后姓名仍无法印制",
        "Let the card wait, or take it out of the batch.", "请选择待补正，或移出本批。"),
    "nothing-to-decide": Problem(
        409, "Nothing is left to be decided about these cards", "这些卡片无待处置事项",
        "Look at the batch again: somebody decided before.", "请刷新批次页面，可能已有人处置。"),
    "partner-unknown": Problem(
        422, "The face of this card has no place for that number", "此卡版面没有该合作方号码的位置",
        "Look at the card's template.", "请查看该卡版面模板。"),
    "partner-number-bad": Problem(
        422, "The number does not look as this partner's do", "号码格式与该合作方规定不符",
        "Compare it with the partner's list and type it again.", "请与合作方清单核对后重新填写。"),
    "card-unseen": Problem(
        409, "No camera has looked at this card since it was printed", "本卡制成后未经相机检测",
        "Open its page, compare name, number, photo and code with the record, and hand it over there.",
        "请打开该卡页面，将卡面姓名、证号、照片和二维码与档案核对后，在该页发放。"),
    "chip-file-unusable": Problem(
        422, "The file is no software card that this key opens, or is in the way of a new one",
        "该文件不是此密钥可打开的软件卡，或妨碍新建", "Give the right file and its key, or another name for a new one.",
        "请指定正确的文件及其密钥；新建时请另取文件名。"),
    "chip-not-vouched": Problem(
        409, "The chip does not vouch for what it was to be told", "卡内芯片未能证明已完成写卡",
        "Put the card on the reader once more; the order is carried out again and a repeat does no harm.",
        "请重新放置卡片；指令将再次执行，重复执行无影响。"),
    "chip-says-all": Problem(
        409, "The chip says all that it should", "卡内数据已是最新，无需写卡",
        "Nothing needs to be written.", "无需任何操作。"),
    "chip-cannot-take": Problem(
        409, "A finished card cannot take this", "已制成的卡片无法完成此项更新",
        "Order another card.", "请为持证人补制新卡。"),
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
    "hold-changed": Problem(
        409, "Other cards are held back now than on the page that you saw", "暂缓下发的卡片已与您看到的不同",
        "Look at the hold again: cards have come to it since.",
        "请重新查看：此后又有卡片被暂缓下发。"),
    "receipt-unknown": Problem(
        404, "There is no such version of this status list", "没有该版本的状态表",
        "Name a list and a version that was published.",
        "请填写已发布的状态表编号和版本号。"),
    # -- production ----------------------------------------------------------------------------------------------------
    "batch-empty": Problem(
        409, "No card of this office and profile waits to be made", "该单位没有待制的卡",
        "Order cards first, or choose another office.",
        "请先订购卡片，或选择其他发证单位。"),
    "issuing-stopped": Problem(
        409, "No card is made or handed out here at present", "本地区已停发，暂不制卡、发卡",
        "Read why on the page of stops. Two persons lift it once its cause is gone.",
        "原因见“停发”页面；原因消除后由两人办理恢复。"),
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
    "batch-keys-over": Problem(
        409, "A key under which this batch was prepared was retired or revoked", "本批所用密钥已停用或吊销",
        "Give the batch up: other cards are ordered in place of its own. Open a batch of them and prepare it.",
        "请放弃本批：系统将为其中卡片补制订购，再重新组批并准备。"),
    "disk-full": Problem(
        507, "The disk on which packages are written is full", "制卡数据包所在磁盘空间已满",
        "Make room there, then let it be tried again. What is prepared stays prepared, and nothing is half done.",
        "请先清理该磁盘空间，再重新准备。已准备的部分保持不变，没有只完成一半的数据。"),
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
    "maker-revoked": Problem(
        409, "This card maker was revoked", "该制卡单位已被吊销",
        "Nothing goes to it or comes from it any more; let the security administrator say what becomes of its cards.",
        "不再向其送制或接收其回盘，请由安全管理员决定在制卡片的处理。"),
    "maker-expired": Problem(
        409, "The card maker's certificate has ended", "制卡单位的证书已过期",
        "Ask the card maker for a new certificate of the same key, and let the security administrator enrol it.",
        "请制卡单位为同一公钥出具新证书，由安全管理员登记。"),
    "maker-not-yet": Problem(
        409, "The card maker's certificate does not hold yet", "制卡单位的证书尚未生效",
        "Wait until the day that its certificate names.", "请在证书生效后再办理。"),
    "certificate-broken": Problem(
        422, "This is no certificate, and no public key file", "不是有效的证书或公钥文件",
        "Ask the card maker for the file that `zhengka-maker init` wrote, or for one that its own key signed.",
        "请制卡单位提供 `zhengka-maker init` 生成的文件，或由其自身密钥签发的证书。"),
    "maker-without-certificate": Problem(
        409, "The card maker has no certificate", "制卡单位没有证书",
        "Let the security administrator enrol the certificate that `zhengka-maker init` wrote.",
        "请由安全管理员登记制卡单位的证书。"),
    "terms-missing": Problem(
        503, "No file says what holds with card makers in this area", "没有适用于该辖区的制卡管理规定",
        "Let the operator add a file under data/production.", "请运维人员在 data/production 下补充规定文件。"),
    "batch-acknowledged": Problem(
        409, "The card maker has acknowledged this package already", "制卡单位已确认收到该数据包",
        "Nothing needs to be done.", "无需处理。"),
    "receipt-broken": Problem(
        422, "The receipt is damaged or not signed by this card maker", "回执损坏或签名不符",
        "Ask the card maker for the receipt again.", "请制卡单位重新提供回执。"),
    "receipt-of-another-batch": Problem(
        409, "This receipt is of another package", "该回执属于其他数据包",
        "Open the batch that the receipt names; where it names this one, the card maker has another package or not "
        "all cards of it.", "请在回执所属的批次中登记；若批次相同，则数据包或卡数不符，请与制卡单位核对。"),
    "no-results": Problem(
        409, "No results of this batch were taken yet", "本批尚未回盘",
        "Receive the card maker's results first.", "请先接收回盘文件。"),
    "part-size-wrong": Problem(
        422, "A part has 64 KiB to 64 MiB", "每卷大小应为 64 KiB 至 64 MiB",
        "Choose a size within these bounds.", "请改用范围内的大小。"),
    "package-damaged": Problem(
        503, "The package here is not what was sealed", "本地数据包已损坏",
        "Send nothing of it; let the operator restore it from the backup, or give the batch up.",
        "请勿送制；请运维人员从备份恢复，或放弃本批。"),
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
