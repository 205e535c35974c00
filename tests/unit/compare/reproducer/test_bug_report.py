"""A bug report says what was expected, what came, and how to see it again."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.compare.record import Cause, Reproducer
from gateway.compare.reproducer import bug_report

REPRODUCER = Reproducer(
    simulator="rigetti",
    circuit="phase-estimation.qasm",
    openqasm='OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[1] q;\nbit[1] c;\nh q[0];\nrz(pi/2) q[0];\n',
    operations=3,
    operations_before=27,
    shots=10_000,
    seed=7,
    expected={"0": 1.0},
    counts={"rigetti": {"1": 10_000}, "mqt": {"0": 10_000}},
    versions={"rigetti": "4.22.0", "mqt": "2.7.0"},
    p_value=1e-300,
    exact_difference=1.0,
    causes=(Cause(name="angle-negated:rz", detail="the circuit with every rz turned the other way", p_value=0.4),),
)


def test_a_report_has_everything_in_it():
    assert (
        bug_report(REPRODUCER)
        == """\
# rigetti 4.22.0: wrong results for a circuit of 3 operations

It was reduced from a circuit `phase-estimation.qasm` of 27 operations; nothing can be left out.

Possible cause: `angle-negated:rz`; its results fit the circuit with every rz turned the other way (p = 0.40).

## Circuit

```qasm
OPENQASM 3.0;
include "stdgates.inc";
qubit[1] q;
bit[1] c;
h q[0];
rz(pi/2) q[0];
```

## What was expected, and what came

| outcome | exact probability | shots of rigetti | shots of mqt |
|---|---:|---:|---:|
| `0` | 1 | 0 | 10,000 |
| `1` | never | 10,000 | 0 |

The rightmost character is clbit 0.

## Evidence

- Simulators: rigetti 4.22.0 and mqt 2.7.0.
- The exact probabilities of rigetti differ from the expected ones by up to 1.00.
- Chance explains the counts of rigetti with p < 1e-12.
- 10,000 shots each, seed 7.

## To see it again

Save the circuit as `reproducer.qasm`.

```console
$ gateway compare reproducer.qasm --on rigetti,mqt --shots 10000 --seed 7
```
"""
    )


def test_a_failure_is_told_with_its_error():
    report = bug_report(
        replace(REPRODUCER, error="SimulatorError: no kernel", counts={"mqt": {"0": 10_000}}, p_value=None, causes=())
    )
    assert report.startswith("# rigetti 4.22.0: SimulatorError on a circuit of 3 operations\n")
    assert "```text\nSimulatorError: no kernel\n```" in report
    assert "| outcome | exact probability | shots of mqt |" in report
    assert "--on rigetti,mqt" in report


def test_little_is_said_where_little_is_known():
    report = bug_report(Reproducer(simulator="x", openqasm="", operations=1, operations_before=1, minimal=False))
    assert report.startswith("# x: wrong results for a circuit of 1 operation\n")
    assert "more might be left out." in report
    assert "expected" not in report.partition("## Circuit")[2]
    assert "## Evidence\n\n\n## To see it again" in report


def test_a_circuit_that_measures_nothing_is_told_by_its_amplitudes():
    report = bug_report(
        Reproducer(
            simulator="mqt", openqasm="qubit[1] q;\nx q[0];\n", operations=1, operations_before=9, exact_difference=0.5
        )
    )
    assert "The amplitudes of mqt differ from the expected ones by up to 0.50." in report
    assert "its state vectors were compared" in report
    assert "$ gateway compare reproducer.qasm --on mqt\n" in report


def test_the_address_of_a_server_is_what_nobody_else_knows():
    def command(*names: str) -> str:
        counts = {name: {"0": 10} for name in names}
        report = bug_report(replace(REPRODUCER, simulator=names[0], counts=counts, versions={}, shots=9, seed=0))
        return report.partition("## To see it again\n\n")[2]

    assert command("mine") == (
        "Save the circuit as `reproducer.qasm`. `mine` is a server or a backend of somebody's own: put its address "
        "in the place of URL.\n\n"
        "```console\n$ gateway compare reproducer.qasm --at URL --shots 9 --seed 0\n```\n"
    )
    assert "$ gateway compare reproducer.qasm --on mqt --at URL --shots 9" in command("mine", "mqt")
    assert "`a` and `b` are servers or backends of somebody's own: put their addresses in the places of URL" in (
        command("a", "b")
    )
    assert "reproducer.qasm`.\n\n```console\n$ gateway compare reproducer.qasm --at lab:8088 --shots 9" in (
        command("qulacs@lab:8088")
    )


def test_of_many_outcomes_those_that_differ_most_are_shown():
    counts = {format(code, "05b"): 10 for code in range(32)} | {"10101": 700}
    report = bug_report(replace(REPRODUCER, expected=dict.fromkeys(counts, 1 / 32), counts={"rigetti": counts}))
    rows = [line for line in report.splitlines() if line.startswith("| `")]
    assert len(rows) == 16
    assert rows[0] == "| `10101` | 0.03125 | 700 |"
    assert "and 16 more outcomes." in report


def test_samples_are_shown_without_a_reference():
    report = bug_report(replace(REPRODUCER, expected={}))
    assert "| outcome | shots of rigetti | shots of mqt |" in report
