using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Convolutions, by PyTorch's names and the project's own: channels come second in the suite, last in the engine.
/// </summary>
internal static class ConvolutionCalls
{
    private const string Patches =
        "the engine has no convolution over images but the patch embedding: a square kernel that is its own stride";

    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["conv1d"] = c => [Convolution(c)];
        calls["conv2d"] = c => [OverImages(c)];
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

    private static int One(OpCall c, string name, int otherwise) => c.Integers(name)?[0] ?? otherwise;

    private static Tensor Convolution(OpCall c)
    {
        var (x, w, bias) = (c["input"], c["weight"], c.Maybe("bias"));
        var (stride, dilation, groups) = (One(c, "stride", 1), One(c, "dilation", 1), c.Integer("groups", 1));
        // Without a batch PyTorch takes two dimensions.
        var single = x.Shape.Rank == 2;
        if (single) x = Reshape(x, new Shape(1, x.Shape[0], x.Shape[1]));
        x = Last(x);
        var padding = 0;
        if (!c.IsWord("padding")) padding = One(c, "padding", 0);
        else if (c.Word("padding", "") == "same") (x, padding) = Same(x, w, stride, dilation);
        var y = Conv1d(x, Last(w), bias, new Conv1dOptions(stride, padding, dilation, groups));
        y = Permute(y, 0, 2, 1);
        return single ? Reshape(y, y.Shape.Slice(1, 2)) : y;
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

    private static Tensor OverImages(OpCall c)
    {
        var (x, w) = (c["input"], c["weight"]);
        var strides = c.Integers("stride") ?? [1];
        var padded = c.IsWord("padding")
            ? c.Word("padding", "") != "valid"
            : (c.Integers("padding") ?? []).Any(p => p != 0);
        if (padded || c.Integer("groups", 1) != 1 || (c.Integers("dilation") ?? []).Any(d => d != 1)
            || x.Shape.Rank != 4 || w.Shape.Rank != 4 || w.Shape[2] != w.Shape[3] || strides.Any(s => s != w.Shape[2]))
            throw new NotExpressibleException(Patches);
        // PyTorch leaves pixels behind the last patch out; the engine refuses them, as both do an image below one patch.
        var patch = w.Shape[2];
        var (high, wide) = (x.Shape[2] / patch, x.Shape[3] / patch);
        if (high > 0 && wide > 0 && (high * patch != x.Shape[2] || wide * patch != x.Shape[3]))
            throw new NotExpressibleException(Patches);
        var y = PatchEmbedding(Last(x), Last(w), c.Maybe("bias"));
        return Permute(Reshape(y, new Shape(x.Shape[0], high, wide, w.Shape[0])), 0, 3, 1, 2);
    }

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
