"""The API describes itself: OpenAPI 3.1, with the problems that each route may answer by."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Router

from zhengka.api.access import public
from zhengka.api.problems import MEDIA_TYPE, Fault, OAuthProblemOut, ProblemOut
from zhengka.core.errors import PROBLEMS

PREFIX = "/api/v1/"
BODY = ("request-invalid",)
OFFICER = ("login-needed", "not-permitted")
PARTNER = ("token-missing", "token-wrong", "scope-missing", "too-many-requests")
ALWAYS = ("internal-fault",)


def router_for(api: NinjaAPI) -> Router:
    """The route that serves the description of `api`."""
    router = Router()

    @router.get("/openapi.json", auth=public, include_in_schema=False, url_name="openapi")
    def openapi(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - ninja's signature
        """This description."""
        answer = JsonResponse(describe(api), json_dumps_params={"ensure_ascii": False, "indent": 1})
        answer.headers["Cache-Control"] = "public, max-age=300"
        return answer

    return router


def describe(api: NinjaAPI) -> dict[str, Any]:
    """The description: what ninja says, and the problems of every route."""
    told = dict(api.get_openapi_schema(path_prefix=PREFIX))
    schemas = told["components"].setdefault("schemas", {})
    for model in (Fault, ProblemOut, OAuthProblemOut):
        schemas[model.__name__] = {k: v for k, v in model.json_schema().items() if k != "$defs"}
    told["components"].setdefault("securitySchemes", {})["ClientSecret"] = {"type": "http", "scheme": "basic"}
    schemas["ProblemOut"]["properties"]["errors"]["items"] = {"$ref": "#/components/schemas/Fault"}
    for methods in told["paths"].values():
        for operation in methods.values():
            _with_problems(operation)
    if not told["servers"]:
        del told["servers"]
    return told


def _with_problems(operation: dict[str, Any]) -> None:
    oauth = operation.pop("x-oauth-problems", ())
    codes = [*ALWAYS, *operation.pop("x-problems", ())]
    if ("requestBody" in operation and not oauth) or operation.get("parameters"):
        codes += BODY
    if any("PartnerToken" in way for way in operation.get("security", ())):
        codes += PARTNER
    if any("OfficerSession" in way for way in operation.get("security", ())):
        codes += OFFICER
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
    for status, names in sorted(by_status.items()):
        operation["responses"][str(status)] = {
            "description": "; ".join(f"{name}: {PROBLEMS[name].title}" for name in names),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}}
    for status in {PROBLEMS[code].status for code in oauth}:
        named = [code for code in oauth if PROBLEMS[code].status == status]
        operation["responses"][str(status)] = {
            "description": "; ".join(f"{name}: {PROBLEMS[name].title}" for name in named),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OAuthProblemOut"}}}}
