"""The table of the commands of ``gateway``, with the summary, the arguments and the function of each.

``gateway --help`` loads this table and nothing else; each command imports what it needs when it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from gateway.cli.arguments import RUNTIMES, duration, noise, size

DEFAULT_SHOTS = 1024

Parser = argparse.ArgumentParser
Arguments = argparse.Namespace


class Command(NamedTuple):
    """One command.

    Args:
        name: the name of the command.
        summary: one line about what the command does.
        declare: a function that adds the command's arguments to a parser.
        run: a function that runs the command and returns the exit status.
        failed: the exit status of a failure; 2 where 1 says that simulators differ.
        statuses: what the exit statuses say, where they say more than that the command failed.
    """

    name: str
    summary: str
    declare: Callable[[Parser], None]
    run: Callable[[Arguments], int]
    failed: int = 1
    statuses: str = ""


# ---------------------------------------------------------------------- arguments


def _simulator_names() -> str:
    from gateway.simulators import SIMULATORS

    return ", ".join(SIMULATORS)


def _declare_list(parser: Parser) -> None:
    parser.add_argument("--abilities", action="store_true", help="show what each simulator can do")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--at", metavar="URL", help="show the simulators behind a gateway, by its URL or its name")
    place.add_argument("--local", action="store_true", help="show those of this machine, whatever GATEWAY_URL says")
    _add_json(parser)


def _declare_run(parser: Parser) -> None:
    from gateway.results import ResultType

    _add_circuit(parser)
    parser.add_argument(
        "--on", metavar="NAME", help=f"the simulator: one of {_simulator_names()}; with --at, one behind a gateway"
    )
    parser.add_argument("--at", metavar="URL", help=_AT)
    result_kind = parser.add_mutually_exclusive_group()
    result_kind.add_argument("--shots", type=int, help=f"number of shots; default: {DEFAULT_SHOTS}, or none if exact")
    result_kind.add_argument("--exact", action="store_true", help="exact probabilities instead of shots")
    result_kind.add_argument("--statevector", action="store_true", help="amplitudes of an unmeasured circuit")
    parser.add_argument("--result", choices=[str(kind) for kind in ResultType], help="the type of the result")
    parser.add_argument(
        "--observable",
        metavar="SUM",
        dest="observables",
        action="append",
        help="for --result expectation: such as '0.5 ZZI - IXX', qubit 0 rightmost, or 'Z0 Z17'; may be repeated",
    )
    parser.add_argument(
        "--bitstrings", metavar="BITS", type=_listed, help="for --result amplitudes: such as 000,111, qubit 0 rightmost"
    )
    parser.add_argument(
        "--clbits",
        metavar="NUMBERS",
        type=_numbers,
        help="the clbits that the result is about, such as 3,0; default: all",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        dest="parameters",
        action="append",
        type=_parameter,
        help="the value of a parameter in radians, or several for a run at each: theta=0,0.5,1; may be repeated",
    )
    _add_run_options(parser)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _parameter(text: str) -> tuple[str, float | list[float]]:
    name, _, value = text.partition("=")
    try:
        values = [float(part) for part in _listed(value)]
    except ValueError:
        values = []
    if not name.strip() or not values:
        raise argparse.ArgumentTypeError(f"a name and numbers such as theta=0.3, not {text!r}")
    return name.strip(), values if "," in value else values[0]


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in _listed(text)]
    except ValueError:
        raise argparse.ArgumentTypeError(f"numbers of clbits such as 3,0, not {text!r}") from None


def _declare_compare(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="OpenQASM 2 or 3; - reads standard input")
    _add_backends(parser, "default: all that take the circuits")
    shots = parser.add_mutually_exclusive_group()
    shots.add_argument("--shots", type=int, help="number of shots; default: 10000")
    shots.add_argument(
        "--resolution", metavar="DISTANCE", type=float, help="choose the shots that find this distance, such as 0.01"
    )
    parser.add_argument("--repeat", metavar="NUMBER", type=int, default=1, help="run as often, for the times")
    parser.add_argument("--side-by-side", action="store_true", help="run all simulators at the same time")
    parser.add_argument("--no-exact", dest="exact", action="store_false", help="compare samples only")
    parser.add_argument(
        "--no-reproducer",
        dest="reproduce",
        action="store_false",
        help="do not look for the smallest circuit that differs",
    )
    parser.add_argument(
        "--time-limit", dest="time_limit_s", metavar="DURATION", type=duration, help="of all runs together, such as 10m"
    )
    parser.add_argument("--save", metavar="FILE", help="write the record, as JSON")
    parser.add_argument("--against", metavar="FILE", help="say what has changed since an older record")
    parser.add_argument("--report", metavar="FILE", help="write a report: .html or .md")
    _add_run_options(parser)


def _declare_locate(parser: Parser) -> None:
    _add_circuit(parser)
    _add_backends(parser, "two, or one to compare it with the exact result")
    parser.add_argument("--shots", type=int, help="shots of each run, where exact results show nothing")
    parser.add_argument("--seed", type=int, help="seed of these runs; drawn at random by default")
    parser.add_argument(
        "--time-limit", dest="seconds", metavar="DURATION", type=duration, help="of the search, such as 10m"
    )
    _add_runtime(parser)
    _add_json(parser)


def _declare_reduce(parser: Parser) -> None:
    _declare_locate(parser)
    parser.add_argument("--output", metavar="FILE", help="write the circuit, or for .md a bug report")


def _declare_hunt(parser: Parser) -> None:
    _add_backends(parser, "default: all that are installed")
    parser.add_argument("--minutes", metavar="NUMBER", type=float, default=10.0, help="how long; default: %(default)g")
    parser.add_argument("--circuits", metavar="NUMBER", type=int, help="end after so many; default: when time is over")
    parser.add_argument("--folder", metavar="FOLDER", help="try the .qasm files of a folder first")
    parser.add_argument("--save", metavar="FILE", help="write the report as JSON, after each finding")
    parser.add_argument("--seed", type=int, help="seed of the first circuit; each later one has the next")
    _add_runtime(parser)
    _add_json(parser)


def _declare_verify(parser: Parser) -> None:
    _add_backends(parser, "default: all that are installed")
    parser.add_argument(
        "--groups",
        metavar="NAMES",
        action="append",
        help="parts of the battery, such as 'bit order,gates'; default: all",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the samples; default: %(default)s")
    _add_runtime(parser)
    _add_json(parser)


def _declare_serve(parser: Parser) -> None:
    from gateway.cli import serve

    serve.add_arguments(parser)


def _declare_open(parser: Parser) -> None:
    from gateway.cli import open as opening

    opening.add_arguments(parser)


def _declare_token(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the holder of the token; a holder may have several")
    parser.add_argument(
        "--file", metavar="FILE", help="add the digest of the token to this file, which gateway serve --tokens reads"
    )
    parser.add_argument(
        "--rights",
        metavar="RIGHTS",
        default="run,compare",
        help="what the token lets its holder do, of run, compare and admin, separated by commas; default: %(default)s",
    )


def _declare_config(parser: Parser) -> None:
    _add_json(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions; without one, they are shown")
    add = actions.add_parser("add", help="give a gateway, or a server, a name")
    add.add_argument("name", metavar="NAME", help="the name, for --at NAME")
    add.add_argument("url", metavar="URL", help="such as https://lab.example:8443")
    token = add.add_mutually_exclusive_group()
    token.add_argument("--token", metavar="-", help="ask for its token, or read it from standard input")
    token.add_argument("--token-file", metavar="FILE", help="take its token from a file")
    add.add_argument("--ca", metavar="FILE", help="trust the certificates of this file or folder, not the system's")
    add.add_argument("--default", action="store_true", help="use it where none is named")
    for action, what in (("remove", "forget a gateway"), ("default", "use a gateway where none is named")):
        actions.add_parser(action, help=what).add_argument("name", metavar="NAME", help="its name")
    actions.add_parser("path", help="print the path of the file")


def _declare_backup(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="the file of the backup; - is standard output or input")
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        help="where the databases are; default: where servers keep them, simulator-gateway in $XDG_STATE_HOME",
    )


def _declare_up(parser: Parser) -> None:
    _add_names(parser)
    _add_resources(parser, "memory of each container, such as 2g")
    parser.add_argument("--cpus", metavar="NUMBER", type=float, help="processors of each container")
    _add_json(parser)


def _declare_names(parser: Parser) -> None:
    _add_names(parser)
    _add_json(parser)


def _declare_logs(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="a simulator, or a container's name as gateway ps shows it")
    parser.add_argument("-f", "--follow", action="store_true", help="go on printing new lines until Ctrl-C")
    parser.add_argument("-n", "--lines", type=int, default=100, help="how many of the last lines; default: %(default)s")


def _declare_build(parser: Parser) -> None:
    parser.add_argument("--no-cache", action="store_true", help="build every step anew")
    _add_json(parser)


def _add_circuit(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="OpenQASM 2 or 3; - reads standard input")


_AT = (
    "the URL of a gateway or of a simulator's server, such as https://lab.example:8443 or http://lab:8088, or its name "
    "in gateway config; GATEWAY_TOKEN holds its token; default without --on: GATEWAY_URL, or that of gateway config"
)


def _add_backends(parser: Parser, default: str) -> None:
    parser.add_argument(
        "--on",
        metavar="NAMES",
        action="append",
        help=f"simulators, with commas, of {_simulator_names()}; with --at, of those behind a gateway; {default}",
    )
    parser.add_argument("--at", metavar="URL", action="append", help=f"{_AT}; may be given several times")


def _add_names(parser: Parser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"simulators, of {_simulator_names()}; default: all")


def _add_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_resources(parser: Parser, memory: str) -> None:
    parser.add_argument(
        "--threads", metavar="NUMBER", type=int, help="threads of a run, where a simulator can use several"
    )
    parser.add_argument("--memory", metavar="SIZE", type=size, help=memory)


def _add_run_options(parser: Parser) -> None:
    parser.add_argument("--seed", type=int, help="seed of the sampler: the same seed gives the same counts")
    parser.add_argument(
        "--sampling",
        choices=("auto", "native"),
        default="auto",
        help="native: draw shots with each simulator's own sampler",
    )
    parser.add_argument(
        "--noise",
        metavar="RULES",
        type=noise,
        help="such as depolarizing=0.001,depolarizing2=0.01,readout=0.02, or a file of a model as JSON",
    )
    _add_runtime(parser)
    _add_json(parser)


def _add_runtime(parser: Parser) -> None:
    parser.add_argument(
        "--timeout",
        "--timeout-s",
        dest="timeout_s",
        metavar="DURATION",
        type=duration,
        help="kill a run after this time, such as 90s or 10m; a number alone is in seconds",
    )
    _add_resources(parser, "memory of a run, such as 2g; of each container with --runtime docker")
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default="auto",
        help="docker: in containers; local: in processes of this machine; auto, the default, chooses what is ready",
    )


# ---------------------------------------------------------------------- functions of the commands, imported when needed


def _list(arguments: Arguments) -> int:
    from gateway.cli import listing

    return listing.show(arguments)


def _run(arguments: Arguments) -> int:
    from gateway.cli import circuits

    return circuits.run(arguments)


def _of_comparing(name: str) -> Callable[[Arguments], int]:
    def run(arguments: Arguments) -> int:
        from gateway.cli import comparing

        return comparing.command(name, arguments)

    return run


def _serve(arguments: Arguments) -> int:
    from gateway.cli import serve

    return serve.command(arguments)


def _open(arguments: Arguments) -> int:
    from gateway.cli import open as opening

    return opening.command(arguments)


def _token(arguments: Arguments) -> int:
    from gateway.cli import tokens

    return tokens.make(arguments)


def _config(arguments: Arguments) -> int:
    from gateway.cli import config

    return config.command(arguments)


def _backup(arguments: Arguments) -> int:
    from gateway.cli import backups

    return backups.make(arguments)


def _restore(arguments: Arguments) -> int:
    from gateway.cli import backups

    return backups.put_back(arguments)


def _of_containers(name: str) -> Callable[[Arguments], int]:
    def run(arguments: Arguments) -> int:
        from gateway.cli import containers

        return containers.COMMANDS[name](arguments)

    return run


def _comparing(name: str, summary: str, declare: Callable[[Parser], None], statuses: str) -> Command:
    return Command(name, summary, declare, _of_comparing(name), failed=2, statuses=f"Exit status: {statuses}.")


_COMPARED = "0 if all agree; 1 if one differs; 2 if one failed or cannot run a circuit, or if nobody knows who is right"
_SEARCHED = "0 if the simulators agree; 1 if they differ; 2 if that could not be found out"
_HUNTED = "0 if nothing was found; 1 if something was; 2 if a simulator took no part, or the hunt failed"
_VERIFIED = "0 if all pass; 1 if one fails a row; 2 if one did not answer, or the verification was interrupted"


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command("list", "show the simulators, their ports and what is installed", _declare_list, _list),
        Command("run", "run a circuit on one simulator", _declare_run, _run),
        _comparing(
            "compare", "run circuits on several simulators, and say who differs and why", _declare_compare, _COMPARED
        ),
        _comparing("locate", "find the operation after which a simulator differs", _declare_locate, _SEARCHED),
        _comparing("reduce", "find the smallest circuit on which a simulator differs", _declare_reduce, _SEARCHED),
        _comparing("hunt", "try random circuits on simulators until some differ", _declare_hunt, _HUNTED),
        _comparing("verify", "hold simulators to a battery of circuits", _declare_verify, _VERIFIED),
        Command("serve", "serve simulators over HTTP until Ctrl-C", _declare_serve, _serve),
        Command("open", "open one port for all simulators, with a page", _declare_open, _open),
        Command("token", "make a token that lets its holder use a server", _declare_token, _token),
        Command("config", "show and change the gateways that have names, for --at NAME", _declare_config, _config),
        Command("backup", "copy the databases of jobs and comparisons while servers run", _declare_backup, _backup),
        Command("restore", "put the databases of a backup in their place", _declare_backup, _restore),
        Command(
            "up",
            "start simulators in containers on their own ports, and keep them",
            _declare_up,
            _of_containers("up"),
        ),
        Command("down", "remove the containers of this user", _declare_names, _of_containers("down")),
        Command("ps", "show the containers", _declare_names, _of_containers("ps")),
        Command("logs", "show what a container's server wrote", _declare_logs, _of_containers("logs")),
        Command("build", "build the image of this version", _declare_build, _of_containers("build")),
        Command("doctor", "check what containers need, and say what to do", _declare_names, _of_containers("doctor")),
    )
}
"""Name -> command, in the order in which the help shows them."""
