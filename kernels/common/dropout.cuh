// Data2Vec.Kernels/Memory/StepValues.cs, DropoutSource: drawn bits, an explicit keep mask, or no dropout at all. Bits
// are a function of seed, step, micro-batch, site and logical position, so that backward draws them again and nothing
// is stored.
#pragma once
#include "common/philox.cuh"

enum DropoutMode : int
{
    NoDropout = 0,
    DrawnBits = 1,
    GivenMask = 2,
};

struct Dropout
{
    const StepValues* step;
    const unsigned char* keep;
    unsigned int threshold, site;
    // byte_threshold and byte_scale are those of attention, whose bits are bytes.
    int byte_threshold, mode;
    float scale, byte_scale;

    // keep / (1 - p) at a position: 0, or the scale; 1 without dropout.
    __device__ __forceinline__ float factor(long long position) const
    {
        if (mode == NoDropout) return 1.0f;
        if (mode == GivenMask) return keep[position] != 0 ? scale : 0.0f;
        const Words words = philox_block(*step, site, static_cast<unsigned long long>(position) >> 2);
        const int at = static_cast<int>(position & 3);
        const unsigned int word = at == 0 ? words.w[0] : at == 1 ? words.w[1] : at == 2 ? words.w[2] : words.w[3];
        return word >= threshold ? scale : 0.0f;
    }

    // Multiplies Count neighbours, from a position on that is a multiple of four, by their factors: a block of words
    // for each four of them.
    template <int Count>
    __device__ __forceinline__ void apply(float (&values)[Count], long long position) const
    {
        static_assert(Count % 4 == 0, "a block has four words");
        if (mode == DrawnBits)
        {
#pragma unroll
            for (int i = 0; i < Count; i += 4)
            {
                const Words words = philox_block(*step, site, static_cast<unsigned long long>(position + i) >> 2);
#pragma unroll
                for (int j = 0; j < 4; ++j) values[i + j] *= words.w[j] >= threshold ? scale : 0.0f;
            }
        }
        else if (mode == GivenMask)
        {
#pragma unroll
            for (int i = 0; i < Count; ++i) values[i] *= keep[position + i] != 0 ? scale : 0.0f;
        }
    }

    // Sixteen byte draws of attention: bit i tells whether position 16 block + i is kept.
    __device__ __forceinline__ unsigned int byte_block_bits(unsigned long long block) const
    {
        const Words words = philox_block(*step, site, block);
        unsigned int bits = 0;
#pragma unroll
        for (int i = 0; i < 16; ++i)
        {
            const unsigned int byte = (words.w[i >> 2] >> (8 * (i & 3))) & 0xffu;
            bits |= byte >= static_cast<unsigned int>(byte_threshold) ? 1u << i : 0u;
        }
        return bits;
    }

    // Whether one probability of attention is kept.
    __device__ __forceinline__ bool keeps_byte(long long position) const
    {
        if (mode == NoDropout) return true;
        if (mode == GivenMask) return keep[position] != 0;
        const Words words = philox_block(*step, site, static_cast<unsigned long long>(position) >> 4);
        const int at = static_cast<int>(position >> 2) & 3;
        const unsigned int word = at == 0 ? words.w[0] : at == 1 ? words.w[1] : at == 2 ? words.w[2] : words.w[3];
        return ((word >> (8 * (static_cast<int>(position) & 3))) & 0xffu) >= static_cast<unsigned int>(byte_threshold);
    }

    // What a kept probability of attention is multiplied by.
    __device__ __forceinline__ float kept_byte_scale() const
    {
        return mode == NoDropout ? 1.0f : mode == DrawnBits ? byte_scale : scale;
    }
};

static_assert(sizeof(Dropout) == 40, "the struct of Data2Vec.Kernels/Cuda/CudaDropout.cs");
