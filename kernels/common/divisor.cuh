// Division by a number known before the launch, as a product and a shift; for numbers from 0 to 2^31 - 1. Mirrors
// Data2Vec.Kernels/Ilgpu/Divisor.cs. Source: Granlund and Montgomery 1994.
#pragma once

struct Divisor
{
    unsigned int multiplier;
    int shift, divisor;

    __device__ __forceinline__ int divide(int number, int& rest) const
    {
        const unsigned long long product = static_cast<unsigned long long>(static_cast<unsigned int>(number)) * multiplier;
        const int whole = static_cast<int>(product >> shift);
        rest = number - whole * divisor;
        return whole;
    }
};
