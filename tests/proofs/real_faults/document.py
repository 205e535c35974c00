"""Writes what was found of wrong simulators as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from proofs.real_faults.found import NOTHING, Found

HEAD = """\
# Real faults

Released simulators, importers and exporters with known wrong results, each installed in an environment of its own and
served behind a URL, as a stranger would offer it. Each was given an ordinary circuit, and compared with the gateway's
exact simulator and with Qulacs, which agreed every time. `scripts/prove real-faults --write docs/real-faults.md` makes
this page anew; `--only NAME` runs one of them. They are listed in `tests/proofs/real_faults/catalogue.py`.

Distance is the total variation distance of the counts from the exact distribution; p is corrected for all tests of the
comparison, at a false-alarm rate of 1e-6. Operations are those of the circuit and of its reproducer, measurements at
the end left out.

| simulator | what is wrong | shots | distance | p | named | operations | mended in |
|---|---|---|---|---|---|---|---|
"""

NOTES = """
## What to know when reading the table

- Where several causes are named, they predict the same counts, and no count can tell them apart.
- *Nothing named* is the right answer where no named cause describes the fault: gates defined as their neighbours,
  wrong amplitudes for some pairs of qubits, a sample of other qubits.
- These releases were right on the same circuits, by the same drivers: qiskit-aer 0.13.1, mqt.ddsim 2.0.0, qxelarator
  0.9.0, qiskit-terra 0.22.0 and 0.9.1, qiskit 1.3.0, qibo 0.2.22 and quimb 1.14.0. The other releases of the last
  column are what the authors say; qiskit-terra 0.8.2 was still wrong.
- Whose fault: the simulator, importer or exporter of the row each time; the programs in `drivers/` write its circuits
  in its own words, and pass with the mended release.
- Two are still wrong in their newest releases: amazon-braket-default-simulator 1.41.2 applies `ctrl @ x q[2], q[0]` of
  three qubits wrong to a density matrix (of five qubits, 9 of the 20 pairs), and qibo 0.3.6 still measured 1 of 200
  random Clifford circuits of three qubits wrong (0.2.21: 12 of 200).
- qiskit-aer 0.7.3 does not return at all on some smaller circuits; such a run is ended after half a minute, and the
  reduction goes on with another one.
"""
"""What was found out besides, by hand."""


def markdown(results: Sequence[Found]) -> str:
    """Return the page: a table with a row for each, and the reproducers."""
    table = "".join(_row(found) for found in results)
    return HEAD + table + NOTES + "\n## Reproducers\n" + "\n".join(_sections(results)) + "\n"


def _row(found: Found) -> str:
    fault, row = found.fault, found.row
    says = f"[{fault.says}]({fault.source})"
    named = ", ".join(f"`{cause.name}`" for cause in row.causes) or NOTHING
    cells = [
        f"{fault.package} {row.version}",
        says,
        f"{fault.shots:,}",
        "" if row.distance is None else f"{row.distance:.3f}",
        "" if row.p_value is None else _p_value(row.p_value),
        named,
        "" if found.reproducer is None else f"{found.reproducer.operations_before} → {found.reproducer.operations}",
        fault.fixed_in or "no release so far",
    ]
    return f"| {' | '.join(cells)} |\n"


def _p_value(p_value: float) -> str:
    return "< 1e-250" if p_value < 1e-250 else f"{p_value:.0e}"


def _sections(results: Sequence[Found]) -> Iterator[str]:
    """Yield a section for each reproducer; whose fault it is stands first."""
    for found in results:
        reproducer, fault = found.reproducer, found.fault
        if reproducer is not None:
            yield f"\n### {fault.name}: {fault.package} {found.row.version}\n"
            yield f"```qasm\n{reproducer.openqasm.rstrip()}\n```\n"
            yield f"Expected {_outcomes(reproducer.expected, 1)}; it gave {_outcomes(_counts(found), fault.shots)}."


def _counts(found: Found) -> dict[str, int]:
    return next(iter(found.reproducer.counts.values()), {}) if found.reproducer else {}


def _outcomes(amounts: dict[str, float] | dict[str, int], total: float) -> str:
    """Return the likeliest outcomes with their shares."""
    likeliest = sorted(amounts.items(), key=lambda item: -item[1])
    shares = ", ".join(f"`{key}` {value / total:.3g}" for key, value in likeliest[:4])
    return shares + (f" and {len(likeliest) - 4} more" if len(likeliest) > 4 else "")
