"""Senders take turns, and no turn is lost, whoever leaves while they wait."""

from __future__ import annotations

import asyncio
import random

import pytest

from gateway.server.http.turns import Turns


def test_a_sender_of_one_request_waits_for_one_of_the_thousand_of_another():
    async def order() -> list[str]:
        turns, called = Turns(1), []

        async def take(sender: str) -> None:
            await turns.wait(sender)
            called.append(sender)
            await asyncio.sleep(0)
            turns.end()

        many = [asyncio.create_task(take("many")) for _ in range(1000)]
        await asyncio.sleep(0)
        await asyncio.gather(asyncio.create_task(take("one")), *many)
        return called

    assert asyncio.run(order()).index("one") < 10


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("seed", range(20))
def test_no_turn_is_lost_or_given_twice_whoever_leaves_at_whatever_moment(number: int, seed: int):
    chance = random.Random(seed)

    async def most_at_once() -> int:
        turns, holding, most = Turns(number), 0, 0

        async def take(sender: str) -> None:
            nonlocal holding, most
            await turns.wait(sender)
            holding += 1
            most = max(most, holding)
            try:
                await asyncio.sleep(0)
            finally:
                holding -= 1
                turns.end()

        tasks = [asyncio.create_task(take(str(each % 7))) for each in range(200)]
        while not all(task.done() for task in tasks):
            chance.choice(tasks).cancel()
            await asyncio.sleep(0)
        for _ in range(number):
            await asyncio.wait_for(turns.wait("last"), 10)
        return most

    assert asyncio.run(most_at_once()) == number
