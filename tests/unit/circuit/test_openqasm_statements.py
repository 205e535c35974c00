from __future__ import annotations

import contextlib
import gc
import math
import re

import pytest

from gateway.circuit import Circuit, Comparison, Limits, Operation, parse
from gateway.circuit.openqasm import read
from gateway.errors import (
    CircuitError,
    CircuitInvalidError,
    CircuitSyntaxError,
    GatewayError,
    LimitError,
    RequestError,
    UnsupportedError,
)

HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def flat(text: str) -> Circuit:
    circuit = Circuit(*read(text, Limits()))
    circuit.validate()
    return circuit


def two(text: str) -> Circuit:
    return flat(HEAD_2 + text)


def three(text: str) -> Circuit:
    return flat(HEAD_3 + text)


def said(circuit: Circuit) -> list[str]:
    return [str(operation) for operation in circuit.operations]


# ---------------------------------------------------------------------------- versions and text


@pytest.mark.parametrize("version", ["2", "2.0", "3", "3.0", "3.1"])
def test_known_versions_are_accepted(version):
    assert said(flat(f"// a comment\n OPENQASM  {version} ; qreg q[1]; x q[0];")) == ["x 0"]


@pytest.mark.parametrize("version", ["1.0", "2.1", "4", "30", "3.0.0"])
def test_other_versions_are_refused(version):
    with pytest.raises(CircuitInvalidError, match=rf"line 2: OpenQASM {re.escape(version)} is not known") as caught:
        flat(f"\nOPENQASM {version}; qreg q[1];")
    assert caught.value.rule == "version"


def test_the_version_stands_first():
    with pytest.raises(
        CircuitSyntaxError, match=r"line 2, column 1: 'OPENQASM 2\.0' is not the version at the beginning"
    ):
        flat("qreg q[1];\nOPENQASM 2.0;")


def test_openqasm_3_under_any_label_goes_by_its_header_or_its_declarations():
    expected = Circuit(1, 1).h(0).measure(0, 0)
    assert flat("OPENQASM 3; qubit q; bit c; h q; c = measure q;") == expected
    assert flat("qubit q; bit c; h q; c = measure q;") == expected
    assert flat("qreg q[1]; creg c[1]; h q; measure q -> c;") == expected


def test_includes_are_built_in_and_not_needed():
    assert two('qreg q[1]; sx q; include "stdgates.inc";') == flat("OPENQASM 2.0; qreg q[1]; sx q;")


def test_comments_are_blank_but_strings_are_not():
    text = "qreg q[1]; // x q[0]; }\n/* y q[0];\n { */ h q[0]; /**/ x q[0]; // end"
    assert said(two(text)) == ["h 0", "x 0"]
    with pytest.raises(CircuitInvalidError, match="include 'a//b' is not read"):
        two('include "a//b";')


def test_white_space_of_any_kind_separates():
    assert said(two("qreg\tq [ 2 ] ;\r\n  cx\n q [0] ,\tq[ 1 ]\n;rz ( pi ) q[1];;")) == ["cx 0 1", "rz(3.14159) 1"]


# ---------------------------------------------------------------------------- registers and broadcasting


def test_registers_are_concatenated_in_the_order_of_their_declaration():
    circuit = two("qreg b[1]; creg d[2]; qreg a[2]; creg e[1]; cx a[1],b[0]; measure a[0] -> e[0]; measure b -> e;")
    assert (circuit.num_qubits, circuit.num_clbits) == (3, 3)
    assert said(circuit) == ["cx 2 0", "measure 1 -> 2", "measure 0 -> 2"]


def test_gates_are_broadcast_over_registers():
    circuit = two("qreg a[2]; qreg b[2]; qreg c[1]; h a; cx a,b; cx c[0],a; ccx a,c[0],b; rz(1) b;")
    assert said(circuit) == [
        "h 0", "h 1", "cx 0 2", "cx 1 3", "cx 4 0", "cx 4 1", "ccx 0 4 2", "ccx 1 4 3", "rz(1) 2", "rz(1) 3",
    ]  # fmt: skip


def test_leading_zeros_of_any_number_mean_nothing():
    zeros = "0" * 10_000
    assert said(two(f"qreg q[{zeros}2]; x q[{zeros}1]; x q[{zeros}];")) == ["x 1", "x 0"]


def test_measurements_resets_and_barriers_take_registers():
    circuit = two("qreg q[2]; creg c[2]; qreg r[1]; measure q -> c; reset q; barrier q,r[0]; barrier;")
    assert said(circuit) == ["measure 0 -> 0", "measure 1 -> 1", "reset 0", "reset 1", "barrier 0 1 2", "barrier 0 1 2"]


def test_a_bare_barrier_means_the_qubits_declared_so_far():
    assert said(three("qubit q; barrier; qubit r; barrier;")) == ["barrier 0", "barrier 0 1"]


def test_a_register_of_one_bit_is_measured_into_like_the_bit():
    assert said(two("qreg q[2]; creg c[1]; measure q[1] -> c;")) == ["measure 1 -> 0"]


# ---------------------------------------------------------------------------- gates and definitions


def test_the_two_built_in_gates_keep_their_names():
    assert said(flat("OPENQASM 2.0; qreg q[2]; U(1,2,3) q[0]; CX q[0],q[1];")) == ["U(1, 2, 3) 0", "CX 0 1"]


def test_aliases_become_the_rows_own_name():
    assert said(three("qubit[3] q; phase(1) q[0]; cphase(1) q[0],q[1]; cnot q[0],q[1];")) == [
        "p(1) 0", "cp(1) 0 1", "cx 0 1",
    ]  # fmt: skip


def test_empty_parentheses_are_no_parameters():
    assert said(two("qreg q[1]; h() q[0]; x( ) q[0];")) == ["h 0", "x 0"]


def test_expressions_are_evaluated_exactly():
    circuit = two(
        "qreg q[1]; rz(-3*pi/8) q[0]; u3(sin(pi/2),2^-1,(1+2)*ln(exp(1))) q[0]; rz(0.5*pi) q[0]; rz(.5) q[0];"
    )
    assert [operation.params for operation in circuit.operations] == [
        (-3 * math.pi / 8,), (1.0, 0.5, 3.0), (0.5 * math.pi,), (0.5,),
    ]  # fmt: skip


def test_definitions_are_inlined_with_their_parameters():
    circuit = two("""
        gate inner(t) a { rz(-t/2) a; }
        gate outer(s, t) a, b { inner(s+t) b; barrier a,b; cx b,a; h a; }
        gate nothing a { }
        opaque never(t) a, b;
        qreg q[3];
        outer(1, pi) q[2], q[0];
        nothing q;
        outer(1, pi) q[0], q[1];
        outer(2, 0) q[0], q[1];
    """)
    first = -(1 + math.pi) / 2
    assert [(operation.name, operation.qubits, operation.params) for operation in circuit.operations] == [
        ("rz", (0,), (first,)), ("barrier", (2, 0), ()), ("cx", (0, 2), ()), ("h", (2,), ()),
        ("rz", (1,), (first,)), ("barrier", (0, 1), ()), ("cx", (1, 0), ()), ("h", (0,), ()),
        ("rz", (1,), (-1.0,)), ("barrier", (0, 1), ()), ("cx", (1, 0), ()), ("h", (0,), ()),
    ]  # fmt: skip


def test_a_definition_takes_precedence_over_the_table_from_its_place_on():
    circuit = two("qreg q[1]; h q[0]; rz(1) q[0]; gate h a { x a; } gate rz(t) a { ry(t) a; } h q[0]; rz(1) q[0];")
    assert said(circuit) == ["h 0", "rz(1) 0", "x 0", "ry(1) 0"]


def test_a_definition_keeps_what_its_names_meant_when_it_was_read():
    assert said(two("gate g a { h a; } gate h a { x a; } qreg q[1]; g q[0];")) == ["h 0"]


def test_a_remembered_statement_is_forgotten_when_names_change():
    circuit = three("qubit q; x q; barrier; x q; gate x a { y a; } x q; qubit r; barrier; x r;")
    assert said(circuit) == ["x 0", "barrier 0", "x 0", "y 0", "barrier 0 1", "y 1"]


def test_the_text_of_released_qrisp_clients_is_understood():
    circuit = two("""
        gate pt2cx_140550150874000 q0,q1,q2 { h q2; ccx q0,q1,q2; }
        gate gphase(p0) q0 { }
        gate margolus_dg q0,q1,q2 { pt2cx_140550150874000 q0,q1,q2; tdg q2; }
        qreg qf_0[1];
        qreg qf_1[1];
        qreg qf_2[1];
        creg cb_0[1];
        margolus_dg qf_0[0],qf_1[0],qf_2[0];
        gphase(0.3) qf_1[0];
        measure qf_1[0] -> cb_0[0];
    """)
    assert said(circuit) == ["h 2", "ccx 0 1 2", "tdg 2", "measure 1 -> 0"]


def test_a_gate_defined_before_any_register_of_its_own_name_is_no_clash():
    assert said(two("qreg x[1]; x x[0];")) == ["x 0"]


# ---------------------------------------------------------------------------- conditions


def conditions(circuit: Circuit) -> list[tuple[str, tuple[Comparison, ...]]]:
    return [(operation.name, operation.condition) for operation in circuit.operations]


def test_if_of_openqasm_2_tests_a_whole_register():
    circuit = two(
        "qreg q[2]; creg a[1]; creg c[2]; if(c==2) cx q[0],q[1]; if ( a == 1 ) h q; if(c==1) measure q[0]->c[0];"
    )
    c, a = Comparison((1, 2), 2), Comparison((0,), 1)
    assert conditions(circuit) == [("cx", (c,)), ("h", (a,)), ("h", (a,)), ("measure", (Comparison((1, 2), 1),))]


def test_a_condition_that_never_or_always_holds_vanishes():
    circuit = three("qubit q; bit[2] c; if (c == 4) x q; if (c != 4) y q; if (c == 9) { h q; } else { z q; }")
    assert conditions(circuit) == [("y", ()), ("z", ())]


def test_the_else_of_several_equalities_is_the_opposite_of_one_comparison_of_all():
    circuit = three("qubit q; bit[2] c; bit[2] d; if (c == 1 && d == 2) { x q; } else { y q; }")
    assert conditions(circuit) == [
        ("x", (Comparison((0, 1), 1), Comparison((2, 3), 2))),
        ("y", (Comparison((0, 1, 2, 3), 0b1001, equal=False),)),
    ]


def test_ifs_of_openqasm_3_become_conditions():
    circuit = three("""
        qubit[2] q; bit[2] c; bit d;
        if (c == 3) { x q[0]; barrier q; h q[1]; } else { y q[0]; }
        if (c[0] == 1) x q[0]; else z q[0];
        if (c[1]) { s q[0]; }
        if (!c[1]) t q[0];
        if (d == true) { if (c[0] == false) { rz(0.5) q[0]; } }
        if (d != 1) x q[0];
        if (d) { }
    """)
    zero, one = Comparison((0,), 0), Comparison((0,), 1)
    assert conditions(circuit) == [
        ("x", (Comparison((0, 1), 3),)),
        ("barrier", ()),
        ("h", (Comparison((0, 1), 3),)),
        ("y", (Comparison((0, 1), 3, equal=False),)),
        ("x", (one,)),
        ("z", (zero,)),
        ("s", (Comparison((1,), 1),)),
        ("t", (Comparison((1,), 0),)),
        ("rz", (Comparison((2,), 1), zero)),
        ("x", (Comparison((2,), 1, equal=False),)),
    ]


def test_tests_joined_by_and_are_a_conjunction_and_a_group_is_one_comparison():
    circuit = three("""
        qubit q; bit[3] c;
        if (c[0] == 1 && !c[1]) x q;
        if (!(c[0] == 1 && c[2] == 0)) x q;
        if ((c[2] == 1 && c[0] == 0) && c[1] == 1) x q;
    """)
    assert [condition for _, condition in conditions(circuit)] == [
        (Comparison((0,), 1), Comparison((1,), 0)),
        (Comparison((0, 2), 1, equal=False),),
        (Comparison((2, 0), 1), Comparison((1,), 1)),
    ]


@pytest.mark.parametrize("header", [HEAD_2, HEAD_3])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if(c==1) measure q -> c;", ["measure 0 -> 0 if 4=1", "measure 1 -> 1 if 4=1"]),
        ("if(c==1) { measure q[0] -> c[1]; x q[0]; }", ["measure 0 -> 1 if 4=1", "x 0 if 4=1"]),
        (
            "if(c==1) { if (d[0] == 1) { measure q[0] -> c[1]; } x q[0]; }",
            ["measure 0 -> 1 if 4=1 & 2=1", "x 0 if 4=1"],
        ),
    ],
)
def test_an_if_that_changes_its_own_condition_remembers_it(header, text, expected):
    circuit = flat(f"{header}qreg q[2]; creg c[2]; creg d[2]; {text}")
    assert [shown(operation) for operation in circuit.operations] == ["set((c[0,1] == 1))  -> 4", *expected]
    assert (circuit.num_clbits, circuit.num_hidden) == (4, 1)


def shown(operation: Operation) -> str:
    tests = [
        f"{','.join(map(str, test.clbits))}{'=' if test.equal else '!='}{test.value}" for test in operation.condition
    ]
    return " if ".join([str(operation), " & ".join(tests)] if tests else [str(operation)])


def test_the_else_of_an_if_that_changes_its_own_condition_remembers_it_too():
    circuit = three("qubit[2] q; bit[2] c; if (c == 1) { measure q[0] -> c[1]; } else { x q[0]; }")
    assert [shown(operation) for operation in circuit.operations] == [
        "set((c[0,1] == 1))  -> 2", "set((c[0,1] != 1))  -> 3", "measure 0 -> 1 if 2=1", "x 0 if 3=1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "if(c==1) measure q[0] -> c[0];",
        "if(c==1) { x q[0]; measure q[0] -> c[1]; barrier q; }",
        "if(c==1) measure q -> d;",
        "if(c==1) { measure q[0] -> d[0]; if (d[0] == 1) x q[0]; }",
    ],
)
def test_an_if_whose_condition_stays_while_it_matters_is_fine(text):
    assert all(operation.condition for operation in three(f"qubit[2] q; bit[2] c; bit[2] d; {text}").operations[:1])


# ---------------------------------------------------------------------------- OpenQASM 3


def test_measurements_of_openqasm_3_are_assignments():
    circuit = three(
        "qubit[2] q; bit[2] c; c[1] = measure q[0]; c = measure q; measure q[0] -> c[0]; bit[2] d = measure q;"
    )
    assert circuit.num_clbits == 4
    assert said(circuit)[0] == "measure 0 -> 1"
    assert [operation.clbits[0] for operation in circuit.operations] == [1, 0, 1, 0, 2, 3]


def test_a_global_phase_has_no_qubits():
    assert three("gphase(pi/2);").operations == [Operation("gphase", (), (math.pi / 2,))]


# ---------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ("hh q[0];", "gate name", "no gate named 'hh'; did you mean 'h'"),
        ("entirely_unknown q[0];", "gate name", "no gate named 'entirely_unknown'; define it"),
        ("h q[2];", "index", r"'q' has 2 qubit\(s\), so there is no q\[2\]"),
        ("h q[99999999999999999999999];", "index", "so there is no q"),
        ("h r[0];", "register", "no qubit or register of qubits is named 'r'"),
        ("h c[0];", "register", "no qubit or register of qubits is named 'c'"),
        ("measure q[0] -> q[1];", "register", "no clbit or register of clbits is named 'q'"),
        ("cx q[0],q[0];", "distinct qubits", "cx names a qubit twice"),
        ("cx q,q;", "distinct qubits", "cx names a qubit twice"),
        ("cx q[0],q;", "distinct qubits", "cx names a qubit twice"),
        ("barrier q,q[0];", "distinct qubits", "names a qubit twice"),
        ("cx q,r3;", "register size", "different sizes: 2, 3"),
        ("measure q -> one;", "register size", r"q has 2 qubit\(s\), but one has 1 clbit"),
        ("cx q[0];", "number of qubits", "cx acts on 2 qubits, not 1"),
        ("h q[0],q[1];", "number of qubits", "h acts on 1 qubit, not 2"),
        ("h;", "number of qubits", "h acts on 1 qubit, not 0"),
        ("rz q[0];", "number of parameters", "rz takes 1 parameter, not 0"),
        ("rz(1,2) q[0];", "number of parameters", "rz takes 1 parameter, not 2"),
        ("h(1) q[0];", "number of parameters", "h takes 0 parameters, not 1"),
        ("rz(nan) q[0];", "name", "'nan'"),
        ("rz(inf) q[0];", "name", "'inf'"),
        ("rz(1e999) q[0];", "expression", "larger than any float"),
        ("rz(1/0) q[0];", "expression", "divides by zero"),
        ("rz(9^9^9^9) q[0];", "expression", "larger than any float"),
        ("rz(theta) q[0];", "name", "'theta'"),
        ("qreg q[1];", "redefinition", "'q' is declared twice"),
        ("creg q[1];", "redefinition", "'q' is declared twice"),
        ("gate g a {} gate g a {}", "redefinition", "'g' is defined twice"),
        ("gate g a,a {}", "redefinition", "uses a name twice"),
        ("gate g(a) a {}", "redefinition", "uses a name twice"),
        ("gate g a { g a; }", "recursion", "calls itself"),
        ("gate g a { unknown a; }", "gate name", "no gate named 'unknown'"),
        ("gate g a { x b; }", "register", "the gate 'g' has no qubit 'b'"),
        ("gate g a,b { cx a,a; }", "distinct qubits", "names a qubit twice"),
        ("gate g a { cx a; }", "number of qubits", "cx acts on 2 qubits"),
        ("gate g a { rz(t) a; }", "name", "'t'"),
        ("gate g a { x a; } g q[0],q[1];", "number of qubits", "'g' is defined for 1 qubits, not 2"),
        ("gate g(t) a { rz(1/t) a; } g(0) q[0];", "expression", "divides by zero"),
        ('include "/etc/passwd";', "include", "include '/etc/passwd' is not read"),
        ("if(d==1) x q[0];", "register", "named 'd'"),
    ],
)
def test_a_broken_rule_is_named_with_its_line(text, rule, message):
    with pytest.raises(CircuitInvalidError, match=f"line 5: .*{message}") as caught:
        two(f"qreg q[2];\nqreg r3[3]; creg c[2]; creg one[1];\n{text}")
    assert (caught.value.rule, caught.value.line) == (rule, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x q[0]", r"'x q\[0\]' is not ended by ';'"),
        ("gate g a { x a }", "'x a' is not ended by ';'"),
        ("gate g a { x a;", "a block is not closed"),
        ("}", "'}' closes nothing"),
        ("x q[0]; }", "'}' closes nothing"),
        ("/* x", "a comment is not closed"),
        ("include qelib1.inc;", "include takes a file name"),
        ("qreg r;", "a register is declared as"),
        ("qreg r[x];", "a register is declared as"),
        ("qreg r[-1];", "a register is declared as"),
        ("qreg if[2];", "'if' is a word of the language"),
        ("x q[a];", r"'q\[a\]' is not a qubit"),
        ("x q[0] q[1];", "is not a qubit"),
        ("x q[0],;", "a qubit is missing"),
        ("rz(1 q[0];", "is not an OpenQASM statement"),
        ("rz(1+) q[0];", "a value is missing"),
        ("rz((1) q[0];", "a parenthesis is not closed"),
        ("measure q[0] c[0];", "is not a qubit|writes to no clbit"),
        ("measure q -> ;", "a clbit is missing"),
        ("c = ;", "is not expected here"),
        ("c = 1 2;", "is not expected here"),
        ("rx(1)!=q[0];", "is not an OpenQASM statement"),
        ("gate g a;", "has no body"),
        ("gate g(a { }", "does not declare a gate"),
        ("gate g 1 { }", "'1' is not a name"),
        ("gate g a { measure a -> c; }", "'measure' cannot stand here"),
        ("if c==1 x q[0];", "followed by a condition"),
        ("if(c==1 x q[0];", "is not closed"),
        ("if(c==1);", "followed by nothing"),
        ("if(c>) x q[0];", "ends too early"),
        ("if(c>1 2) x q[0];", "is not expected here"),
        ("else x q[0];", "follows no 'if'"),
        ("for i in [0:1] x q[i];", "'for' is a word of OpenQASM 3"),
        ("1x q[0];", "is not an OpenQASM statement"),
        ("$", "is not ended"),
        ("\x00;", "is not an OpenQASM statement"),
    ],
)
def test_what_is_not_openqasm_2_is_a_syntax_error_with_its_place(text, message):
    with pytest.raises(
        (CircuitSyntaxError, UnsupportedError), match=rf"line 5(, column \d+)?: .*({message})"
    ) as caught:
        two(f"qreg q[2];\ncreg c[2];\n{text}")
    assert caught.value.line == 5


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("qreg q[2]; h q[0;", 3, 12),
        ("qreg q[2];\n  rx(pi/ q[0];", 4, 3),
        ("qreg q[2];\ngate g a { x a; foo( a; }\ng q[0];", 4, 17),
        ("gate g a { x a; } gate h2 a { g a; } 5;", 3, 38),
        ("qreg q[2]; /* open", 3, 12),
    ],
)
def test_a_syntax_error_points_at_the_statement(text, line, column):
    with pytest.raises(CircuitSyntaxError) as caught:
        two(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_measurement_without_a_clbit_writes_to_hidden_ones():
    circuit = three("qubit[2] q; bit c; measure q; c = measure q[0];")
    assert said(circuit) == ["measure 0 -> 1", "measure 1 -> 2", "measure 0 -> 0"]
    assert (circuit.num_clbits, circuit.num_hidden) == (1, 2)
    with pytest.raises(UnsupportedError, match="line 3: 'measure q' writes to no clbit"):
        two("qreg q[1]; measure q;")


# ---------------------------------------------------------------------------- OpenQASM 2 as others write it


def test_bits_take_classical_values_as_tket_and_quantinuum_write_them():
    circuit = flat(
        """
        OPENQASM 2.0; include "hqslib1.inc";
        qreg q[1]; creg a[2]; creg b[2]; creg d[1];
        a = 2;
        if (a[0] != 1) b[1] = 1;
        if (a >= 1) x q[0];
        b = a ^ b;
        d[0] = a[0] | ~b[0];
        if (a == b) measure q[0] -> d[0];
        """
    )
    assert [shown(operation) for operation in circuit.operations] == [
        "set(2)  -> 0 1", "set(1)  -> 3 if 0!=1", "x 0 if 0,1!=0", "set((c[0,1] ^ c[2,3]))  -> 2 3",
        "set((c[0] | not(c[2])))  -> 4", "set((c[0,1] == c[2,3]))  -> 5", "measure 0 -> 4 if 5=1",
    ]  # fmt: skip


def test_a_gate_may_reset_as_qiskit_writes_initialize():
    circuit = two("gate initialize(param0,param1) q0 { reset q0; ry(0.5) q0; } qreg q[2]; initialize(0.6,0.8j) q[1];")
    assert said(circuit) == ["reset 1", "ry(0.5) 1"]


def test_arguments_that_a_definition_does_not_use_may_be_anything():
    text = "gate pauli(param0) a,b { x a; z b; } gate g(s, t) a { rx(s) a; } qreg q[2];"
    assert said(two(f"{text} pauli(XZ) q[1],q[0]; g(0.5, -1.25j) q[0];")) == ["x 1", "z 0", "rx(0.5) 0"]
    with pytest.raises(CircuitInvalidError, match="'XZ'"):
        two(f"{text} g(XZ, 1) q[0];")


@pytest.mark.parametrize(
    "text",
    [
        "OPENQASM 2.0; opaque delay(time) q; qreg q[1]; delay(172) q[0];",
        "OPENQASM 2.0; opaque nop a; qreg q[1]; nop q[0];",
        "OPENQASM 3.1; qubit[1] q; nop q;",
        "OPENQASM 3.0; qubit[1] q; delay[100 ns] q; delay[2 * durationof({x q[0];})] q[0];",
        "OPENQASM 3.0; qubit[1] q; stretch s; duration d = 20dt; d = 2 * d; delay[s] q; box[d] { }",
    ],
)
def test_delays_do_nothing_and_a_note_says_so(text):
    circuit = flat(text)
    assert circuit.operations == []
    assert circuit.notes == ("timing has no effect here",)


def test_other_pragmas_are_noted_and_a_verbatim_box_is_a_box():
    circuit = three("#pragma keep this\nqubit q;\npragma braket verbatim\nbox { x q; }")
    assert said(circuit) == ["x 0"]
    assert circuit.notes == ("the pragma 'keep this' was ignored",)


def test_a_bare_barrier_in_a_definition_means_all_its_qubits():
    assert said(three("gate g a,b { barrier; x b; } qubit[2] q; g q[1],q[0];")) == ["barrier 1 0", "x 0"]


def test_digits_of_other_scripts_are_no_digits():
    for text in ("rz(0.5) q[0]; rz(\u0661) q[0];", "rz(0.5) q[0]; x q[\u0661];", "rz(0.5) q[0]; rz(\u00b2) q[0];"):
        with pytest.raises(CircuitError, match="line 3"):
            two(f"qreg q[2]; {text}")


def test_an_opaque_gate_may_be_declared_but_not_used():
    assert said(two("opaque g(t) a,b; qreg q[2]; x q[0];")) == ["x 0"]
    with pytest.raises(UnsupportedError, match="line 4: the gate 'g' is declared opaque"):
        two("opaque g(t) a,b; qreg q[2];\ng(1) q[0],q[1];")


def test_the_line_is_right_after_blocks_comments_and_remembered_statements():
    text = "qreg q[1];\ngate g a {\n x a;\n}\n/* two\nlines */ // one\n" + "x q[0];\n" * 50 + "\n\n  y q[1];\n"
    with pytest.raises(CircuitInvalidError, match=r"so there is no q\[1\]") as caught:
        two(text)
    assert caught.value.line == (HEAD_2 + text).split("\n").index("  y q[1];") + 1


@pytest.mark.parametrize("text", [None, 3, b"OPENQASM 2.0;", ["x"]])
def test_only_a_string_is_text(text):
    with pytest.raises(RequestError, match="a circuit is OpenQASM text, not"):
        parse(text)


@pytest.mark.parametrize("text", ["", "  \n\t", "\n"])
def test_an_empty_text_is_refused(text):
    with pytest.raises(CircuitSyntaxError, match="empty"):
        parse(text)


def test_text_without_operations_is_a_circuit():
    assert parse("OPENQASM 2.0;") == Circuit()
    assert parse("// nothing\nqreg q[2];") == Circuit(2)


# ---------------------------------------------------------------------------- limits


DOUBLING = "gate g0 a { x a; }" + "".join(f"gate g{k + 1} a {{ g{k} a; g{k} a; }}" for k in range(60))
HOLLOW = DOUBLING.replace("x a;", "")
DEEP = "gate g0 a { x a; }" + "".join(f"gate g{k + 1} a {{ g{k} a; }}" for k in range(5000))
BUSY = "gate g(t) a { " + "rz(" + "+".join(["t"] * 900) + ") a;" * 1 + "}"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("qreg q[1000000000];", "qubits"),
        ("qreg q[" + "9" * 10_000 + "];", "qubits"),
        ("qreg q[4096]; qreg r[1];", "qubits"),
        ("creg c[65537];", "clbits"),
        (DOUBLING + "qreg q[1]; g60 q[0];", "operations"),
        (DOUBLING + "qreg q[4096]; g10 q;", "operations"),
        (DEEP, "nesting"),
        ("qreg q[1]; creg c[1]; " + "if(c==1) " * 10_000 + "x q[0];", "nesting"),
        ("qreg q[1]; rz(" + "(" * 100_000 + ") q[0];", "expression size"),
        ("qreg q[1]; creg c[1]; if(c==" + "1" * 100_000 + ") x q[0];", "digits"),
        ("qreg q[4000]; " + "h q;" * 300, "operations"),
        ("qreg q[1]; creg c[1]; " + DOUBLING + "if(c==1) { g19 q[0]; g19 q[0]; }", "operations"),
    ],
)
def test_what_is_too_large_is_refused_at_once(text, limit):
    with pytest.raises(LimitError, match=r"at most|more than|too many") as caught:
        two(text)
    assert caught.value.limit == limit


def test_gates_that_expand_to_nothing_cost_nothing():
    assert two(HOLLOW + "qreg q[1];" + "g60 q[0];" * 100).operations == []  # 2**60 calls each, were they made


def test_the_work_of_definitions_is_limited_too():
    calls = "".join(f"g({k}) q[0];" for k in range(2000))
    with pytest.raises(LimitError, match="evaluate more than"):
        read(f"{HEAD_2}{BUSY} qreg q[1]; {calls}", Limits(operations=10_000))


def test_text_is_limited_in_bytes():
    with pytest.raises(LimitError, match="the circuit's text has 11 bytes; at most 10") as caught:
        parse("// " + "é" * 4, Limits(text_bytes=10))
    assert (caught.value.limit, caught.value.requested, caught.value.allowed) == ("text_bytes", 11, 10)


def test_an_error_at_the_end_of_a_large_text_names_its_line():
    text = "qreg q[2];\n" + "rz(0.5) q[0];\ncx q[0],q[1];\n" * 50_000 + "h q[2];\n"
    with pytest.raises(CircuitInvalidError, match="line 100004: 'q' has 2"):
        two(text)


@pytest.mark.parametrize(
    "filling", [" ", "\n", "(", "[", "{", "}", '"', "/*", "//", "a ", "a,", "-", "if(", "gate a ", "measure ->"]
)
def test_floods_of_one_mark_are_refused_in_linear_time(filling):
    """Of a quarter of a million marks all pairs are too many for the deadline that every test has."""
    for text in (f"OPENQASM 2.0;{filling * 250_000}", f"OPENQASM 2.0; qreg q[1]; gate x {filling * 250_000};"):
        with contextlib.suppress(GatewayError):
            read(text, Limits())


# ---------------------------------------------------------------------------- the collector and the speed


def test_the_garbage_collector_is_left_as_it_was():
    assert gc.isenabled()
    two("qreg q[1];")
    with pytest.raises(CircuitInvalidError, match="no gate"):
        two("qreg q[1]; nope q[0];")
    assert gc.isenabled()
    gc.disable()
    try:
        two("qreg q[1];")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_remembered_operations_are_shared():
    first, second = two("qreg q[1]; x q[0]; x q[0];").operations
    assert first is second


@pytest.mark.parametrize(
    "declaration",
    ['const bit[9223372036854775807] s = "10110";', "const bit[9223372036854775807] s = -1;", "bit[65537] s = 1;"],
)
def test_constants_of_more_bits_than_there_may_be_clbits_are_refused(declaration: str) -> None:
    with pytest.raises(LimitError, match="clbits"):
        parse(f"OPENQASM 3.0;\nqubit q;\n{declaration}\nx q;")


def test_a_negative_number_fits_bits_in_twos_complement() -> None:
    text = "OPENQASM 3.0; qubit q; const bit[3] s = -4; if (s == 4) x q;"
    assert [op.name for op in parse(text).operations] == ["x"]
    with pytest.raises(CircuitInvalidError, match="-5 is not a value of bits"):
        parse(text.replace("-4", "-5"))
