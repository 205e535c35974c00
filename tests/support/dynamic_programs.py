"""Makes programs of OpenQASM 3 in which nearly everything depends on measurements."""

from __future__ import annotations

from random import Random

_HEADER = """OPENQASM 3.0;
include "stdgates.inc";
def flip(qubit a) -> bit { h a; return measure a; }
def parity(qubit a, qubit b) -> bit { bit r; cx a, b; r = measure b; cx a, b; return r; }
def count(qubit a, int[4] k) -> int[4] {
  if (k > 2) { return k; }
  bool t = measure a;
  if (t) { x a; return k + 1; }
  return k - 1;
}
def tried(qubit a, uint[2] most) -> uint[2] {
  uint[2] turns = 0;
  while (turns < most) { turns += 1; bool t; h a; t = measure a; if (t) break; }
  return turns;
}
qubit[3] q;
bit[3] c;
bit b;
int[4] n = 1;
uint[3] u;
bool f = false;
float t = 0.25;
output int[3] r;
u = 2;
"""


class Programs:
    """Makes one random program.

    Args:
        random: what decides; the same state makes the same program.
        size: about how many statements it has.
    """

    def __init__(self, random: Random, size: int = 8) -> None:
        self.random = random
        self.left = size
        self.counters = 0
        self.indices: list[str] = []

    def text(self) -> str:
        """Return the program."""
        body = [self.statement(0, in_loop=False) for _ in range(self.random.randint(3, 8))]
        bits = ["c[0] = measure q[0];"] if self.random.random() < 0.5 else []
        return _HEADER + "h q[0];\n" + "\n".join([*body, *bits, "r = n;"]) + "\n"

    def block(self, depth: int, *, in_loop: bool) -> str:
        """Return statements in braces."""
        statements = [self.statement(depth + 1, in_loop=in_loop) for _ in range(self.random.randint(1, 3))]
        return "{ " + " ".join(statements) + " }"

    def statement(self, depth: int, *, in_loop: bool) -> str:
        """Return one statement."""
        self.left -= 1
        simple = [self.gate, self.measure, self.assign, self.assign, self.call]
        compound = [self.branch, self.branch, self.switch, self.loop, self.repeat]
        if in_loop and self.random.random() < 0.15:
            return f"if ({self.condition()}) {self.random.choice(['break', 'continue'])};"
        if depth == 0 and self.random.random() < 0.03:
            return f"if ({self.condition()}) {{ x q[0]; end; }}"
        if depth >= 3 or self.left <= 0 or self.random.random() < 0.5:
            return self.random.choice(simple)()
        return self.random.choice(compound)(depth, in_loop=in_loop)

    # ------------------------------------------------------------------ simple statements

    def qubit(self) -> str:
        return f"q[{self.random.randrange(3)}]"

    def gate(self) -> str:
        choice = self.random.randrange(6)
        if choice == 0:
            first, second = self.random.sample(range(3), 2)
            return f"cx q[{first}], q[{second}];"
        if choice == 1:
            angle = self.random.choice(["0.7", "0.3 * n", "t", "t + 0.5 * c[0]", "0.4 * u", "0.2 * int(f)"])
            return f"ry({angle}) {self.qubit()};"
        return f"{self.random.choice(['x', 'h', 'x'])} {self.qubit()};"

    def measure(self) -> str:
        choices = [
            f"c[{self.random.randrange(3)}] = measure {self.qubit()};",
            f"b = measure {self.qubit()};",
            f"f = measure {self.qubit()};",
            "c[0:1] = measure q[1:2];",
            f"reset {self.qubit()};",
            f"u[{self.random.randrange(3)}] = measure {self.qubit()};",
        ]
        return self.random.choice(choices)

    def number(self) -> str:
        names = [
            "n", "u", "int[4](c)", "popcount(c)", "1", "2", "3", "int[4](b)", "n + 1", "-n", "u + c", "c ^ u",
            "n * 2",
        ]  # fmt: skip
        return self.random.choice([*names, *self.indices])

    def condition(self) -> str:
        choices = [
            "c[0]", "b", "f", "!b", "c[1] == b", "n > 0", "u >= 2", "c == 5", "c != u", "c[0] ^ c[2]", "f && !c[1]",
            "f || b", "n == u", "true", "c < 3", "(n & 1) == 1", "u[0]",
        ]  # fmt: skip
        return self.random.choice(choices)

    def assign(self) -> str:
        choices = [
            f"n = {self.number()};", f"u = {self.number()};", f"n += {self.number()};", "u <<= 1;", "u |= c;",
            f"f = {self.condition()};", f"b = {self.condition()};", f"c[1] = {self.condition()};", "c = ~c;",
            "c[0] ^= b;", "n -= 1;", "n *= 3;", "f = !f;", f"c[2] = {self.random.randrange(2)};", "n = 2;", "u = 1;",
            "f = true;",
            'c = "101";', "c = u;", "u[1] = b;", "n = n / 2;", "n = n % 3;", "c[1:2] = u[0:1];", "t = 0.5;",
        ]  # fmt: skip
        return self.random.choice(choices)

    def call(self) -> str:
        first, second = self.random.sample(range(3), 2)
        choices = [
            f"c[{first}] = flip(q[{second}]);",
            f"b = parity(q[{first}], q[{second}]);",
            f"f = flip(q[{first}]) ^ flip(q[{second}]);" if self.random.random() < 0.3 else f"f = flip(q[{first}]);",
            f"n = count(q[{first}], n);",
            f"u = tried(q[{first}], 2);",
            f"if (parity(q[{first}], q[{second}])) x q[{first}];",
            f"flip(q[{first}]);",
        ]
        return self.random.choice(choices)

    # ------------------------------------------------------------------ compound statements

    def branch(self, depth: int, *, in_loop: bool) -> str:
        then = self.block(depth, in_loop=in_loop)
        text = f"if ({self.condition()}) {then}"
        if self.random.random() < 0.3:
            text += f" else if ({self.condition()}) {self.block(depth, in_loop=in_loop)}"
        if self.random.random() < 0.5:
            text += f" else {self.block(depth, in_loop=in_loop)}"
        return text

    def switch(self, depth: int, *, in_loop: bool) -> str:
        target = self.random.choice(["n", "u", "c", "int[4](c) + n"])
        cases = f"case 0 {self.block(depth, in_loop=in_loop)} case 1, 3 {self.block(depth, in_loop=in_loop)}"
        default = f" default {self.block(depth, in_loop=in_loop)}" if self.random.random() < 0.6 else ""
        return f"switch ({target}) {{ {cases}{default} }}"

    def loop(self, depth: int, *, in_loop: bool) -> str:
        name = f"i{self.counters}"
        self.counters += 1
        values = self.random.choice(["[0:1]", "{1, 3}", "[2:-1:1]"])
        if self.random.random() < 0.2:
            return f"for bit {name} in c {{ if ({name}) {self.block(depth + 1, in_loop=True)} }}"
        self.indices.append(name)
        body = self.block(depth + 1, in_loop=True)
        self.indices.remove(name)
        return f"for int {name} in {values} {body}"

    def repeat(self, depth: int, *, in_loop: bool) -> str:
        name = f"k{self.counters}"
        self.counters += 1
        body = self.block(depth + 1, in_loop=True)[1:]
        condition = self.random.choice([f"{self.condition()} && {name} < 2", f"{name} < 2"])
        return f"uint[2] {name} = 0; while ({condition}) {{ {name} += 1; {body}"
