from __future__ import annotations

import pytest

from gateway.compare.reproducer.clock import SHARE_OF_A_RUN, Clock, TimeIsUp


def test_there_is_no_end_until_one_is_set():
    clock = Clock()
    clock.check()
    assert clock.timeout_s() is None
    clock.set(None)
    assert clock.timeout_s() is None


def test_a_request_gets_a_share_of_the_time_so_that_one_that_hangs_leaves_the_rest():
    clock = Clock()
    clock.set(600)
    assert clock.timeout_s() == 600 * SHARE_OF_A_RUN


def test_a_request_gets_a_second_at_least_and_none_is_made_when_the_time_is_over():
    clock = Clock()
    clock.set(0)
    assert clock.timeout_s() == 1
    assert clock.is_over
    with pytest.raises(TimeIsUp):
        clock.check()
