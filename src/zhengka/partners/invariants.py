"""What must never break about partners, as queries that find nothing."""

from typing import Final

from zhengka.core.invariants import Check

CHECKS: Final = (
    Check("I6", "partners-by-two", "No client has access that one person gave alone", "任何接入均由两人办理", """
        SELECT 'partner ' || id FROM partners_partner
        WHERE asked_by = permitted_by OR state IN ('active', 'stopped') AND permitted_by = ''"""),
    Check("I17", "answers-whole", "Every answer under an Idempotency-Key is whole", "幂等键下的答复均完整", """
        SELECT 'answer ' || id FROM partners_answered WHERE answer IS NULL"""),
    Check("I17", "deliveries-end", "No delivery goes on beyond its last try", "推送不超过重试上限", """
        SELECT 'delivery ' || id FROM partners_delivery WHERE next_at IS NOT NULL AND tries > 10"""),
)
