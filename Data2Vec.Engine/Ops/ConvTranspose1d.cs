using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// The transpose of a convolution over time: every frame of x adds its kernel to the output, which grows by the
    /// stride. A composite: zeros between the frames, then <see cref="Conv1d"/> with the kernel turned around.
    /// </summary>
    /// <param name="x">[B, T, Cin], at least one frame.</param>
    /// <param name="weight">[Cin, K, Cout / groups].</param>
    /// <param name="bias">[Cout], or null.</param>
    /// <param name="options">As of the convolution whose transpose this is; the padding is cut off.</param>
    /// <param name="outputPadding">Further frames at the end, fewer than the stride or the dilation.</param>
    /// <returns>[B, (T - 1) stride - 2 padding + dilation (K - 1) + 1 + outputPadding, Cout].</returns>
    /// <exception cref="ArgumentException">Shapes, types or options do not fit.</exception>
    public static Tensor ConvTranspose1d(
        Tensor x, Tensor weight, Tensor? bias, Conv1dOptions options, int outputPadding = 0)
    {
        Refuse.NotFloat("ConvTranspose1d", x);
        Refuse.OtherTypes("ConvTranspose1d", x, weight, bias);
        var (stride, padding, dilation, groups) = options;
        Refuse.Unless(stride >= 1 && padding >= 0 && dilation >= 1 && groups >= 1,
            $"ConvTranspose1d: stride, dilation and groups must be positive, the padding not negative; got {options}.");
        Refuse.Unless(x.Shape.Rank == 3 && x.Shape[1] >= 1 && x.Shape[2] % groups == 0
            && weight.Shape.Rank == 3 && weight.Shape[0] == x.Shape[2] && weight.Shape[1] >= 1,
            $"ConvTranspose1d: x [B, T, Cin] and weight [Cin, K, Cout / {groups}] expected; "
            + $"got {x.Shape} and {weight.Shape}.");
        Refuse.Unless(outputPadding >= 0 && outputPadding < Math.Max(stride, dilation),
            $"ConvTranspose1d: the output padding must be smaller than stride or dilation; got {outputPadding}.");
        var (batch, time, inputs) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        var (kernel, perGroup) = (weight.Shape[1], weight.Shape[2]);
        var spread = x;
        if (stride > 1)
        {
            var apart = Pad(Reshape(x, new Shape(batch, time, 1, inputs)), [(0, 0), (0, 0), (0, stride - 1), (0, 0)]);
            spread = Slice(Reshape(apart, new Shape(batch, time * stride, inputs)), 1, 0, (time - 1) * stride + 1);
        }
        // What the kernel reaches over the ends, less the padding: zeros, or frames to cut off.
        var (before, after) = (dilation * (kernel - 1) - padding, dilation * (kernel - 1) - padding + outputPadding);
        spread = Pad(spread, [(0, 0), (Math.Max(before, 0), Math.Max(after, 0)), (0, 0)]);
        var length = spread.Shape[1] + Math.Min(before, 0) + Math.Min(after, 0);
        Refuse.Unless(length > dilation * (kernel - 1),
            $"ConvTranspose1d: a padding of {padding} leaves nothing of {x.Shape} with a kernel of {kernel}.");
        if (length < spread.Shape[1]) spread = Narrow(spread, 1, Math.Max(-before, 0), length);

        var turned = IndexSelect(weight, 1, Tensor.From<int>(
            x.Device, [.. Enumerable.Range(0, kernel).Select(k => kernel - 1 - k)], new Shape(kernel)));
        var split = Permute(Reshape(turned, new Shape(groups, inputs / groups, kernel, perGroup)), 0, 3, 2, 1);
        var forward = Reshape(split, new Shape(groups * perGroup, kernel, inputs / groups));
        return Conv1d(spread, forward, bias, new Conv1dOptions(Dilation: dilation, Groups: groups));
    }
}
