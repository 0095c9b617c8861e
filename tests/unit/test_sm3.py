"""SM3 and HMAC-SM3 against the standard and against OpenSSL's own program."""

import json
from pathlib import Path

import pytest

from zhengka.formats import sm3

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sm3.json").read_text())


@pytest.mark.parametrize("case", VECTORS["digest"]["cases"])
def test_the_digest_is_that_of_the_standard(case: dict[str, str]) -> None:
    assert sm3.digest(bytes.fromhex(case["message"])) == bytes.fromhex(case["digest"])


@pytest.mark.parametrize("case", VECTORS["hmac"]["cases"])
def test_hmac_is_the_same_alone_and_in_bulk(case: dict[str, str]) -> None:
    key, message = bytes.fromhex(case["key"]), bytes.fromhex(case["message"])
    expected = bytes.fromhex(case["mac"])
    assert sm3.hmac(key, message) == expected
    assert sm3.hmac_many(key, [message, b"another", message])[::2] == [expected, expected]
