"""Card makers (制卡单位) that we trust: a name and a public key."""

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats.suites import PublicKey
from zhengka.production.models import Maker


@transaction.atomic
def enrol_maker(name: str, public: PublicKey, *, by: Actor, camera: bool = False, pictures: str = "",
                ) -> Maker:
    """Take a card maker's public key; `camera`: it looks at every finished card (成品检测), so that a card
    at which nobody looked is not taken from it. A repeat changes nothing but to add the camera: what a gate asks for is
    never taken away in passing. `pictures`: a word of `workflow.PLATES`, for one that prints from pictures.

    `Refusal`: `not-permitted`, and `maker-key-differs` where the name has another key: a key is never replaced in
    passing, for whoever does that reads every package.
    """
    if not by.may("key.manage"):
        raise Refusal("not-permitted", permission="key.manage")
    maker, _ = Maker.objects.get_or_create(name=name, defaults={
        "suite": public.suite, "public": public.point, "camera": camera, "pictures": pictures})
    if (maker.suite, bytes(maker.public)) != (public.suite, public.point):
        raise Refusal("maker-key-differs", maker=name)
    if (camera and not maker.camera) or (pictures and maker.pictures != pictures):
        maker.camera, maker.pictures = camera or maker.camera, pictures or maker.pictures
        maker.save(update_fields=["camera", "pictures"])
    return maker
