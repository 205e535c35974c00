from __future__ import annotations

import pytest

from gateway.compare.hunting.spending import Spending


def test_all_tests_together_spend_the_rate_and_no_more():
    spending = Spending(1e-3)
    spent = sum(spending.next() for _ in range(100_000))
    assert spent == pytest.approx(1e-3, rel=1e-4)
    assert spent < 1e-3
    assert spending.tests == 100_000


def test_earlier_tests_are_given_more():
    spending = Spending(1e-6)
    rates = [spending.next() for _ in range(5)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 0.6e-6
