// One block adds up, in double, what the rows of a loss came to.
#pragma once
#include "common/element.cuh"
#include "common/reduce.cuh"

struct LossSumArgs
{
    const float* sums;
    element* loss;
    long long count;
    double scale;
};

__device__ __forceinline__ void add_losses(const LossSumArgs& a)
{
    double sum = 0.0;
#pragma unroll 8
    for (long long i = threadIdx.x; i < a.count; i += blockDim.x) sum += a.sums[i];
    sum = BlockGroup::sum(sum);
    if (threadIdx.x == 0) a.loss[0] = narrow<element>(static_cast<float>(a.scale * sum));
}
