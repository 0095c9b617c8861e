"""Problems with what people bring: files, records, photos, papers, letters."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    # -- registry: files, records, photos ------------------------------------------------------------------------------
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
    "file-too-wide": Problem(
        422, "The file has more columns than a list of holders", "文件的列数远多于持证人名单",
        "Delete the empty columns to the right of the list, save, and import it again.",
        "请删除名单右侧的空列，保存后重新导入。"),
    "columns-missing": Problem(
        422, "Columns that an import needs are missing", "缺少必需的列",
        "Name the missing columns in the header row, or export with all columns.",
        "请在表头补全所列缺少的列名，或重新导出全部列。"),
    "header-missing": Problem(
        422, "No header row was found at the top of the file", "文件开头没有找到表头",
        "Put the row with the column names above the data, or fill in the template of the import page.",
        "请在数据上方保留列名一行，或使用导入页面的模板填写。"),
    "upload-missing": Problem(
        409, "The uploaded file is no longer there", "上传的文件已不在",
        "Upload it again.",
        "请重新上传。"),
    "archive-unsafe": Problem(
        422, "The archive of photos holds names or sizes that are not allowed", "照片压缩包内含不允许的文件名或大小",
        "Pack the photos alone, each named by the identity number, such as 430….jpg.",
        "请只打包照片，每张以身份证号命名，如 430….jpg。"),
    "certificate-missing": Problem(
        409, "The holder has no certificate that this could be about", "持证人没有可办理此事项的残疾人证",
        "Look at the holder's history first.",
        "请先查看持证人的历史记录。"),
    "certificate-ended": Problem(
        409, "The holder's certificate was cancelled", "持证人的残疾人证已注销",
        "Was it cancelled wrongly? Open its restoration. Else the person may apply anew once the bar has ended.",
        "如系误注销，请办理恢复；否则待限制期满后可重新申领。"),
    "certificate-not-frozen": Problem(
        409, "The holder's certificate is not frozen", "持证人的残疾人证未被冻结",
        "There is nothing to lift.",
        "无须解冻。"),
    "phone-wrong": Problem(
        422, "This is not a phone number", "电话号码填写不正确",
        "Write a mobile number of 11 digits, or a landline such as 0731-88888888, with its extension if there is one.",
        "请填写 11 位手机号，或如 0731-88888888 的固定电话，有分机的写在后面。"),
    "guardian-phone-wrong": Problem(
        422, "The guardian's phone is not a phone number", "监护人的电话号码填写不正确",
        "Write a mobile number of 11 digits, or a landline such as 0731-88888888, with its extension if there is one.",
        "请填写 11 位手机号，或如 0731-88888888 的固定电话，有分机的写在后面。"),
    "purpose-missing": Problem(
        422, "Say for what purpose you need the full data", "请填写查阅全项的用途",
        "Write the purpose in a few words.",
        "请用几个字写明用途。"),
    # -- papers and portraits that people bring ------------------------------------------------------------------------
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
    # -- letters -------------------------------------------------------------------------------------------------------
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
    "wish-unknown": Problem(
        422, "No letter can be written in this way", "没有这种告知方式",
        "Choose from paper, very large type, Braille and English.",
        "请在纸质、大字、盲文、英文中选择。"),
    "letter-no-way": Problem(
        422, "The person cannot be reached in this way", "该方式无法联系到本人",
        "Add a phone number or an address, or tell the person in another way.",
        "请补充电话号码或地址，或用其他方式告知本人。"),
    "letter-not-asked": Problem(
        409, "It was done without letters, so nobody was written to", "办理时没有发文书，尚未告知本人",
        "Invite those not yet written to, on the page of the exchange.",
        "请在“启动换发”页面通知尚未告知的持证人。"),
    "report-signature-wrong": Problem(
        401, "The report is not signed by the provider's secret, or too long ago", "状态报告的签名不正确或已过期",
        "Sign the time, a dot and the body with the shared secret, by a clock that is right.",
        "请用共享密钥对时间、点号和正文签名，并核对时钟。"),
    "portal-signature-wrong": Problem(
        401, "The request is not signed by the portal's secret, or too long ago", "网上办理请求的签名不正确或已过期",
        "Sign the time, a dot and the body with the shared secret, by a clock that is right.",
        "请用共享密钥对时间、点号和正文签名，并核对时钟。"),
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
}
