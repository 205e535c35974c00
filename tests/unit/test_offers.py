"""Simulators that other distributions offer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import DockerSimulator
from gateway.cli import main
from gateway.errors import RequestError, SimulatorError
from gateway.simulators import SIMULATORS, find, offers

ROW = """
from gateway.results import Capabilities
from gateway.simulators import Simulator

ROW = Simulator(
    name={name!r}, port={port}, summary="Theirs", adapter="support.fakes:NumpyAdapter", distribution={distribution!r},
    capabilities=Capabilities(result_types=("counts",), gates=("h", "cx"), max_qubits=7),
)
"""


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, text: str | None = None, *, offered: str | None = None, port: int = 0) -> None:
        """Install a distribution that offers a simulator; ``text`` is its module's, if not a row's."""
        module = name.replace("-", "_")
        offered = offered or name
        (self.folder / f"{module}.py").write_text(text or ROW.format(name=offered, port=port, distribution=name))
        info = self.folder / f"{module}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[gateway.simulators]\n{offered} = {module}:ROW\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.syspath_prepend(tmp_path)
    return Site(tmp_path)


def test_a_simulator_of_another_distribution_is_found_by_its_name(site: Site):
    site.install("theirs-1")
    row = find("theirs-1")
    assert (row.name, row.adapter, row.installed_version()) == ("theirs-1", "support.fakes:NumpyAdapter", "1.5")


def test_it_is_listed_beside_ours_with_what_it_can_do_and_who_offers_it(site: Site, capsys):
    site.install("theirs-2")
    assert main(["list", "--json"]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(listed) == {*SIMULATORS, "theirs-2"}
    assert listed["theirs-2"]["distribution"] == "theirs-2 1.5"
    assert listed["theirs-2"]["capabilities"]["gates"] == ["h", "cx"]
    assert main(["list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("theirs-2 ")]
    assert line.split("  ")[-1].strip() == "Theirs (theirs-2 1.5)"


FAULTS = {
    "raises": ("1 / 0", r"cannot be loaded: ZeroDivisionError: division by zero"),
    "leaves": ("import sys; sys.exit(3)", r"cannot be loaded: SystemExit: 3"),
    "imports": ("import no_such_thing", r"cannot be loaded: ModuleNotFoundError: No module named 'no_such_thing'"),
    "lacks": ("", r"cannot be loaded: AttributeError: .*'ROW'"),
    "gives": ("ROW = 7", r"gives a int, and should give a gateway.simulators.Simulator"),
    "names": (ROW.format(name="another", port=0, distribution="x"), r"named 'faulty' and its row 'another'"),
    "port": (ROW.format(name="faulty", port=8088, distribution="x"), r"port 8088 belongs to 'qulacs'; 0 takes any"),
    "nobody": (
        ROW.format(name="faulty", port=0, distribution=None),
        r"distribution of its row must be of type str .* is None",
    ),
    "empty": (
        ROW.format(name="faulty", port=0, distribution=""),
        r"distribution of its row must be of type str .* is ''",
    ),
    "text": (ROW.format(name="faulty", port="'x'", distribution="x"), r"port of its row must be of type int .* is 'x'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_one_is_an_error_that_names_its_distribution_and_leaves_the_others_alone(site: Site, fault, capsys):
    text, message = FAULTS[fault]
    site.install(f"broken-{fault}", text or "pass", offered="faulty")
    site.install(f"whole-{fault}")
    with pytest.raises(SimulatorError, match=rf"'faulty' of broken-{fault} 1.5 cannot be used: .*{message}") as caught:
        find("faulty")
    assert caught.value.simulator == "faulty"
    assert find(f"whole-{fault}").name == f"whole-{fault}"
    assert find("qulacs") is SIMULATORS["qulacs"]
    assert main(["list"]) == 0
    shown = capsys.readouterr()
    assert f"whole-{fault} " in shown.out
    assert f"gateway: left out 'faulty' of broken-{fault} 1.5: " in shown.err


def test_a_name_of_ours_is_refused_and_ours_stays(site: Site, capsys):
    site.install("usurper", offered="qulacs")
    assert find("qulacs") is SIMULATORS["qulacs"]
    (offer,) = [offer for offer in offers() if offer.name == "qulacs"]
    assert offer.row is None
    assert main(["list"]) == 0
    fault = "the name belongs to one of the gateway's own simulators"
    assert f"left out 'qulacs' of usurper 1.5: {fault}" in capsys.readouterr().err


def test_a_name_that_two_distributions_offer_is_refused_with_both(site: Site):
    site.install("one-of-two", offered="both")
    site.install("two-of-two", offered="both")
    with pytest.raises(SimulatorError, match=r"several distributions offer the name: (one|two)-of-two 1.5, (one|two)"):
        find("both")


def test_a_name_mistyped_is_answered_with_theirs_too(site: Site):
    site.install("peculiar")
    with pytest.raises(RequestError, match=r"did you mean 'peculiar'.*known are cirq, .*peculiar"):
        find("peculia")


def test_neither_the_package_nor_a_server_of_ours_reads_entry_points(site: Site):
    site.install("loud", "raise SystemExit('entry points were read')")
    script = """
from importlib import metadata
metadata.entry_points = None  # calling it would fail
import gateway, gateway.server.host
from gateway.simulators import find, load
gateway.LocalSimulator("qulacs")
find("mqt").python()
load(find("stim").adapter)
"""
    environment = {"PYTHONPATH": f"{site.folder}:{Path(__file__).parents[2]}"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_container_of_it_is_refused_with_what_to_use_instead(site: Site):
    site.install("outside")
    with pytest.raises(RequestError, match="'outside' is not one of them: use LocalSimulator"):
        DockerSimulator("outside")
