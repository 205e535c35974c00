from __future__ import annotations

import pytest
from support.notebook import Output

import gateway
from gateway.results import Capabilities, ResultType
from gateway.simulator_list import ListedSimulator, SimulatorList
from gateway.simulators import SIMULATORS

GOOD = ListedSimulator(
    name="good",
    summary="A good one",
    version="1.2",
    port=1,
    capabilities=Capabilities(result_types=tuple(ResultType), max_qubits=12_000),
    installing="pip install good",
)
ABSENT = ListedSimulator(
    name="absent",
    summary="<b>Stabilizers</b>",
    version=None,
    port=2,
    capabilities=Capabilities(result_types=(ResultType.COUNTS,), gates=("h", "s"), classical_control=False),
    installing="pip install 'simulator-gateway[absent]'",
)


def test_every_simulator_of_the_registry_is_listed():
    listed = gateway.simulators()
    assert list(listed)[: len(SIMULATORS)] == list(SIMULATORS)
    assert listed["stim"].capabilities is SIMULATORS["stim"].capabilities
    assert {each.name: each.version for each in listed.values()}.items() >= {
        (row.name, row.installed_version()) for row in SIMULATORS.values()
    }


def test_a_name_that_is_not_listed_is_a_key_error():
    with pytest.raises(KeyError, match="nobody"):
        gateway.simulators()["nobody"]


def test_a_terminal_shows_a_line_for_each_and_what_to_install():
    lines = repr(SimulatorList([GOOD, ABSENT], ["theirs of them 1.0: its row is broken"])).split("\n")
    assert lines[1].split() == ["good", "1.2", "ready", *["yes"] * 4, "all", "12,000", "A", "good", "one"]
    assert lines[2].split()[:3] == ["absent", "not", "installed"]
    assert lines[-2] == (
        "absent: pip install 'simulator-gateway[absent]'; DockerSimulator('absent') runs it in a container"
    )
    assert lines[-1] == "theirs of them 1.0: its row is broken"


def test_a_notebook_shows_a_row_for_each_and_the_number_of_those_that_are_ready():
    output = Output(SimulatorList([GOOD, ABSENT])._repr_html_())
    assert output.text.startswith("2 simulators 1 ready, 1 not installed")
    none = "\N{EN DASH}"
    assert output.rows[1:] == [
        ["good", "1.2", "ready", "yes", "yes", "yes", "yes", "all", "12,000", "A good one"],
        ["absent", "", "○ not installed", none, none, "yes", none, "2", none, "<b>Stabilizers</b>"],
    ]


def test_no_simulators_can_be_listed():
    assert repr(SimulatorList([])).startswith("simulator  version  state")
    assert Output(SimulatorList([])._repr_html_()).rows[1:] == []


def test_one_simulator_is_shown_by_itself():
    assert [row[0] for row in Output(GOOD._repr_html_()).rows] == ["simulator", "good"]
