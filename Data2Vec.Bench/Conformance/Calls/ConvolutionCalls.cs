using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Convolutions, by PyTorch's names and the project's own: channels come second in the suite, last in the engine.
/// </summary>
internal static class ConvolutionCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["conv1d"] = c => [Convolution(c)];
        calls["conv2d"] = c => [OverImages(c)];
        calls["conv_transpose1d"] = c => [Transposed(c)];
        calls["unfold"] = c => [Windows(c)];
        calls["avg_pool1d"] = c => [OverTime(c, AveragePool)];
        calls["adaptive_avg_pool1d"] = c => [OverTime(c, (_, x) => AdaptiveAveragePool1d(x, Size(c)))];
    }

    public static void AddOwnTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["patch_embed"] = c =>
        {
            c.Ignore("patch");
            return [PatchEmbedding(Last(c["input"]), Last(c["weight"]), c["bias"])];
        };
        calls["conv_stack"] = FeatureEncoder;
        calls["positional_conv"] = c => [Positions(c)];
    }

    /// <summary>
    /// Moves the channels from the second place to the last; what has no channels stays as it is, to be refused.
    /// </summary>
    private static Tensor Last(Tensor x) => x.Shape.Rank switch
    {
        3 => Permute(x, 0, 2, 1),
        4 => Permute(x, 0, 2, 3, 1),
        _ => x,
    };

    private static int One(OpCall c, string name, int otherwise) =>
        c.Integers(name) is [var first, ..] ? first : otherwise;

    private static Tensor Convolution(OpCall c)
    {
        var (x, w, bias) = (c["input"], c["weight"], c.Maybe("bias"));
        var (stride, dilation, groups) = (One(c, "stride", 1), One(c, "dilation", 1), c.Integer("groups", 1));
        // Without a batch PyTorch takes two dimensions.
        var single = x.Shape.Rank == 2;
        if (single) x = Unsqueeze(x, 0);
        x = Last(x);
        var padding = 0;
        if (!c.IsWord("padding")) padding = One(c, "padding", 0);
        else if (c.Word("padding", "") == "same") (x, padding) = Same(x, w, stride, dilation);
        var y = Conv1d(x, Last(w), bias, new Conv1dOptions(stride, padding, dilation, groups));
        y = Permute(y, 0, 2, 1);
        return single ? Squeeze(y, 0) : y;
    }

    /// <summary>
    /// As many output frames as input frames: what the kernel needs more goes half before, the odd one behind.
    /// </summary>
    private static (Tensor X, int Padding) Same(Tensor x, Tensor w, int stride, int dilation)
    {
        if (stride != 1) throw new ArgumentException($"padding \"same\" needs a stride of 1; got {stride}");
        var more = w.Shape.Rank == 3 ? dilation * (w.Shape[2] - 1) : 0;
        return (more % 2 == 0 ? x : Pad(x, [(0, 0), (0, 1), (0, 0)]), more / 2);
    }

    private static (int Y, int X) Pair(OpCall c, string name, int otherwise) =>
        c.Integers(name) is [var first, ..] given ? (first, given[^1]) : (otherwise, otherwise);

    private static Tensor OverImages(OpCall c)
    {
        var (x, w, bias) = (c["input"], c["weight"], c.Maybe("bias"));
        // Without a batch PyTorch takes three dimensions.
        var single = x.Shape.Rank == 3;
        x = Last(single ? Unsqueeze(x, 0) : x);
        var kernel = w.Shape.Rank == 4 ? (Y: w.Shape[2], X: w.Shape[3]) : (Y: 1, X: 1);
        var (stride, dilation) = (Pair(c, "stride", 1), Pair(c, "dilation", 1));
        var padding = (Y: 0, X: 0);
        if (!c.IsWord("padding"))
        {
            padding = Pair(c, "padding", 0);
        }
        else if (c.Word("padding", "") == "same")
        {
            if (stride != (1, 1)) throw new ArgumentException($"padding \"same\" needs a stride of 1; got {stride}");
            // What the kernel needs more goes half before, the odd one behind.
            var more = (Y: dilation.Y * (kernel.Y - 1), X: dilation.X * (kernel.X - 1));
            x = Pad(x, [(0, 0), (0, more.Y % 2), (0, more.X % 2), (0, 0)]);
            padding = (more.Y / 2, more.X / 2);
        }
        var window = new Window2d(kernel, stride, padding, dilation);
        var y = Permute(Conv2d(x, Last(w), bias, window, c.Integer("groups", 1)), 0, 3, 1, 2);
        return single ? Squeeze(y, 0) : y;
    }

    /// <summary>
    /// Windows as columns, channels outermost, in PyTorch; as rows, channels innermost, in the engine.
    /// </summary>
    private static Tensor Windows(OpCall c)
    {
        var x = c["input"];
        var single = x.Shape.Rank == 3;
        x = Last(single ? Unsqueeze(x, 0) : x);
        var kernel = Pair(c, "kernel_size", 1);
        var rows = Unfold2d(
            x, new Window2d(kernel, Pair(c, "stride", 1), Pair(c, "padding", 0), Pair(c, "dilation", 1)));
        var (batch, places, channels) = (rows.Shape[0], rows.Shape[1], x.Shape[3]);
        var split = Reshape(rows, new Shape(batch, places, kernel.Y * kernel.X, channels));
        var columns = Reshape(Permute(split, 0, 3, 2, 1), new Shape(batch, channels * kernel.Y * kernel.X, places));
        return single ? Squeeze(columns, 0) : columns;
    }

    private static Tensor Transposed(OpCall c)
    {
        var (x, w) = (c["input"], c["weight"]);
        var single = x.Shape.Rank == 2;
        var options = new Conv1dOptions(
            One(c, "stride", 1), One(c, "padding", 0), One(c, "dilation", 1), c.Integer("groups", 1));
        var y = ConvTranspose1d(
            Last(single ? Unsqueeze(x, 0) : x), Last(w), c.Maybe("bias"), options, One(c, "output_padding", 0));
        y = Permute(y, 0, 2, 1);
        return single ? Squeeze(y, 0) : y;
    }

    private static Tensor OverTime(OpCall c, Func<OpCall, Tensor, Tensor> pool)
    {
        var x = c["input"];
        var single = x.Shape.Rank == 2;
        var y = Permute(pool(c, Last(single ? Unsqueeze(x, 0) : x)), 0, 2, 1);
        return single ? Squeeze(y, 0) : y;
    }

    private static Tensor AveragePool(OpCall c, Tensor x)
    {
        var kernel = One(c, "kernel_size", 1);
        return AveragePool1d(x, kernel, One(c, "stride", kernel), One(c, "padding", 0), c.Flag("ceil_mode"),
            c.Flag("count_include_pad", true));
    }

    private static int Size(OpCall c) => c.Integers("output_size") is [var size]
        ? size
        : throw new SignatureException("AdaptiveAveragePool1d takes one size");

    /// <summary>The audio front end: convolution, LayerNorm over channels, GELU; every layer's output.</summary>
    private static Tensor[] FeatureEncoder(OpCall c)
    {
        var (weights, gammas, betas) = (c.List("weights"), c.List("gammas"), c.List("betas"));
        var strides = c.Pairs("layers");
        var samples = c["input"];
        var x = Reshape(samples, samples.Shape.Append(1));
        var outputs = new Tensor[weights.Length];
        for (var i = 0; i < outputs.Length; i++)
        {
            x = Conv1d(x, Last(weights[i]), null, new Conv1dOptions(strides[i].Second));
            x = LayerNorm(x, gammas[i], betas[i], eps: c.Number("eps", 1e-5), activation: Activation.Gelu);
            outputs[i] = Permute(x, 0, 2, 1);
        }
        return outputs;
    }

    /// <summary>x + f(..f(x)), f = GELU(LayerNorm without affine part(grouped convolution)).</summary>
    private static Tensor Positions(OpCall c)
    {
        var (x, weights, biases) = (c["input"], c.List("weights"), c.List("biases"));
        c.Ignore("depth");
        if (c.Maybe("valid") is { } valid) x = Mul(x, Reshape(Cast(valid, c.Type), valid.Shape.Append(1)));
        var y = x;
        for (var i = 0; i < weights.Length; i++)
        {
            var kernel = weights[i].Shape[2];
            var options = new Conv1dOptions(Padding: kernel / 2, Groups: c.Integer("groups", 1));
            y = Conv1d(y, Last(weights[i]), biases[i], options);
            if (kernel % 2 == 0) y = Slice(y, 1, 0, -1);
            y = LayerNorm(y, null, null, eps: c.Number("eps", 1e-5), activation: Activation.Gelu);
        }
        return Add(x, y);
    }
}
