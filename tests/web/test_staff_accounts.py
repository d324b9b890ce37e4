"""What protects staff accounts, below the routes."""

import argon2
import pytest

from kiosk.web.staff_passwords import hash_of_nobody


def test_a_name_without_an_account_costs_a_whole_check():
    hasher = argon2.PasswordHasher()
    stored, real = hash_of_nobody(hasher), hasher.hash("một mật khẩu thật dài")
    assert argon2.extract_parameters(stored) == argon2.extract_parameters(real)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):  # computed and compared, not refused at sight
        hasher.verify(stored, "một mật khẩu thật dài")
    assert hash_of_nobody(hasher) != stored
