"""Problems that anyone may meet, logging in, over the network, at the command line."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    # -- anyone, anywhere ----------------------------------------------------------------------------------------------
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
    "reason-missing": Problem(
        422, "This step needs a reason", "办理这一步须写明理由",
        "Write in a sentence why; the person may read it.",
        "请用一句话写明理由，当事人可以看到。"),
    "source-missing": Problem(
        422, "A second source is needed", "须有第二来源核实",
        "Choose the source, and enter its list number, or the day and time of the call or visit.",
        "请选择核实来源，并填写名单编号，或通话、上门的日期和时间。"),
    "reference-wrong": Problem(
        422, "A list number, or a day and time, is wanted", "须填名单编号，或日期和时间",
        "Use letters, digits and - . / : only, such as 2026-118 or 2026-11-26 13:05; never a name, a phone number or "
        "an ID number.",
        "只能用字母、数字和 - . / : ，如 2026-118 或 2026-11-26 13:05；不得填写姓名、电话号码或身份证号。"),
    "same-person": Problem(
        409, "Two different persons must do this", "此项须由两名不同人员办理",
        "Leave the second step to a colleague.",
        "请由另一位同事办理下一步。"),
    "roles-apart": Problem(
        409, "This person has a role that excludes this one", "此人已有与该岗位互斥的岗位",
        "Give the role to somebody else, or close the other account first: administrators decide nothing else.",
        "请改由他人任此岗，或先停用其另一账号：三员不得兼任其他岗位。"),
    "officer-inactive": Problem(
        409, "The account of the officer who asked for this was closed meanwhile", "发起办理的工作人员账号已停用",
        "Let a colleague ask for what is left.",
        "余下部分请由其他同事重新发起。"),
    # -- logging in ----------------------------------------------------------------------------------------------------
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
    # -- asking over the network ---------------------------------------------------------------------------------------
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
    # -- the command line ----------------------------------------------------------------------------------------------
    "unit-not-listed": Problem(
        404, "No issuing unit has this code, or none of this phase is in the plan", "没有该代码或该阶段的发证单位",
        "`zhengka plan show` lists the units with their phases; where it lists none, run `zhengka plan load` first.",
        "请用 zhengka plan show 查看各单位代码和阶段；列表为空时请先运行 zhengka plan load。"),
    "card-state-unknown": Problem(
        400, "Cards have no such state", "没有这种证卡状态",
        "Name one of the states that are listed.",
        "请从所列状态中选择。"),
    "file-unwritable": Problem(
        400, "The file cannot be written there", "无法写入该文件",
        "Name a file in a folder that exists and in which you may write.",
        "请指定已存在且有写入权限的文件夹中的文件。"),
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
    "invariant-broken": Problem(
        500, "Something that must never break is broken", "有不变量不成立",
        "The rows are named above, and by zhengka check-invariants. Stop, and report them to the maintainers.",
        "上文（及 zhengka check-invariants）已列出有关记录。请停止使用并报告维护人员。"),
    "table-does-not-add-up": Problem(
        500, "The closing table does not add up", "收尾表数目不平",
        "Look for the line marked ✗, and report it to the maintainers.",
        "请查看标有 ✗ 的一行并报告维护人员。"),
    "address-in-use": Problem(
        409, "Another program listens at the site's address", "网站地址已被其他程序占用",
        "End that program, such as an earlier `make run`, or choose another address with ZHENGKA_BIND.",
        "请先结束占用该地址的程序（例如先前的 make run），或用 ZHENGKA_BIND 另设地址。"),
    "home-not-empty": Problem(
        409, "The home already holds an installation", "目标目录已有数据",
        "Restore into an empty home.",
        "请恢复到空目录。"),
    "backup-unreadable": Problem(
        400, "This is no backup of the platform", "该文件不是本平台的备份",
        "Choose a file that `zhengka backup` wrote.",
        "请选择由 zhengka backup 生成的文件。"),
    "bundle-address": Problem(
        400, "This is not the address of a web server", "这不是网站地址",
        "Give the address of the folder with the bundle, such as https://HOST/bundle.",
        "请给出离线包所在目录的网址，例如 https://HOST/bundle。"),
    "bundle-refused": Problem(
        502, "The bundle there cannot be trusted", "该离线包不可信",
        "Nothing was taken. Fetch again; if it stays so, tell the issuing office: what you hold stays good.",
        "未采用任何文件。请稍后重新获取；如仍出现，请告知发证机构。现有的离线包继续有效。"),
    "bundle-unreachable": Problem(
        502, "The web server with the bundle cannot be reached", "无法连接离线包所在的网站",
        "Look at the address and the network, and try again. What you hold stays good until it is too old.",
        "请检查网址和网络后重试。现有的离线包在过期前继续有效。"),
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
