"""Slices of what takes hours: each thing is in one of them."""

import pytest

from tests import rounds


def test_all_slices_together_are_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slices = []
    for number in range(rounds.SLICES):
        monkeypatch.setattr(rounds, "SLICE", str(number))
        slices.append(list(rounds.slice_of(range(100))))
    assert sorted(each for part in slices for each in part) == list(range(100))
    assert {len(part) for part in slices} == {8, 9}
    monkeypatch.setattr(rounds, "SLICE", "all")
    assert list(rounds.slice_of(range(100))) == list(range(100))
    assert "all odd values" in rounds.told()
