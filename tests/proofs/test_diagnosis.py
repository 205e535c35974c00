from __future__ import annotations

from proofs.diagnosis import OUTCOMES, main


def test_one_circuit_for_each_fault_is_diagnosed_as_promised(capsys):
    assert main(["--circuits", "1"]) == 0
    table = capsys.readouterr().out
    assert all(outcome in table for outcome in OUTCOMES)
    assert "with exact probabilities: first" in table
