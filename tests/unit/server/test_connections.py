"""The rules about connections: who is ended, when, and for whom."""

from __future__ import annotations

import pytest

from gateway.protocol.messages import ServerLimits
from gateway.server.access import connections as rules
from gateway.server.access.connections import FRESH_S, IDLE_S, PROBE_PLACES, SPEED_WINDOW_S, Connections, Stage


class Clock:
    """Tells the time that a test wants."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Fake:
    """A connection whose client takes what a test says."""

    def __init__(self) -> None:
        self.is_ended = False
        self.taken = 0
        self.waiting = False

    def end(self) -> None:
        self.is_ended = True

    def taken_bytes(self) -> int:
        return self.taken

    def is_waiting(self) -> bool:
        return self.waiting


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connections(clock: Clock) -> Connections:
    return Connections(ServerLimits(max_connections=3, max_arrival_s=10, least_bytes_per_s=100), clock)


def opened(connections: Connections, number: int) -> list[Fake]:
    found = [Fake() for _ in range(number)]
    assert all(map(connections.opened, found))
    return found


def ended(connections: list[Fake]) -> list[int]:
    return [number for number, each in enumerate(connections) if each.is_ended]


# ---------------------------------------------------------------------------- one too many


def test_the_connection_that_is_idle_for_longest_is_ended_for_a_new_one(connections: Connections, clock: Clock):
    first, second, third = opened(connections, 3)
    for connection in (first, second):
        connections.received(connection)
        connections.arrived(connection)
    clock.now += 1
    connections.answered(first)
    clock.now += 1
    connections.answered(second)
    clock.now += FRESH_S + 1
    (new,) = opened(connections, 1)
    assert ended([first, second, third, new]) == [2]
    opened(connections, 1)
    assert ended([first, second, third, new]) == [0, 2]
    assert len(connections) == 3


def test_a_request_that_arrives_goes_only_where_none_is_idle_and_one_under_way_never(connections: Connections):
    first, second, third = opened(connections, 3)
    connections.received(first)
    connections.received(second)
    connections.received(third)
    connections.arrived(first)
    (new,) = opened(connections, 1)
    assert ended([first, second, third, new]) == [1]


def test_a_fresh_connection_is_spared_where_more_requests_arrive_than_connections_are_idle(connections: Connections):
    first, second, fresh = opened(connections, 3)
    connections.received(first)
    connections.received(second)
    opened(connections, 1)
    assert ended([first, second, fresh]) == [0]


def test_fresh_connections_that_are_most_of_all_do_not_displace_a_request_that_arrives(connections: Connections):
    first, second, third = opened(connections, 3)
    connections.received(first)
    opened(connections, 2)
    assert ended([first, second, third]) == [1, 2]


def test_where_all_are_used_a_new_one_is_for_probes_and_not_even_those_have_no_end(connections: Connections):
    used = opened(connections, 3)
    for each in used:
        connections.received(each)
        connections.arrived(each)
    for_probes = [Fake() for _ in range(PROBE_PLACES)]
    for each in for_probes:
        assert not connections.opened(each)
        connections.received(each)
        connections.arrived(each)
    one_more = Fake()
    assert not connections.opened(one_more)
    assert one_more.is_ended
    assert not ended(used + for_probes)
    assert len(connections) == 3 + PROBE_PLACES


def test_there_are_no_more_connections_than_the_process_can_have_descriptors(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(rules.resource, "getrlimit", lambda _: (12, 10**6))
    connections = Connections(ServerLimits(max_connections=1000))
    first, second, third = opened(connections, 3)
    assert ended([first, second, third]) == [0]
    assert "takes 2 connections at a time, not 1000" in caplog.text


@pytest.mark.parametrize(("descriptors", "most"), [(0, 1), (64, 10), (256, 42), (512, 85), (1024, 256), (2056, 600)])
def test_few_descriptors_are_divided_between_connections_and_all_else(
    descriptors: int, most: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rules.resource, "getrlimit", lambda _: (descriptors, descriptors))
    connections = Connections(ServerLimits(max_connections=1000))
    used = opened(connections, most)
    for each in used:
        connections.received(each)
        connections.arrived(each)
    assert not connections.opened(Fake())
    assert not ended(used)


# ---------------------------------------------------------------------------- time


def test_an_idle_connection_is_closed_after_a_while(connections: Connections, clock: Clock):
    (connection,) = opened(connections, 1)
    clock.now += IDLE_S - 1
    connections.look()
    assert not connection.is_ended
    clock.now += 2
    connections.look()
    assert connection.is_ended
    assert len(connections) == 0


def test_a_request_has_its_time_from_its_first_byte_on_however_often_a_byte_comes(
    connections: Connections, clock: Clock
):
    (connection,) = opened(connections, 1)
    clock.now += 50
    for _ in range(9):
        connections.received(connection)
        clock.now += 1
        connections.look()
    assert not connection.is_ended
    connections.received(connection)
    clock.now += 2
    connections.look()
    assert connection.is_ended


def test_a_request_that_has_arrived_has_all_the_time_there_is(connections: Connections, clock: Clock):
    (connection,) = opened(connections, 1)
    connections.received(connection)
    connections.arrived(connection)
    clock.now += 10_000
    connections.look()
    assert not connection.is_ended


# ---------------------------------------------------------------------------- the speed of answers


def sending(connections: Connections) -> Fake:
    (connection,) = opened(connections, 1)
    connections.received(connection)
    connections.arrived(connection)
    connections.answering(connection)
    connection.waiting = True
    return connection


@pytest.mark.parametrize(("bytes_per_s", "is_ended"), [(99, True), (100, False), (10**9, False), (0, True)])
def test_a_client_takes_an_answer_at_the_least_speed_or_not_at_all(
    connections: Connections, clock: Clock, bytes_per_s: int, is_ended: bool
):
    connection = sending(connections)
    for _ in range(10 * int(SPEED_WINDOW_S)):
        clock.now += 1
        connection.taken += bytes_per_s
        connections.look()
    assert connection.is_ended is is_ended


def test_a_client_may_pause_for_less_than_the_time_over_which_its_speed_is_measured(
    connections: Connections, clock: Clock
):
    connection = sending(connections)
    for _ in range(10):
        clock.now += SPEED_WINDOW_S - 2
        connections.look()
        connection.taken += 100 * int(SPEED_WINDOW_S)
        clock.now += 2
        connections.look()
    assert not connection.is_ended


def test_a_client_that_has_taken_all_there_was_does_not_wait_at_its_own_cost(connections: Connections, clock: Clock):
    connection = sending(connections)
    connection.waiting = False
    clock.now += 10 * SPEED_WINDOW_S
    connections.look()
    assert not connection.is_ended
    assert connections.stage_of(connection) is Stage.SENDING


def test_a_connection_is_idle_once_its_client_has_taken_all_of_an_answer_that_was_written(
    connections: Connections, clock: Clock
):
    connection = sending(connections)
    connections.answered(connection)
    assert connections.stage_of(connection) is Stage.SENDING
    connection.waiting = False
    connections.look()
    assert connections.stage_of(connection) is Stage.IDLE
    clock.now += IDLE_S + 1
    connections.look()
    assert connection.is_ended


def test_a_small_answer_that_nobody_takes_ends_its_connection_too(connections: Connections, clock: Clock):
    (connection,) = opened(connections, 1)
    connections.received(connection)
    connections.arrived(connection)
    connection.waiting = True
    connections.answered(connection)
    clock.now += SPEED_WINDOW_S
    connections.look()
    assert connection.is_ended


# ---------------------------------------------------------------------------- what comes late


def test_what_is_told_of_a_connection_that_was_ended_does_no_harm(connections: Connections, clock: Clock):
    (connection,) = opened(connections, 1)
    connections.end_idle()
    assert connection.is_ended
    for tell in (connections.received, connections.arrived, connections.answering, connections.answered):
        tell(connection)
    connection.waiting = True
    connections.answered(connection)
    connections.closed(connection)
    connections.closed(connection)
    connections.replaced(connection, Fake())
    clock.now += 10_000
    connections.look()
    assert len(connections) == 0


def test_another_object_can_stand_for_a_connection(connections: Connections, clock: Clock):
    (connection,) = opened(connections, 1)
    successor = Fake()
    connections.replaced(connection, successor)
    clock.now += IDLE_S + 1
    connections.look()
    assert (connection.is_ended, successor.is_ended) == (False, True)
