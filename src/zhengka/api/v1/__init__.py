"""Version 1 of the API. What is here stays; what changes its meaning becomes version 2."""

from typing import Any

from ninja import NinjaAPI

from zhengka.api.problems import handle
from zhengka.api.v1.activations import router as activations
from zhengka.api.v1.cards import router as cards
from zhengka.api.v1.description import describe, router_for
from zhengka.api.v1.gate import router as gate
from zhengka.api.v1.letters import router as letters
from zhengka.api.v1.oauth import router as oauth
from zhengka.api.v1.partner_feed import router as partner_feed
from zhengka.api.v1.partner_statements import router as partner_statements
from zhengka.api.v1.partner_verify import router as partner_verify
from zhengka.api.v1.partner_vouchers import router as partner_vouchers
from zhengka.api.v1.status_lists import router as status_lists
from zhengka.api.v1.verify import router as verify

api = NinjaAPI(
    title="zhengka 证卡", version="1", openapi_url=None, docs_url=None, urls_namespace="api-v1",
    description="Verify smart disability certificate cards (第三代智能化残疾人证) and ask for their state. "
                "Every refusal is an application/problem+json (RFC 9457) with a stable code. "
                "Each call may be repeated; those that issue, redeem or cancel a voucher need an Idempotency-Key.")
handle(api)
for name, router in (("Verify", verify), ("Cards", cards), ("Activations", activations),
                     ("Status lists", status_lists), ("Letters", letters), ("Gates", gate), ("Partners", oauth),
                     ("Partners", partner_verify), ("Partners", partner_vouchers), ("Partners", partner_feed),
                     ("Partners", partner_statements)):
    api.add_router("", router, tags=[name])
api.add_router("", router_for(api))


def schema() -> dict[str, Any]:
    """The OpenAPI 3.1 description of this version, the same that /api/v1/openapi.json serves."""
    return describe(api)
