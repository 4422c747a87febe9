// Computes       y[b, t, o] = activation(bias[o] + sum over k, c of x[b, t stride - padding + k dilation, c] w[o, k, c]), in
//                groups of channels; the gradients of x and of w. Slopes and the gradient of the bias are those of a linear
//                layer (matmul.cu), and so is the second stage of a product whose inner extent was cut (matmul_parts).
// Tensors        x [batch, time, in], w [out, kernel, in / groups], y [batch, out time, out], contiguous; bf16 or float32.
// Accumulates in float32.
// Work split     a block per tile of the result (128 x 128 or 64 x 64), group and part of the sum.
// Shared memory  as matmul.cu.
// Requires       channels of a group in whole units of 16 bytes, at multiples of 16 bytes; conv1d_*_any takes every shape.
// Determinism    fixed order: taps, then channels; for the weights samples, then frames. No atomics.
// Numerics       as matmul.cu.
// Launched by    Data2Vec.Kernels/Conv1d/Conv1d.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaConv1dTests.cs; verify conv1d
// Source         docs/kernels.md, "Convolutions": a convolution is a product of rows of taps, which overlap and are read where
//                they lie
#include "common/product.cuh"
#include "common/product_cores.cuh"

// Rows of taps times weights: y.
using ForwardArgs = ProductArgs<TapLines, MatrixOperand>;
// Rows of taps of dy times turned weights: frames of dx that see the same taps.
using InputArgs = ProductArgs<TapLines, TurnedWeights>;
// dy turned over times rows of taps: dw.
using WeightArgs = ProductArgs<MatrixOperand, TapInners>;

// Where rows of taps begin takes registers that fused multiply-adds do not leave when blocks are to share a multiprocessor.
#if ELEMENT_BF16
constexpr int LargeTapBlocks = LargeBlocks, SmallTapBlocks = SmallBlocks;
#else
constexpr int LargeTapBlocks = 1, SmallTapBlocks = 6;
#endif

template <int Size>
__device__ __forceinline__ void forward(const ForwardArgs& a)
{
    using Tile = ProductCore<Size, Size, true, true>;
    multiply<Tile, TapsByLines<Size, Tile::Threads>, MatrixByLines<Size, Tile::Threads>>(a);
}

template <int Size>
__device__ __forceinline__ void backward_input(const InputArgs& a)
{
    using Tile = ProductCore<Size, Size, true, false>;
    multiply<Tile, TapsByLines<Size, Tile::Threads>, WeightsByInners<Size, Tile::Threads>>(a);
}

template <int Size>
__device__ __forceinline__ void backward_weight(const WeightArgs& a)
{
    using Tile = ProductCore<Size, Size, false, false>;
    multiply<Tile, MatrixByInners<Size, Tile::Threads>, TapsByInners<Size, Tile::Threads>>(a);
}

// Every shape and address, element by element.
template <class Left, class Right>
__device__ __forceinline__ void any_shape(const ProductArgs<Left, Right>& a)
{
    using Tile = ProductCore<64, 64, true, true>;
    multiply<Tile, Elementwise<64, Tile::Threads, Left>, Elementwise<64, Tile::Threads, Right>>(a);
}

#define CONV1D(name, function, args)                                                                                      \
    extern "C" __global__ __launch_bounds__(LargeThreads, LargeTapBlocks) void conv1d_##name##_128(                       \
        const __grid_constant__ args a)                                                                                   \
    {                                                                                                                     \
        function<128>(a);                                                                                                 \
    }                                                                                                                     \
    extern "C" __global__ __launch_bounds__(SmallThreads, SmallTapBlocks) void conv1d_##name##_64(                        \
        const __grid_constant__ args a)                                                                                   \
    {                                                                                                                     \
        function<64>(a);                                                                                                  \
    }                                                                                                                     \
    extern "C" __global__ __launch_bounds__(SmallThreads, SmallTapBlocks) void conv1d_##name##_any(                       \
        const __grid_constant__ args a)                                                                                   \
    {                                                                                                                     \
        any_shape(a);                                                                                                     \
    }

// dy in whole units, x in none: few channels in, as of sound.
extern "C" __global__ __launch_bounds__(SmallThreads, SmallTapBlocks) void conv1d_bwd_weight_odd(
    const __grid_constant__ WeightArgs a)
{
    using Tile = ProductCore<64, 64, false, true>;
    multiply<Tile, MatrixByInners<64, Tile::Threads>, Elementwise<64, Tile::Threads, TapInners>>(a);
}

CONV1D(fwd, forward, ForwardArgs)
CONV1D(bwd_input, backward_input, InputArgs)
CONV1D(bwd_weight, backward_weight, WeightArgs)

#if ELEMENT_BF16
#include "common/signal.cuh"

extern "C" __global__ __launch_bounds__(SignalThreads) void conv1d_fwd_signal(const __grid_constant__ SignalArgs a)
{
    convolve_signal(a);
}
#endif
