"""Roles (岗位) and what each may do. System, security and audit administrators hold no business permission
(三员分立, GB/T 22239-2019 level 3).
"""

OWN = frozenset({"account.own"})
"""What every role includes: to log in and out, and to look after one's own account."""

_ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "clerk": ("经办", frozenset({
        "holder.read", "import.run", "case.read", "case.open", "case.confirm", "card.read", "card.hand_over",
        "card.activate", "card.suspend", "card.restore", "batch.read", "letter.read", "letter.send", "plan.read",
        "assessment.plan", "device.read", "device.use", "stock.read", "stock.keep", "stock.use",
        "custody.read", "custody.keep", "gate.read", "gate.manage", "settlement.make"})),
    "reviewer": ("审核", frozenset({
        "holder.read", "case.read", "case.review", "card.read", "letter.read", "letter.send", "plan.read",
        "assessment.read", "gate.read"})),
    "approver": ("批准", frozenset({
        "holder.read", "case.read", "case.approve", "card.read", "letter.read", "letter.send", "plan.read",
        "assessment.read", "assessment.designate", "assessment.figures", "stock.read", "stock.confirm",
        "issuing.stop", "issuing.resume", "custody.read", "custody.confirm", "list.release", "gate.read",
        "settlement.confirm"})),
    "assessor": ("评定医生", frozenset({"case.read", "case.assess", "assessment.read"})),
    "producer": ("制卡", frozenset({
        "card.read", "card.order", "batch.read", "batch.make", "batch.send", "batch.receive", "plan.read",
        "device.read", "device.use", "stock.read", "stock.keep", "stock.use", "stock.confirm", "issuing.stop",
        "custody.read", "custody.keep", "custody.confirm"})),
    "leader": ("领导", frozenset({
        "plan.read", "assessment.figures", "issuing.stop", "issuing.resume", "list.release", "gate.read"})),
    "system": ("系统管理员", frozenset({"system.read", "officer.manage", "device.read", "device.manage"})),
    "security": ("安全管理员", frozenset({"key.manage", "officer.permit", "device.read", "device.keys"})),
    "audit": ("审计管理员", frozenset({"audit.read"})),
    "custodian": ("密钥保管员", frozenset({"key.custody"})),
}

ROLES = {role: (zh, held | OWN) for role, (zh, held) in _ROLES.items()}
"""role → (Chinese name, permissions)."""

ADMINISTRATORS = frozenset({"system", "security", "audit"})
LENDABLE = frozenset(ROLES) - ADMINISTRATORS - {"assessor", "custodian"}
"""Roles that may be lent for some days (委托), to officers who have another of them: administrators and the others keep
apart (三员分立), a doctor's right is a licence of their own, and a custodian's component is in their own hand alone.
"""
PERMISSIONS = frozenset(permission for _, held in ROLES.values() for permission in held)
