"""The client of a gateway: the simulators behind it as backends, and comparisons that it runs and keeps.

::

    from gateway import GatewayClient

    with GatewayClient("https://lab.example:8443") as lab:
        lab.simulator("qulacs").run(circuit, shots=1000)
        lab.compare(circuit)
"""
