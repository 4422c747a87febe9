#!/usr/bin/env python3
"""Times cases in PyTorch, for `bench time --peer pytorch`, which writes the cases and reads the results.

usage: pytorch_peer.py CASES.json RESULTS.json

CASES.json: {"version": 1, "device": "cuda:0" or "cpu", "cases": [{"id", "op", "dtype": "float32" or "bfloat16",
"shapes": {name: extents}, "options": {...}, "passes": [{"pass": "forward" or "forward+backward", "bytes"}]}]}
RESULTS.json: {"version": 1, "peer", "device", "bounds": {"copy_gigabytes", "gigaflops": {dtype: n}}, "results":
[{"id", "pass", "variants": [{"variant", "min_seconds", "median_seconds", "runs"} or {"variant", "error"}]}]}

Exit code 3, with one sentence as the last line of standard error: this interpreter has no PyTorch, or it has no such device.
"""
import json
import sys
import time


def refuse(sentence):
    print(sentence, file=sys.stderr)
    sys.exit(3)


try:
    import torch
    import torch.nn.functional as F
except Exception as e:  # a broken installation fails with whatever it likes
    refuse(f"{sys.executable} (Python {sys.version.split()[0]}) cannot import torch: {e}")

SECONDS, LONGEST, FEWEST, MOST = 0.2, 3.0, 5, 2000
INTERVAL, HEAD_START, MOST_COPIES, COLD_BY_THEMSELVES = 100e-6, 1.5, 16, 4
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Clock:
    """Times calls as the engine's own timer does: on a GPU between events, with an empty cache and a host that is ahead."""

    def __init__(self, device):
        self.cuda = device.type == "cuda"
        self.cache = 0
        if self.cuda:
            self.cache = getattr(torch.cuda.get_device_properties(device), "L2_cache_size", 64 << 20)
            self.flushed = torch.empty(2 * self.cache, dtype=torch.uint8, device=device)
            self.first, self.last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def copies(self, size):
        cold = COLD_BY_THEMSELVES * self.cache
        return 1 if size >= cold else min(MOST_COPIES, -(-cold // max(1, size)))

    def between(self, work):
        """Seconds that the device took, and the host to queue it."""
        if not self.cuda:
            start = time.perf_counter()
            work()
            return time.perf_counter() - start, 0.0
        self.first.record()
        start = time.perf_counter()
        work()
        host = time.perf_counter() - start
        self.last.record()
        self.last.synchronize()
        return self.first.elapsed_time(self.last) / 1e3, host

    def flush(self, times):
        for _ in range(times):
            self.flushed.zero_()

    def measure(self, calls, size):
        """Least and median seconds of one call, and samples."""
        for _ in range(3):
            for call in calls:
                call()
        if self.cuda:
            torch.cuda.synchronize()
        once, host = self.between(calls[0])
        most = 4096 if size * len(calls) >= COLD_BY_THEMSELVES * self.cache else len(calls)
        count = max(1, min(most, round(INTERVAL / max(once, 1e-9) + 0.5)))
        flushes = 0
        if self.cuda:
            self.flush(2)
            one = self.between(lambda: self.flush(4))[0] / 4
            flushes = int(max(1, min(1000, HEAD_START * host * count / max(one, 1e-7) + 1)))

        def sample():
            for i in range(count):
                calls[i % len(calls)]()

        seconds, start = [], time.perf_counter()
        while len(seconds) < FEWEST or (sum(seconds) * count < SECONDS and len(seconds) < MOST
                                        and time.perf_counter() - start < LONGEST):
            if flushes:
                self.flush(flushes)
            seconds.append(self.between(sample)[0] / count)
        seconds.sort()
        return {"min_seconds": seconds[0], "median_seconds": seconds[len(seconds) // 2], "runs": len(seconds)}


    def measure_updates(self, update):
        """The same of updates that follow each other without a wait, from one to the next; the first finds an empty queue."""
        for _ in range(3):
            update()
        seconds = []
        while len(seconds) < FEWEST or sum(seconds) < SECONDS:
            if self.cuda:
                marks = [torch.cuda.Event(enable_timing=True) for _ in range(FEWEST + 1)]
                for mark in marks:
                    update()
                    mark.record()
                torch.cuda.synchronize()
                seconds += [a.elapsed_time(b) / 1e3 for a, b in zip(marks, marks[1:])]
            else:
                seconds.append(self.between(update)[0])
        seconds.sort()
        return {"min_seconds": seconds[0], "median_seconds": seconds[len(seconds) // 2], "runs": len(seconds)}


# An operation: options -> {variant: function of the operands in the order of the case's shapes}; operands that are not made
# of normal numbers, and those that have no gradient, are named beside it.

def compiled(functions):
    """The first function compiled too, where this PyTorch can."""
    if hasattr(torch, "compile"):
        # Every case has shapes of its own: what was compiled for others must not count against it.
        torch._dynamo.reset()
        first = next(iter(functions.values()))
        functions["compile"] = torch.compile(first, dynamic=False)
    return functions


def matmul(options):
    return {"eager": torch.matmul}


def linear(options):
    gelu = options.get("activation") == "gelu"

    def run(x, w, b):
        y = F.linear(x, w, b)
        return F.gelu(y) if gelu else y
    return compiled({"eager": run})


def feed_forward(options):
    return compiled({"eager": lambda x, w1, b1, w2, b2: F.linear(F.gelu(F.linear(x, w1, b1)), w2, b2)})


def conv1d(options):
    def run(x, w):
        return F.conv1d(x, w, None, options.get("stride", 1), options.get("padding", 0), 1, options.get("groups", 1))
    return {"eager": run}


def conv1d_layer_norm(options):
    """Channels are second before the norm, and last behind it."""
    def run(x, w, gamma, beta):
        y = F.conv1d(x, w, None, options["stride"]).transpose(1, 2)
        return F.gelu(F.layer_norm(y, y.shape[-1:], gamma, beta, 1e-5))
    return compiled({"eager": run})


def layer_norm(options):
    p = options.get("dropout", 0)

    def run(x, gamma, beta, residual=None):
        if p:
            x = F.dropout(x, p)
        if residual is not None:
            x = x + residual
        return F.layer_norm(x, x.shape[-1:], gamma, beta, 1e-5)
    return compiled({"eager": run})


def smooth_l1(options):
    beta = options["beta"]

    def run(x, t, rows):
        return F.smooth_l1_loss(x.index_select(0, rows).float(), t.float(), beta=beta)
    return compiled({"eager": run})


def cross_entropy(options):
    return compiled({"eager": lambda x, t: F.cross_entropy(x, t)})


def ctc(options):
    frames, lengths = options["frames"], options["labels"]
    labels = [1 + (i * i // 3 + i // 7) % (options["classes"] - 1) for n in lengths for i in range(n)]

    def run(x):
        places = labels_of.setdefault(x.device, torch.tensor(labels, device=x.device))
        return F.ctc_loss(F.log_softmax(x, -1).transpose(0, 1), places, frames_of, lengths_of)
    labels_of, frames_of, lengths_of = {}, torch.tensor(frames), torch.tensor(lengths)
    return {"eager": run}


def attention(options):
    """q, k, v [batch, time, heads, size]; then bias [heads, time, time], or slopes [heads]; lengths of the samples."""
    p, lengths, alibi = options.get("dropout", 0), options.get("lengths"), options.get("alibi", False)
    masks = {}

    def mask(q, extra):
        """What is added to the scores, or which keys take part; what never changes is made once."""
        time = q.shape[1]
        if lengths is not None:
            if q.device not in masks:
                ends = torch.tensor(lengths, device=q.device)
                masks[q.device] = (torch.arange(time, device=q.device)[None] < ends[:, None])[:, None, None]
            return masks[q.device]
        if extra is None:
            return None
        if not alibi:
            return extra[None]
        if q.device not in masks:
            i = torch.arange(time, device=q.device)
            masks[q.device] = (-extra.float()[:, None, None] * (i[:, None] - i[None]).abs())[None].to(q.dtype)
        return masks[q.device]

    def scores(q, k, v, m):
        s = torch.matmul(q.transpose(1, 2), k.permute(0, 2, 3, 1)) * q.shape[-1] ** -0.5
        if m is not None:
            s = s.masked_fill(~m, float("-inf")) if m.dtype == torch.bool else s + m
        w = F.dropout(torch.softmax(s, -1), p) if p else torch.softmax(s, -1)
        return torch.matmul(w, v.transpose(1, 2)).transpose(1, 2)

    def fused(q, k, v, m):
        return F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=m, dropout_p=p).transpose(1, 2)

    def with_mask(function):
        return lambda q, k, v, extra=None: function(q, k, v, mask(q, extra))

    functions = compiled({"eager": scores})
    if hasattr(F, "scaled_dot_product_attention"):
        functions["sdpa"] = fused
        try:
            from torch.nn.attention import SDPBackend, sdpa_kernel
            for name in ("FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION"):
                if hasattr(SDPBackend, name):
                    def forced(q, k, v, m, backend=getattr(SDPBackend, name)):
                        with sdpa_kernel(backend):
                            return fused(q, k, v, m)
                    functions["sdpa " + name.split("_")[0].lower()] = forced
        except ImportError:
            pass
    return {name: with_mask(f) for name, f in functions.items()}


OPERATIONS = {f.__name__: f for f in (
    matmul, linear, feed_forward, conv1d, conv1d_layer_norm, layer_norm, smooth_l1, cross_entropy, ctc, attention)}


def operand(name, shape, case, device, dtype):
    options = case["options"]
    if name in options.get("indices", {}):
        below = options["indices"][name]
        drawn = torch.randperm(below)[:shape[0]] if shape[0] <= below else torch.randint(below, shape)
        return drawn.to(device)
    if name == "slopes":
        return torch.rand(shape, device=device) * 0.45 + 0.05
    x = torch.randn(shape, device=device, dtype=dtype)
    # Products of many terms stay near 1.
    return x / (x[0].numel() ** 0.5) if name == "w" else x


def time_operation(case, device, clock):
    dtype = TYPES[case["dtype"]]
    functions = OPERATIONS[case["op"]](case["options"])
    constant = set(case["options"].get("constant", [])) | set(case["options"].get("indices", {}))
    for entry in case["passes"]:
        backward = entry["pass"] != "forward"
        sets, variants = [], []
        for _ in range(clock.copies(entry["bytes"])):
            sets.append({n: operand(n, s, case, device, dtype) for n, s in case["shapes"].items()})
            if backward:
                for name, x in sets[-1].items():
                    x.requires_grad_(name not in constant)
        seed = None
        for name, function in functions.items():
            try:
                if backward and seed is None:
                    y = function(*sets[0].values())
                    seed = torch.randn_like(y)

                def call(operands, function=function):
                    if not backward:
                        with torch.no_grad():
                            return function(*operands.values())
                    y = function(*operands.values())
                    return torch.autograd.grad(y, [x for x in operands.values() if x.requires_grad], seed)
                calls = [lambda operands=o: call(operands) for o in sets]
                variants.append({"variant": name, **clock.measure(calls, entry["bytes"])})
            except Exception as e:  # a variant that a device or version does not have is told, and the others go on
                variants.append({"variant": name, "error": first_line(e)})
        yield {"id": case["id"], "pass": entry["pass"], "variants": variants}


def time_optimizer(case, device, clock):
    """AdamW over the tensors of a model, then the moving average of a copy."""
    lengths, decay, variants = case["options"]["lengths"], 0.999, []
    for name, how in (("fused AdamW, foreach EMA", {"fused": True}), ("foreach AdamW, foreach EMA", {"foreach": True})):
        try:
            parameters = [torch.randn(n, device=device) for n in lengths]
            teacher = [p.clone() for p in parameters]
            for p in parameters:
                p.requires_grad_(True)
                p.grad = torch.randn_like(p)
            optimizer = torch.optim.AdamW(parameters, 1e-4, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01, **how)

            def call():
                optimizer.step()
                with torch.no_grad():
                    torch._foreach_mul_(teacher, decay)
                    torch._foreach_add_(teacher, parameters, alpha=1 - decay)
            variants.append({"variant": name, **clock.measure([call], case["passes"][0]["bytes"])})
        except Exception as e:
            variants.append({"variant": name, "error": first_line(e)})
    yield {"id": case["id"], "pass": case["passes"][0]["pass"], "variants": variants}


def time_step(case, device, clock):
    """A whole update, one after the other."""
    from pytorch_models import update_of
    try:
        update = update_of(case["options"], device, case["dtype"] == "bfloat16")
        variants = [{"variant": "eager", **clock.measure_updates(update)}]
    except Exception as e:
        variants = [{"variant": "eager", "error": first_line(e)}]
    yield {"id": case["id"], "pass": "update", "variants": variants}


def first_line(e):
    return f"{type(e).__name__}: {str(e).strip().splitlines()[0] if str(e).strip() else ''}"


def bounds(device, clock):
    """A large copy, read and written bytes, and the largest products."""
    cuda = device.type == "cuda"
    size = 512 << 20 if cuda else 64 << 20
    source, target = (torch.zeros(size, dtype=torch.uint8, device=device) for _ in range(2))
    copy = 2 * size / clock.measure([lambda: target.copy_(source)], 2 * size)["min_seconds"]
    n, peaks = 8192 if cuda else 1024, {}
    for name, dtype in TYPES.items():
        a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
        peaks[name] = 2 * n ** 3 / clock.measure([lambda: torch.matmul(a, b)], n * n * 4)["min_seconds"] / 1e9
    return {"copy_gigabytes": copy / 1e9, "gigaflops": peaks}


def main():
    if len(sys.argv) != 3:
        refuse("usage: pytorch_peer.py CASES.json RESULTS.json")
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    if request["version"] != 1:
        refuse(f"pytorch_peer.py speaks version 1 of the protocol, not {request['version']}")
    device = torch.device(request["device"])
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        refuse(f"PyTorch {torch.__version__} of {sys.executable} has no device {device}: "
               f"it finds {torch.cuda.device_count() if torch.cuda.is_available() else 0} CUDA devices")
    torch.manual_seed(1)
    # Float32 means float32 on both sides.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    name = "cpu"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        name = torch.cuda.get_device_name(device)
    clock = Clock(device)
    answer = {"version": 1, "peer": f"PyTorch {torch.__version__}", "device": name, "bounds": bounds(device, clock),
              "results": []}
    kinds = {"step": time_step, "adamw_ema": time_optimizer}
    for case in request["cases"]:
        for result in kinds.get(case["op"], time_operation)(case, device, clock):
            answer["results"].append(result)
            best = min((v["min_seconds"] for v in result["variants"] if "min_seconds" in v), default=None)
            print(f"{result['id']} {result['pass']}: " + ("no variant ran" if best is None else f"{best * 1e6:.1f} us"),
                  file=sys.stderr, flush=True)
        if device.type == "cuda":
            torch.cuda.empty_cache()
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answer, file, indent=1)


if __name__ == "__main__":
    main()
