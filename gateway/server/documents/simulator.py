"""The page at the root of a simulator's own port: what this is, its state, its limits, and a call to begin with."""

from __future__ import annotations

from gateway.errors import GatewayError
from gateway.look.markup import Html, join
from gateway.look.numbers import integer, seconds
from gateway.look.sheet import element
from gateway.protocol.endpoints import RUN
from gateway.protocol.messages import BackendInfo, ServerLimits
from gateway.protocol.openapi import SIMULATOR
from gateway.server.documents.calls import CLIENT, TOKEN_VARIABLE, Calls
from gateway.server.documents.document import document, listing, section
from gateway.simulators import SIMULATORS


def simulator_page(described: BackendInfo | GatewayError | None, load: str, url: str, *, needs_token: bool) -> str:
    """Return the page of a simulator as an HTML document.

    Args:
        described: what the simulator says of itself, or why it says nothing; ``None`` while it is being imported.
        load: what it has to do, in a few words.
        url: where the server is, as who asks has called it.
        needs_token: whether the server demands tokens.
    """
    if described is None:
        state = "Starting: the simulator is not imported yet. GET /v1/backend waits for it, or says why."
        return document("A simulator", SIMULATOR.title, _facts(state), _example(url, needs_token=needs_token))
    if isinstance(described, GatewayError):
        return document("A simulator", SIMULATOR.title, _facts(f"Failed: {described.message}"), _documentation())
    state = f"Ready: {load}." if described.online else f"Takes no work: {described.status or 'it does not say why'}."
    told = f"{described.status}." if described.online and described.status else ""
    return document(
        described.name,
        join(f"version {described.version}, {SIMULATOR.title} {described.gateway_version}"),
        _facts(_summary(described.name), state, told, _limits(described.limits)),
        _example(url, needs_token=needs_token),
    )


def locked_page(url: str) -> str:
    """Return the page for those without a token, which says no more than that one is needed."""
    wanted = "This server wants a token. It is sent with each request as "
    sent = element("code", "Authorization: Bearer TOKEN")
    return document("A simulator", SIMULATOR.title, _facts(join(wanted, sent, ".")), _example(url, needs_token=True))


def _facts(*sentences: object) -> Html:
    return element("section", *[element("p", each) for each in sentences if each])


def _summary(name: str) -> str:
    what = f"{SIMULATORS[name].summary}: it" if name in SIMULATORS else "It"
    return f"{what} runs circuits that are sent to this address."


def _limits(limits: ServerLimits) -> str:
    return (
        f"Limits: {integer(limits.max_qubits)} qubits, {integer(limits.max_shots)} shots of a circuit, "
        f"{integer(limits.max_circuits)} circuits of a request, {seconds(limits.timeout_s)} for a run."
    )


def _example(url: str, *, needs_token: bool) -> Html:
    calls = Calls(SIMULATOR, url, needs_token)
    token = element("p", "The token is taken from ", element("code", f"${TOKEN_VARIABLE}"), ".") if needs_token else ""
    return join(
        section("Run a circuit", token, listing(calls.curl(RUN), "curl"), listing(calls.client(), CLIENT)),
        _documentation(),
    )


def _documentation() -> Html:
    link = element("a", "The documentation", href="docs")
    return section("All requests", element("p", link, " has each of them, with examples."))
