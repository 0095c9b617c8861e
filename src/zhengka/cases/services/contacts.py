"""What people said at the counter of how they are reached goes into the record, once what they ask for is granted."""

from collections.abc import Sequence

from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services.moving import part
from zhengka.cases.services.opening import told
from zhengka.registry import services as registry
from zhengka.registry.services import Contacts


def keep_contacts(cases: Sequence[Case], asked: Asked) -> None:
    """Keep in the records what was said in these cases, by one statement. An application needs none of it: with it the
    record is made, or taken up.
    """
    said = {case.holder_id: contacts for case in cases if case.holder_id and (contacts := said_in(case)) != Contacts()}
    if said:
        registry.keep_contacts(said, **vars(part(asked, "contacts")))


def said_in(case: Case) -> Contacts:
    """What the person of a case that is about a record said at another office's counter, and the guardian who was named
    since and whom the record does not have yet.

    An arrival is told what the record said when it left: only what was said where it came to is news. A dispute is told
    what the disputed case was, which has had its end.
    """
    known = told(case) if case.told else {}
    said = known.get("said", {}).get("person") if "from" in known else known.get("met")
    if case.disputes_id or not said:
        said = {}
    if "guardian" in known and known.get("waits", "met" in known):
        said = said | {"guardian_name": known["guardian"]["name"], "guardian_phone": known["guardian"]["phone"]}
    return Contacts(**{name: said.get(name, "") for name in Contacts.__dataclass_fields__})
