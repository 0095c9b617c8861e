"""Problems of operators' programs that ask us, and of what they are told."""

from zhengka.core.errors.problem import Problem

PROBLEMS: dict[str, Problem] = {
    # -- officers, about clients ---------------------------------------------------------------------------------------
    "secret-not-there": Problem(
        409, "There is no older secret that still goes on", "没有仍在使用的旧密钥",
        "To end the only secret, make a new one first, or stop the client.",
        "如需作废唯一的密钥，请先换发新密钥，或停止该接入。"),
    "partner-not-active": Problem(
        409, "This client is not permitted, or was stopped", "该接入尚未准许或已停止",
        "Let the security administrator permit it first.", "请先由安全管理员准许。"),
    "webhook-url-wrong": Problem(
        422, "This address is none to which anything is sent", "不能向该地址推送",
        "Give an address that begins with https://, of a host on the public network, without a user name or password.",
        "请填写以 https:// 开头的公网地址，不得含用户名或口令。"),
    "webhook-known": Problem(
        409, "The client is told at this address already", "该接入已订阅此地址",
        "End the subscription that is there, then enter the new one.", "请先退订原有订阅，再重新登记。"),
    "delivery-not-given-up": Problem(
        409, "Only what was given up is sent again by hand", "只有已放弃的推送可以人工重发",
        "Wait: the next try comes by itself.", "请稍候，系统会自动重试。"),
    "not-a-sandbox": Problem(
        409, "This site is no sandbox", "本站点不是沙箱",
        "Use a demo site of its own (ZHENGKA_DEMO=1 and a home of its own); never a real register.",
        "请另设演示站点（ZHENGKA_DEMO=1，并使用独立目录），不得使用正式数据。"),
    "sandbox-without-cards": Problem(
        409, "The demo site has no activated card of this region yet", "演示站点尚无本地已激活的证卡",
        "Run `zhengka demo` first.", "请先运行 zhengka demo。"),
    "sandbox-folder-used": Problem(
        409, "The folder of a new sandbox holds files", "新沙箱的目录不是空的",
        "Name a folder that is empty or not there.", "请指定空目录或尚不存在的目录。"),
    "card-not-accepted": Problem(
        422, "The card gives nothing here now", "此卡在此处暂不享受优惠",
        "Show the holder the words of `partner/verify`; issue no voucher.", "请按核验结果的文字告知，不发放凭证。"),
    "voucher-not-given": Problem(
        409, "No voucher is given by this rule: the card itself lets pass", "该优惠不发放凭证，凭证卡即可通过",
        "Count the visit at the gate instead.", "请在闸机直接计次。"),
    # -- the programs themselves ---------------------------------------------------------------------------------------
    "client-wrong": Problem(
        401, "Client and secret do not belong together, or the client has no access",
        "客户端标识与密钥不符，或未获准接入",
        "Check both; a secret ends some days after a newer one was made.",
        "请核对两者；换发新密钥后，旧密钥数日内失效。"),
    "token-request-wrong": Problem(
        400, "The request for a token does not have the form that is described", "申请令牌的请求格式不正确",
        "Send a form (application/x-www-form-urlencoded) with grant_type, and nothing twice.",
        "请以表单（application/x-www-form-urlencoded）发送 grant_type，且每个参数只出现一次。"),
    "grant-unknown": Problem(
        400, "Only client credentials are taken here", "此处只支持客户端凭证方式",
        "Send grant_type=client_credentials.", "请发送 grant_type=client_credentials。"),
    "scope-unknown": Problem(
        400, "The client does not have a scope that it asks for", "该客户端没有所请求的授权范围",
        "Ask for fewer scopes, or let the office enter a client that has them.",
        "请减少所请求的范围，或由主管单位登记具有该范围的接入。"),
    "token-missing": Problem(
        401, "A token is needed", "须提供访问令牌",
        "Ask for a token with the client's secret, and send it as Authorization: Bearer.",
        "请用客户端密钥申请令牌，并以 Authorization: Bearer 头发送。"),
    "token-wrong": Problem(
        401, "The token is none of ours, or it has ended", "访问令牌无效或已过期",
        "Ask for a new token with the client's secret.", "请用客户端密钥重新申请令牌。"),
    "scope-missing": Problem(
        403, "The token does not include this scope", "访问令牌不含此授权范围",
        "Ask for a token with the scope that is named.", "请申请包含所列范围的令牌。"),
    "idempotency-key-missing": Problem(
        400, "The header Idempotency-Key is missing or unfit", "缺少 Idempotency-Key 头，或格式不符",
        "Send 8 to 100 printable characters, new for each act and the same for its repeats.",
        "请发送8至100个可见字符：每次办理用新值，重试时用原值。"),
    "idempotency-key-reused": Problem(
        422, "This Idempotency-Key was used for another request", "该幂等键已用于另一请求",
        "Choose a new key for a new act.", "新的办理请使用新的幂等键。"),
}
