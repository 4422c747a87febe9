// Bad indices: kernels cannot throw, so they note the first in device memory, leave the element out, and the host reads
// it at its next wait. The struct and the numbers are those of Data2Vec.Kernels/Ilgpu/Fault.cs.
#pragma once

enum IndexedOp : int
{
    GatherRowsIndex = 1,
    ScatterRowsIndex,
    GatherIndex,
    ScatterIndex,
    CrossEntropyTarget,
    SmoothL1Row,
    CastValue,
    CtcFrames,
    CtcLabels,
    CtcLabel,
};

struct Fault
{
    int op, taken;
    long long position, index, limit;
};

static_assert(sizeof(Fault) == 32, "the struct of Data2Vec.Kernels/Ilgpu/Fault.cs");

// True when 0 <= index < limit; otherwise the fault is noted, unless there is one already.
__device__ __forceinline__ bool admits(Fault* fault, IndexedOp op, long long index, long long position, long long limit)
{
    if (index >= 0 && index < limit) return true;
    if (atomicCAS(&fault->taken, 0, 1) == 0)
    {
        fault->position = position;
        fault->index = index;
        fault->limit = limit;
        fault->op = op;
    }
    return false;
}
