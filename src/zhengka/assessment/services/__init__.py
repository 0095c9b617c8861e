"""What is done about assessments (残疾评定): institutions, licences and days (`places`), appointments (`booking`),
what is filled in and not signed (`drafts`), and signatures (`signing`).
"""

from zhengka.assessment.persons import Person
from zhengka.assessment.routes import Point
from zhengka.assessment.services.booking import (
    Wanted,
    book,
    call_off_appointment,
    cancel,
    declare_conflict,
    miss,
    rebook,
    starts,
    take_route,
)
from zhengka.assessment.services.drafts import draft_of, keep_draft
from zhengka.assessment.services.places import (
    Day,
    Designation,
    Licensing,
    call_off,
    end_designation,
    license_assessor,
    open_session,
    register_institution,
    revoke_licence,
)
from zhengka.assessment.services.signing import Signed, check_doctor, concluded, countersign, read_in_full, record

__all__ = [
    "Day",
    "Designation",
    "Licensing",
    "Person",
    "Point",
    "Signed",
    "Wanted",
    "book",
    "call_off",
    "call_off_appointment",
    "cancel",
    "check_doctor",
    "concluded",
    "countersign",
    "declare_conflict",
    "draft_of",
    "end_designation",
    "keep_draft",
    "license_assessor",
    "miss",
    "open_session",
    "read_in_full",
    "rebook",
    "record",
    "register_institution",
    "revoke_licence",
    "starts",
    "take_route",
]
