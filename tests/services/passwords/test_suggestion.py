"""The password that is offered instead of a refused one."""

from __future__ import annotations

import pytest

from medonline.domain.passwords import PasswordCharacters, PasswordPolicy
from medonline.services.passwords.suggestion import LENGTH, suggested_password


@pytest.mark.parametrize("characters", PasswordCharacters)
@pytest.mark.parametrize("min_length", [6, 8, 64])
def test_it_fits_every_policy_and_is_never_the_same(characters: PasswordCharacters, min_length: int) -> None:
    made = {suggested_password(min_length) for _ in range(50)}

    assert len(made) == 50
    for password in made:
        assert PasswordPolicy(min_length, characters).check(password) == password
        assert len(password) == max(LENGTH, min_length)
        assert any(map(str.islower, password))
        assert any(map(str.isupper, password))
        assert any(map(str.isdigit, password))
        assert not set(password) & set("0Oo1lI")
