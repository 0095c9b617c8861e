"""A name of any length and make: it stands whole inside its slot, or is refused."""

from hypothesis import given, settings
from hypothesis import strategies as st

from zhengka.production import faces
from zhengka.production.faces.fitting import fit
from zhengka.production.faces.layout import POINT

COMMON = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
RARE = st.sampled_from("𠮷㛃䶮〇𪚥")
NAMES = st.lists(st.one_of(COMMON, RARE, st.just("·")), min_size=1, max_size=64).map("".join)


@settings(deadline=None, max_examples=150)
@given(NAMES)
def test_a_name_of_up_to_64_characters_is_never_cut_and_never_leaves_its_slot(name):
    slot = next(s for s in faces.layout_for("disability-placeholder").front.slots if s.name == "name")
    lines = fit(faces.fonts(), slot, name)
    assert "".join(line.text for line in lines) == name
    assert len(lines) <= slot.lines and all(slot.min_size <= line.size <= slot.size for line in lines)
    assert all(line.width <= slot.width + 1e-6 and line.x == slot.x for line in lines)
    assert (lines[-1].y - lines[0].y) + lines[0].size * POINT <= slot.height + 1e-6
