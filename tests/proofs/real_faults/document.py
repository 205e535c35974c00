"""Writes what was found of wrong simulators as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from proofs.real_faults.found import NOTHING, Found

HEAD = """\
# Real faults

Released simulators, importers and exporters with known wrong results, each installed in an environment of its own and
served behind a URL, as a stranger would offer it. Each was given an ordinary circuit, and compared with the gateway's
exact simulator and with Qulacs, which agreed every time. `scripts/prove real-faults --write FILE` makes
the table and the reproducers anew; `--only NAME` runs one of them. They are listed in
`tests/proofs/real_faults/catalogue.py`.

Distance is the total variation distance of the counts from the exact distribution; p is corrected for all tests of the
comparison, at a false-alarm rate of 1e-6. Operations are those of the circuit and of its reproducer, measurements at
the end left out.

| simulator | what is wrong | shots | distance | p | named | operations | mended in |
|---|---|---|---|---|---|---|---|
"""


def markdown(results: Sequence[Found]) -> str:
    """Return the page: a table with a row for each, and the reproducers."""
    table = "".join(_row(found) for found in results)
    return HEAD + table + "\n## Reproducers\n" + "\n".join(_sections(results)) + "\n"


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
