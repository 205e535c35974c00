"""NVIDIA CUDA-Q's sampler on a processor, each measurement under a name of its own."""

import cudaq
from lines import serve

GATES = {"cx": "cx", "cz": "cz", "h": "h", "rx": "rx", "ry": "ry", "rz": "rz", "s": "s", "t": "t", "x": "x", "z": "z"}


def kernel_of(request):
    """Return the kernel, and clbit -> name of the measurement that is its last."""
    kernel, last = cudaq.make_kernel(), {}
    qubits = kernel.qalloc(request["num_qubits"])
    for index, (name, places, params, clbits, condition) in enumerate(request["operations"]):
        operands = [qubits[place] for place in places]
        if condition:
            raise ValueError("conditions are not translated")
        if name == "measure":
            last[clbits[0]] = f"m{index}"
            kernel.mz(operands[0], last[clbits[0]])
        elif name == "reset":
            kernel.reset(operands[0])
        elif name != "barrier":
            getattr(kernel, GATES[name])(*params, *operands)
    return kernel, last


def run(request):
    kernel, last = kernel_of(request)
    cudaq.set_random_seed(request["seed"])
    result = cudaq.sample(kernel, shots_count=request["shots"])
    columns = {clbit: result.get_sequential_data(name) for clbit, name in last.items()}
    clbits = range(request["num_clbits"] - 1, -1, -1)
    totals = {}
    for shot in range(request["shots"]):
        key = "".join(columns[clbit][shot] if clbit in columns else "0" for clbit in clbits)
        totals[key] = totals.get(key, 0) + 1
    return {"counts": totals}


cudaq.set_target("qpp-cpu")
serve(run)
