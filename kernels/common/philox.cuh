// Philox4x32 with 10 rounds (Salmon et al., SC 2011), keyed as Data2Vec.Kernels/Numerics/Philox.cs says: the same words
// for the same key and position on every backend.
#pragma once
#include "common/step_values.cuh"

struct Words
{
    unsigned int w[4];
};

// One instruction; written as a product of 64-bit numbers it becomes several.
__device__ __forceinline__ unsigned long long wide_product(unsigned int a, unsigned int b)
{
    unsigned long long product;
    asm("mul.wide.u32 %0, %1, %2;" : "=l"(product) : "r"(a), "r"(b));
    return product;
}

// The four words of a block: key words = seed low, seed high; counter words = block low 32 bits; block bits 32..47 with
// the micro-batch above them; site; step.
__device__ __forceinline__ Words philox_block(const StepValues& step, unsigned int site, unsigned long long block)
{
    unsigned int c0 = static_cast<unsigned int>(block);
    unsigned int c1 = (static_cast<unsigned int>(block >> 32) & 0xffffu) | (step.micro_batch << 16);
    unsigned int c2 = site;
    unsigned int c3 = step.step;
    unsigned int k0 = static_cast<unsigned int>(step.seed);
    unsigned int k1 = static_cast<unsigned int>(step.seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; ++round)
    {
        const unsigned long long product0 = wide_product(0xD2511F53u, c0);
        const unsigned long long product1 = wide_product(0xCD9E8D57u, c2);
        c0 = static_cast<unsigned int>(product1 >> 32) ^ c1 ^ k0;
        c1 = static_cast<unsigned int>(product1);
        c2 = static_cast<unsigned int>(product0 >> 32) ^ c3 ^ k1;
        c3 = static_cast<unsigned int>(product0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}
