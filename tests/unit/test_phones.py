"""Phone numbers as people write them."""

import pytest

from zhengka.formats.phones import normalised


@pytest.mark.parametrize(("said", "kept"), [
    ("13900000001", "13900000001"), (" 139 0000 0001 ", "13900000001"), ("139-0000-0001", "13900000001"),
    ("+86 13900000001", "13900000001"), ("008613900000001", "13900000001"),
    ("0731-88888888", "073188888888"), ("(010) 66580000", "01066580000"), ("88888888", "88888888"),
    ("0731-88888888-801", "073188888888-801"), ("0731 88888888 转 801", "073188888888-801"),
    ("073188888888 ext. 12", "073188888888-12"), ("400-810-0000", "4008100000")])
def test_a_mobile_phone_a_landline_and_its_extension_are_kept_in_one_way(said, kept):
    assert normalised(said) == normalised(kept) == kept


@pytest.mark.parametrize("said", ["abc", "", "1", "123456", "12900000001", "1390000000", "139000000012",
                                  "13900000001转8", "1390000000a", "0731-8888", "无", "１３９００００００"])
def test_what_is_no_number_is_none(said):
    assert normalised(said) == ""
