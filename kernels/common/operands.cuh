// What a product multiplies. An operand has two indices: that of the line (a row of the left matrix, a column of the right
// one) and the inner index, over which is summed. `at` gives the place of an element, or null where there is a zero;
// `along_inner` tells whether neighbours in memory are neighbours along the inner index (else along the lines).
#pragma once
#include "common/divisor.cuh"
#include "common/element.cuh"

// A matrix with a step along each index.
struct MatrixOperand
{
    const element* data;
    long long line_step, inner_step;

    __device__ __forceinline__ bool along_inner() const { return inner_step == 1; }

    __device__ __forceinline__ const element* at(long long from, int line, int inner) const
    {
        return data + from + line * line_step + inner * inner_step;
    }
};

// A signal [samples, time, channels] seen as rows of taps: row r of a sample has taps of `width` channels, its tap k being
// frame start + r row_step + k tap_step, zeros outside of the signal. A convolution is a product of such rows, which overlap
// and are read where they lie, with a matrix; so are both of its gradients.
struct TapSignal
{
    const element* data;
    // Elements of a sample.
    long long sample_size;
    // Rows of a sample; channels that a row sees.
    Divisor rows, width;
    int time, channels, start, row_step, tap_step, reserved;

    // Where a row begins, and its frame.
    __device__ __forceinline__ long long row_place(int row, int& frame) const
    {
        int within;
        const int sample = rows.divide(row, within);
        frame = start + within * row_step;
        return sample * sample_size + static_cast<long long>(frame) * channels;
    }

    // Where an element of a row lies, counted from the row's begin, and its frame counted from the row's.
    __device__ __forceinline__ long long tap_place(int index, int& frame) const
    {
        int channel;
        frame = width.divide(index, channel) * tap_step;
        return static_cast<long long>(frame) * channels + channel;
    }

    __device__ __forceinline__ bool has(int frame) const { return frame >= 0 && frame < time; }

    __device__ __forceinline__ const element* at_tap(long long from, int row, int index) const
    {
        int first, tap;
        const long long place = row_place(row, first) + tap_place(index, tap);
        return has(first + tap) ? data + from + place : nullptr;
    }
};

// Rows of taps as lines, taps being summed over: the convolution, and the gradient of its input.
struct TapLines : TapSignal
{
    __device__ __forceinline__ bool along_inner() const { return true; }

    __device__ __forceinline__ const element* at(long long from, int line, int inner) const { return at_tap(from, line, inner); }
};

// Taps as lines, rows being summed over: the gradient of the weights.
struct TapInners : TapSignal
{
    __device__ __forceinline__ bool along_inner() const { return false; }

    __device__ __forceinline__ const element* at(long long from, int line, int inner) const { return at_tap(from, inner, line); }
};

// The weights of some taps turned over: lines are input channels, the inner index runs over taps and the output channels of
// each. For the gradient of the input.
struct TurnedWeights
{
    const element* data;
    long long out_step, tap_step;
    Divisor outs;
    int reserved;

    __device__ __forceinline__ bool along_inner() const { return false; }

    __device__ __forceinline__ const element* at(long long from, int line, int inner) const
    {
        int out;
        const int tap = outs.divide(inner, out);
        return data + from + tap * tap_step + out * out_step + line;
    }
};
