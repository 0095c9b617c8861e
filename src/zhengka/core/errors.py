"""Why no: one table of problems and one exception. Only the edges turn a `Refusal` into a page or problem+json."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One named "no": the HTTP status, what it means in English and Chinese, and what to do next in both."""

    status: int
    title: str
    title_zh: str
    next: str
    next_zh: str


PROBLEMS: dict[str, Problem] = {
    # -- anyone, anywhere ------------------------------------------------------------------------------------------
    "not-found": Problem(
        404, "There is no such record in your area", "您的辖区内没有这条记录",
        "Check the number, or ask the office that keeps the record.",
        "请核对编号，或联系保管该记录的单位。"),
    "not-permitted": Problem(
        403, "Your role does not include this act", "您的岗位没有这项权限",
        "Ask a colleague whose role includes it.",
        "请由具备该权限的同事办理。"),
    "step-not-open": Problem(
        409, "This step is not open in the present state", "当前状态不能办理这一步",
        "Open the record again: somebody may have moved it on.",
        "请刷新记录，可能已有人办理。"),
    "request-id-reused": Problem(
        409, "This request id was used for something else", "该请求编号已用于其他办理",
        "Start the act again from its page.",
        "请从页面重新发起。"),
    "office-wrong": Problem(
        403, "Another office takes this step", "这一步由其他单位办理",
        "Leave it to the office that the page names.",
        "请由页面所示单位办理。"),
    "reason-missing": Problem(
        422, "This step needs a reason", "办理这一步须写明理由",
        "Write in a sentence why; the person may read it.",
        "请用一句话写明理由，当事人可以看到。"),
    "kind-not-offered": Problem(
        409, "No policy lays down this kind of case here", "本地区没有规定这一办理事项",
        "Ask the province to put it into the area's case policy.",
        "请由上级在本地区办理规则中规定。"),
    "case-open": Problem(
        409, "The person has an open case of this kind", "该人员已有同类事项正在办理",
        "Go on with the open case.",
        "请继续办理已有事项。"),
    "reason-unknown": Problem(
        422, "This is no reason for this kind of case", "该事项没有这种事由",
        "Choose one of the reasons that the form offers.",
        "请从表单所列事由中选择。"),
    "id-number-wrong": Problem(
        422, "The ID number is not right", "身份证号码有误",
        "Compare it with the card, digit by digit.",
        "请与身份证逐位核对。"),
    "cert-number-wrong": Problem(
        422, "The certificate number is not right, or another person's", "残疾人证号有误，或不是本人的证号",
        "Compare it with the certificate, digit by digit.",
        "请与残疾人证逐位核对。"),
    "birth-after-application": Problem(
        422, "The birth date lies behind the application", "出生日期晚于申请日期",
        "Check the ID number and the date of the application.",
        "请核对身份证号码和申请日期。"),
    "guardian-missing": Problem(
        422, "A guardian must be named", "须填写监护人",
        "For a minor, and for 智力 or 精神, add the guardian and the proof.",
        "未成年人以及智力、精神类申请须填写监护人并提交证明。"),
    "guardian-is-applicant": Problem(
        422, "The guardian is the applicant", "监护人与申请人为同一人",
        "Enter the guardian's own ID number.",
        "请填写监护人本人的身份证号码。"),
    "category-barred": Problem(
        409, "This category was cancelled less than a year ago", "该类别注销未满一年",
        "Apply again from the day that the page names; a wrong cancellation can be restored.",
        "请在页面所示日期后重新申请；注销有误的可申请恢复。"),
    "renewal-too-early": Problem(
        409, "It is too early to renew the certificate", "未到换领时间",
        "Renew it from the day that the page names.",
        "请自页面所示日期起办理换领。"),
    "certificate-expired": Problem(
        409, "The certificate has run out", "残疾人证已过有效期",
        "Renew it (换领); the new card then has ten years.",
        "请办理换领，新证有效期十年。"),
    "correction-empty": Problem(
        422, "Nothing is to be corrected", "没有需要更正的内容",
        "Enter the right name or the right ID number.",
        "请填写正确的姓名或身份证号码。"),
    "move-in-future": Problem(
        422, "The day of the move lies in the future", "户口迁移日期晚于今天",
        "Enter the day in the household register.",
        "请填写户口簿上的迁移日期。"),
    "move-nowhere": Problem(
        422, "The household register moved within the same office", "户口未迁出本单位辖区",
        "Change the address in the record; no move is needed.",
        "请更改登记地址，无须办理迁移。"),
    "dispute-of-nothing": Problem(
        409, "There is no decision that could be disputed", "没有可以提出异议的决定",
        "Name the case whose assessment is disputed.",
        "请注明对哪一件评定结论有异议。"),
    "dispute-too-late": Problem(
        409, "The ten working days for a dispute have passed", "已超过十个工作日的异议期限",
        "Apply for a change of category or grade instead.",
        "可以申请类别等级变更。"),
    "finding-impossible": Problem(
        422, "Category, grade and components do not fit together", "类别、等级与多重残疾分项不符",
        "A multiple disability has two components or more and the grade of the most severe.",
        "多重残疾须有两个以上分项，等级取最重者。"),
    "standard-not-met": Problem(
        409, "The assessment found no disability of the standard", "评定结论为未达到残疾标准",
        "End the case as not met, or have it assessed again.",
        "请按不予办理办结，或退回重评。"),
    "standard-met": Problem(
        409, "The assessment found that the standard is still met", "评定结论为仍达到残疾标准",
        "Refuse the cancellation, or change category and grade.",
        "请不予注销，或办理类别等级变更。"),
    "nothing-changed": Problem(
        409, "The assessment found the same category and grade", "评定结论与原类别等级相同",
        "Refuse the change; the certificate stays as it is.",
        "请不予变更，原证继续有效。"),
    "person-registered": Problem(
        409, "The registry has this person already", "该人员已在册",
        "Open the person's record and go on from there.",
        "请在该人员档案中办理。"),
    "notice-running": Problem(
        409, "The public notice still runs", "公示期未满",
        "Wait until its last day has passed; an objection until then must be heard.",
        "请待公示期满后办理；期间有异议的须先处理。"),
    "same-person": Problem(
        409, "Two different persons must do this", "此项须由两名不同人员办理",
        "Leave the second step to a colleague.",
        "请由另一位同事办理下一步。"),
    "officer-inactive": Problem(
        409, "The account of the officer who asked for this was closed meanwhile", "发起办理的工作人员账号已停用",
        "Let a colleague ask for what is left.",
        "余下部分请由其他同事重新发起。"),
    # -- registry: files, records, photos ---------------------------------------------------------------------------
    "file-empty": Problem(
        422, "The file holds no rows", "文件中没有数据",
        "Choose the file that your old system exported.",
        "请选择旧系统导出的数据文件。"),
    "file-too-large": Problem(
        413, "The file is larger than an import may be", "文件超过导入上限",
        "Split the file by unit and import the parts.",
        "请按发证单位拆分后分别导入。"),
    "file-not-a-spreadsheet": Problem(
        422, "The file is neither an .xlsx workbook nor a .csv text", "文件不是 .xlsx 工作簿，也不是 .csv 文本",
        "Open it in the program that made it and save it as .xlsx or .csv.",
        "请用原程序打开，另存为 .xlsx 或 .csv 后再导入。"),
    "file-old-excel": Problem(
        422, "The file is an .xls workbook of the old kind", "文件是旧格式 .xls 工作簿",
        "Open it and save it as .xlsx.",
        "请打开后另存为 .xlsx 格式。"),
    "file-encrypted": Problem(
        422, "The file is protected by a password", "文件设有打开密码",
        "Take the password off and import it again.",
        "请取消打开密码后再导入。"),
    "file-truncated": Problem(
        422, "The file ends too early: part of it is missing", "文件不完整，末尾缺失",
        "Copy or export it again.",
        "请重新复制或导出该文件。"),
    "file-damaged": Problem(
        422, "The file is damaged", "文件已损坏",
        "Copy or export it again.",
        "请重新复制或导出该文件。"),
    "file-bomb": Problem(
        422, "The file would unpack to far more than a list of holders", "文件解压后异常庞大，已拒绝读取",
        "Copy the rows alone into a new workbook.",
        "请将数据行复制到新建工作簿后再导入。"),
    "columns-missing": Problem(
        422, "Columns that an import needs are missing", "缺少必需的列",
        "Name the columns as the list of headings says, or export with all columns.",
        "请按表头说明补全列名，或重新导出全部列。"),
    "header-missing": Problem(
        422, "No header row was found at the top of the file", "文件开头没有找到表头",
        "Put the row with the column names above the data.",
        "请在数据上方保留列名一行。"),
    "upload-missing": Problem(
        409, "The uploaded file is no longer there", "上传的文件已不在",
        "Upload it again.",
        "请重新上传。"),
    "archive-unsafe": Problem(
        422, "The archive of photos holds names or sizes that are not allowed", "照片压缩包内含不允许的文件名或大小",
        "Pack the photos alone, each named by the identity number, such as 430….jpg.",
        "请只打包照片，每张以身份证号命名，如 430….jpg。"),
    "certificate-missing": Problem(
        409, "The holder has no valid certificate of the second generation", "持证人没有有效的第二代残疾人证",
        "Look at the holder's history first.",
        "请先查看持证人的历史记录。"),
    "purpose-missing": Problem(
        422, "Say for what purpose you need the full data", "请填写查阅全项的用途",
        "Write the purpose in a few words.",
        "请用几个字写明用途。"),
    # -- letters ---------------------------------------------------------------------------------------------------
    "letter-unknown": Problem(
        422, "No wording of this kind of letter holds here today", "当前地区和日期没有这种文书的文本",
        "Add a file to data/letters, or choose another kind.",
        "请在 data/letters 中补充文本，或改用其他文书。"),
    "letter-slots-wrong": Problem(
        422, "The letter needs other particulars than were given", "文书填空项与要求不符",
        "Give each particular that this kind of letter has, and no other.",
        "请按该文书的要求逐项填写，不要多填。"),
    "letter-text-unfit": Problem(
        422, "A text is empty, too long, or holds what cannot be read", "文字为空、过长，或含不可见字符",
        "Write it shorter, in one line, without special characters.",
        "请缩短为一行，并去掉特殊字符。"),
    "letter-no-way": Problem(
        422, "The person cannot be reached in this way", "该方式无法联系到本人",
        "Add a phone number, or send the letter on paper.",
        "请补充电话号码，或改用纸质文书。"),
    "letter-not-printed": Problem(
        409, "This message is not one for paper or Braille", "该文书不是纸质或盲文文书",
        "Let the platform send it, or write a letter on paper.",
        "请由平台发送，或另写纸质文书。"),
    "letter-nothing-to-print": Problem(
        404, "No letter waits to be printed", "没有待打印的文书",
        "Come back when a letter was written.",
        "有新文书时再来打印。"),
    "letter-press-missing": Problem(
        503, "The program that prints or writes Braille is missing or failed", "打印或盲文程序缺失或出错",
        "Ask the system administrator to run bin/setup.",
        "请系统管理员运行 bin/setup。"),
    # -- papers and portraits that people bring --------------------------------------------------------------------
    "paper-empty": Problem(
        422, "The file is empty", "文件为空",
        "Choose the file again, or scan the paper again.",
        "请重新选择文件，或重新扫描。"),
    "paper-too-large": Problem(
        413, "The file is larger than a paper may be", "文件超过材料大小上限",
        "Scan at 300 dpi, in grey where colour says nothing, or send the pages as several files.",
        "请以 300 dpi 扫描（无需彩色时用灰度），或分成几个文件上传。"),
    "paper-kind-refused": Problem(
        422, "The file is neither a picture nor a PDF", "文件不是图片，也不是 PDF",
        "Scan or photograph the paper and send JPEG, PNG, WebP or PDF; another name does not make another file.",
        "请扫描或拍摄后上传 JPEG、PNG、WebP 或 PDF。以文件内容为准，改名无效。"),
    "paper-damaged": Problem(
        422, "The file is damaged or incomplete", "文件损坏或不完整",
        "Scan the paper again, or print the file to a new PDF.",
        "请重新扫描，或将原文件另行打印为 PDF。"),
    "paper-too-many-pixels": Problem(
        422, "The picture has more than 25 million pixels", "图片超过 2500 万像素",
        "Scan at 300 dpi, or let the camera take smaller pictures.",
        "请以 300 dpi 扫描，或调低相机像素。"),
    "paper-too-long": Problem(
        422, "The PDF has no page, or more pages than a paper may have", "PDF 没有页，或页数超过上限",
        "Send the pages that are asked for, as several files if need be.",
        "请只上传所需页面，必要时分成几个文件。"),
    "paper-encrypted": Problem(
        422, "The PDF is protected by a password", "PDF 设有密码或权限保护",
        "Print it to a new PDF without protection and send that.",
        "请打印为不加保护的 PDF 后上传。"),
    "paper-carries-files": Problem(
        422, "The PDF carries other files or a live form", "PDF 内含其他文件或动态表单",
        "Print it to a new PDF and send that; send each file inside on its own.",
        "请打印为新的 PDF 后上传；其中的附件请单独上传。"),
    "paper-too-heavy": Problem(
        422, "Reading the file takes more memory or time than a paper may", "读取该文件所需内存或时间异常，已停止",
        "Scan the paper again, or print the file to a new PDF.",
        "请重新扫描，或将原文件另行打印为 PDF。"),
    "paper-kind-unknown": Problem(
        422, "There is no such kind of paper", "没有这种材料",
        "Choose one of the kinds of the list.",
        "请从列表中选择材料种类。"),
    "paper-too-many": Problem(
        409, "This record has as many papers as it may have", "材料份数已达上限",
        "Withdraw papers that are no longer needed.",
        "请先撤回不再需要的材料。"),
    "photo-fits": Problem(
        409, "The photo passed its checks: there is nothing to overrule", "照片已通过检查，无需人工通过",
        "Open the record again.",
        "请刷新记录。"),
    "overrule-without-reason": Problem(
        422, "A photo is accepted against its checks for a reason only", "人工通过照片须写明理由",
        "Write the reason in a few words: it stays in the history with the figures.",
        "请用几个字写明理由，理由与各项实测值一并留存。"),
    "photo-too-small": Problem(
        422, "The photo has too few pixels to be printed on a card", "照片像素过少，无法印制",
        "Take or scan the photo again, with at least 300 × 400 pixels.",
        "请重新拍摄或扫描，至少 300 × 400 像素。"),
    "requirements-missing": Problem(
        503, "No file says which papers or photos this area asks for", "没有规定该辖区所需材料或照片标准的文件",
        "Let the operator add a file for the area.",
        "请运维人员补充该辖区的文件。"),
    # -- logging in ------------------------------------------------------------------------------------------------
    "login-wrong": Problem(
        403, "User name and password do not belong together", "用户名或密码不正确",
        "Try again, or ask the system administrator.",
        "请重试，或联系系统管理员。"),
    "login-locked": Problem(
        403, "Too many wrong tries: this login name is locked for 15 minutes", "输错次数过多，该登录名已锁定15分钟",
        "Wait, or ask the system administrator.",
        "请稍候再试，或联系系统管理员。"),
    "password-same": Problem(
        422, "The new password is the old one", "新密码与旧密码相同",
        "Choose another password.",
        "请另设一个密码。"),
    # -- asking over the network -----------------------------------------------------------------------------------
    "login-needed": Problem(
        401, "Log in first", "请先登录",
        "Log in as an officer and ask again.",
        "请以工作人员身份登录后重试。"),
    "request-invalid": Problem(
        400, "The request does not have the form that is described", "请求的格式不符合接口说明",
        "Correct the fields that are named, or see the description of the interface.",
        "请按所列字段更正，或查阅接口说明。"),
    "no-such-address": Problem(
        404, "There is nothing at this address", "该地址不存在",
        "Check the address against the description of the interface.",
        "请对照接口说明核对地址。"),
    "method-not-allowed": Problem(
        405, "This address does not answer to that method", "该地址不支持此请求方法",
        "Use one of the methods named in the header Allow.",
        "请使用 Allow 头所列的方法。"),
    "too-many-requests": Problem(
        429, "Too many requests from this address", "该地址的请求过于频繁",
        "Wait a moment, then try again.",
        "请稍候再试。"),
    "internal-fault": Problem(
        500, "Something went wrong on our side", "系统出现故障",
        "Try again later; if it happens again, tell the operator the reference number.",
        "请稍后重试；如再次出现，请将参考编号告知运维人员。"),
    "own-account": Problem(
        409, "Nobody gives rights to their own person", "不得为本人开户、授权或启停账号",
        "Leave it to another system administrator.",
        "请由另一位系统管理员办理。"),
    "username-taken": Problem(
        409, "This login name is taken", "该登录名已被使用",
        "Choose another login name.",
        "请换一个登录名。"),
    "password-weak": Problem(
        422, "The password is too short or too common", "密码过短或过于常见",
        "Choose at least ten characters that nobody guesses.",
        "请设置不易猜到的密码，至少10位。"),
    "not-an-administrator": Problem(
        409, "Only the first administrators are installed from the command line", "命令行只能初始化管理员账号",
        "Let a system administrator open this account.",
        "请由系统管理员开户。"),
    "administrator-there": Problem(
        409, "The area has an administrator of this kind already", "该辖区已有此类管理员",
        "Let the system administrator there open a further account, and the security administrator permit it.",
        "请由该辖区系统管理员开户、安全管理员授权。"),
    # -- keys ------------------------------------------------------------------------------------------------------
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
    # -- cards -----------------------------------------------------------------------------------------------------
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
    # -- production ------------------------------------------------------------------------------------------------
    "batch-empty": Problem(
        409, "No card of this office and profile waits to be made", "该单位没有待制的卡",
        "Order cards first, or choose another office.",
        "请先订购卡片，或选择其他发证单位。"),
    "batch-all-held": Problem(
        409, "Every card of this batch is held: there is nothing to send", "本批卡片全部暂缓，没有可送制的卡",
        "Cure the cards and release them, then cancel this batch and open another.",
        "请处理暂缓原因并解除暂缓，撤销本批后重新组批。"),
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
    # -- assessment --------------------------------------------------------------------------------------------------
    "form-missing": Problem(
        409, "There is no assessment form for this category here", "本地区没有该类别的评定表",
        "Ask the operator to add the form to the data files.",
        "请由运维人员在数据文件中补充评定表。"),
    "born-later": Problem(
        422, "The birth date lies behind the day of the assessment", "出生日期晚于评定日期",
        "Check the birth date and the day.",
        "请核对出生日期和评定日期。"),
    "form-incomplete": Problem(
        422, "The assessment form is not complete", "评定表填写不完整",
        "Fill in every field that is not marked as optional.",
        "请填写所有必填项。"),
    "form-value": Problem(
        422, "A value in the assessment form cannot be right", "评定表中有填写不正确的项目",
        "Look at the field that the page names: its range, its decimals, its reason.",
        "请核对页面所示项目的范围、小数位数或理由。"),
    "form-contradicts": Problem(
        422, "The chosen criteria do not fit how independent daily life is", "所选情形与日常生活活动能力不符",
        "Choose criteria of the grade whose heading holds, or another heading.",
        "请选择与日常生活活动能力相应等级的情形。"),
    "components-missing": Problem(
        422, "A multiple disability has at least two different parts", "多重残疾须有两个以上不同类别",
        "Assess two or more categories, each once.",
        "请对两个以上类别分别评定。"),
    "institution-known": Problem(
        409, "There is an institution of this name in this area", "本地区已有同名评定机构",
        "Open its record.",
        "请打开已有记录。"),
    "institution-not-valid": Problem(
        409, "The institution is not designated for this day or these categories", "该机构在该日或该类别无评定资格",
        "Choose another day, other categories, or another institution.",
        "请选择其他日期、类别或机构。"),
    "assessor-unfit": Problem(
        409, "This account cannot be licensed here", "该账号不能在此机构取得评定资格",
        "It must be an active assessor's account of the institution's area or of one above.",
        "须为启用的评定医生账号，且其辖区包含该机构所在地区。"),
    "licence-known": Problem(
        409, "This doctor has a licence at this institution", "该医生在此机构已有评定资格",
        "Revoke it first if categories or dates have changed.",
        "类别或期限有变化的，请先取消原资格。"),
    "licence-missing": Problem(
        403, "You have no licence for this category here and today", "您今日在该机构无此类别的评定资格",
        "Leave it to a licensed colleague.",
        "请由具备资格的医生评定。"),
    "session-past": Problem(
        409, "The day of assessments is over or not open", "该评定日已过或未开放",
        "Choose another day.",
        "请选择其他评定日。"),
    "session-full": Problem(
        409, "The day of assessments has no free place", "该评定日已约满",
        "Choose another day.",
        "请选择其他评定日。"),
    "session-elsewhere": Problem(
        409, "The day of assessments does not serve this office or this category", "该评定日不受理本地区或该类别",
        "Choose a day from the list of free ones.",
        "请从可预约的评定日中选择。"),
    "session-booked": Problem(
        409, "Somebody has an appointment on this day", "该评定日已有预约",
        "Give each of them another day first.",
        "请先为已预约人员改约。"),
    "session-not-begun": Problem(
        409, "The day of assessments has not come", "评定日未到",
        "Wait for the day, or book an earlier one.",
        "请在评定日当天办理，或改约较早日期。"),
    "appointment-open": Problem(
        409, "The case has an appointment", "该事项已有预约",
        "Cancel it or change it to another day.",
        "请取消原预约或改约。"),
    "assessor-is-applicant": Problem(
        409, "Nobody assesses themselves", "不得为本人评定",
        "Leave it to another doctor.",
        "请由其他医生评定。"),
    "assessor-conflict": Problem(
        409, "A conflict of interest was declared", "应当回避",
        "Leave it to another doctor.",
        "请由其他医生评定。"),
    "assessor-again": Problem(
        409, "In a dispute nobody assesses the same person again", "异议复评不得由原评定医生参加",
        "Leave it to a doctor who has not assessed this person.",
        "请由未参加过该人员评定的医生评定。"),
    "conflict-known": Problem(
        409, "This conflict was declared before", "该回避情形已申报",
        "Nothing more is to be done.",
        "无须重复申报。"),
    # -- the command line ------------------------------------------------------------------------------------------
    "unit-unknown": Problem(
        404, "There is no issuing unit with this code", "没有该代码的发证单位",
        "Begin the file's name with the unit's six digits, or name the unit.",
        "请以发证单位六位代码作为文件名开头，或另行指定单位。"),
    "scale-unfit": Problem(
        400, "The scale is a number above 0 and at most 1, or `full`", "比例应大于0且不超过1，或为 full",
        "Try 0.01.",
        "可用 0.01。"),
    "maker-failed": Problem(
        502, "The card maker's program failed", "制卡程序运行失败",
        "Read what it said, mend it and run the step again: nothing is made twice.",
        "请按提示排除故障后重新运行，不会重复制卡。"),
    "lost-card-accepted": Problem(
        500, "A card that was reported lost was not refused", "已挂失的卡未被拒绝",
        "Stop, and report this to the maintainers at once.",
        "请停止使用并立即报告维护人员。"),
    "table-does-not-add-up": Problem(
        500, "The closing table does not add up", "收尾表数目不平",
        "Look for the line marked ✗, and report it to the maintainers.",
        "请查看标有 ✗ 的一行并报告维护人员。"),
    "home-not-empty": Problem(
        409, "The home already holds an installation", "目标目录已有数据",
        "Restore into an empty home.",
        "请恢复到空目录。"),
    "backup-unreadable": Problem(
        400, "This is no backup of the platform", "该文件不是本平台的备份",
        "Choose a file that `zhengka backup` wrote.",
        "请选择由 zhengka backup 生成的文件。"),
    "bundle-missing": Problem(
        404, "There are no public keys in this folder", "该目录没有公钥文件",
        "Fetch keys.json and the status lists first.",
        "请先取得 keys.json 和状态表。"),
    "picture-unreadable": Problem(
        400, "This picture cannot be read", "图片无法读取",
        "Take the photo again as PNG or JPEG.",
        "请重新拍摄，保存为 PNG 或 JPEG。"),
    "picture-without-code": Problem(
        404, "No QR code was found in this picture", "图片中未发现二维码",
        "Go nearer, avoid glare, and keep the whole code in the picture.",
        "请靠近拍摄、避免反光，并使二维码完整入镜。"),
}


class Refusal(Exception):
    """A named "no". `code` is a key of `PROBLEMS`; `facts` say what was met (never personal data in clear)."""

    def __init__(self, code: str, **facts: Any) -> None:
        """Raise with a code of the table; an unknown code is a bug and fails at once."""
        self.problem = PROBLEMS[code]
        self.code = code
        self.facts = facts
        super().__init__(code)

    def __str__(self) -> str:
        """One line for a terminal or log: title, facts, code."""
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.problem.title}" + (f" ({facts})" if facts else "") + f" [{self.code}]"
