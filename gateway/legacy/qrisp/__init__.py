"""The interface of released Qrisp clients: circuits as objects, deployments and jobs.

=============  ==========================================  ==============================
qrisp          speaks                                      here
=============  ==========================================  ==============================
0.1 to 0.4.10  Thrift: ``run(qc, shots, token)``, ``ping`` objects.py, interface.thrift
0.1 to 0.3     the same as JSON: ``/run``, ``/ping``       objects.py
0.4 to 0.8.2   ``/deployments``, ``/jobs``, OpenQASM text  deployments.py
=============  ==========================================  ==============================

From 0.9 on Qrisp has no client of its own, see :mod:`gateway.frameworks`.
"""
