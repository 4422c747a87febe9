using System.Runtime.CompilerServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>The project's own operations; formulas stand in the suite's README.</summary>
internal static class OwnCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["attention"] = c => [AttentionOf(c)];
        calls["attention_fully_masked"] = FullyMasked;
        calls["layer_norm"] = c => [LayerNorm(
            c["input"], c.Maybe("weight"), c.Maybe("bias"), c.Maybe("residual"), c.Number("eps", 1e-5),
            c.Keep(c.Maybe("keep"), c.Number("dropout_p", 0)))];
        calls["instance_norm_time"] = c => [InstanceNorm(c["input"], c.Number("eps", 1e-5))];
        calls["smooth_l1"] = LossCalls.SmoothL1Loss;
        calls["smooth_l1_rows"] = c => [SmoothL1(
            c["source"], c["target"], c["rows"], c.Number("beta", 1), LossCalls.ReductionOf(c), c.Number("scale", 1))];
        calls["target_builder"] = Targets;
        calls["ctc_loss"] = CtcCalls.OfLogits;
        calls["clip_grad_norm"] = Clip;
        calls["gather_rows"] = c => [GatherRows(Flat(c["source"]), c["rows"])];
        calls["scatter_rows"] = c => [ScatterRows(c["base"], c["rows"], c["update"])];
        calls["scatter_add_rows"] = c => [ScatterRows(c["base"], c["rows"], c["update"], add: true)];
        calls["mask_rows"] = c => [MaskRows(c["input"], c["mask"], c["embedding"])];
        calls["drop_path"] = c =>
            [Add(c["input"], DropPath(c["branch"], c.Keep(c["keep"], c.Number("drop_prob", 0))))];
        calls["relative_position_bias"] = RelativeBias;
        calls["relative_position_bias_interpolated"] = InterpolatedBias;
        calls["special"] = Special;
        calls["reduction"] = ReductionCalls.Named;
    }

    private static Tensor Flat(Tensor x) =>
        x.Shape.Rank == 2 ? x : Reshape(x, new Shape((int)(x.Count / x.Shape[-1]), x.Shape[-1]));

    /// <summary>[B, H, T, d] in the suite, [B, T, H, d] in the engine.</summary>
    private static Tensor AttentionOf(OpCall c)
    {
        static Tensor TimeFirst(Tensor x) => Permute(x, 0, 2, 1, 3);
        var y = Attention(TimeFirst(c["q"]), TimeFirst(c["k"]), TimeFirst(c["v"]), new AttentionOptions(
            c.Maybe("key_mask"), c.Maybe("bias"), c.Maybe("slopes"), c.Given("scale") ? c.Number("scale", 1) : null,
            c.Keep(c.Maybe("keep"), c.Number("dropout_p", 0))));
        return TimeFirst(y);
    }

    /// <summary>
    /// Rows without a key give zeros. The additive variant of the published eager code, where they give the mean over
    /// all keys, is composed: the lowest float32 is added to the score, which vanishes beside it.
    /// </summary>
    private static Tensor[] FullyMasked(OpCall c)
    {
        if (!c.Variant.Contains("additive", StringComparison.Ordinal)) return [AttentionOf(c)];
        var (q, k, v, mask) = (c["q"], c["k"], c["v"], c["key_mask"]);
        var scores = Affine(MatMul(q, k, transposeB: true), c.Number("scale", 1 / Math.Sqrt(q.Shape[-1])));
        var keys = Reshape(mask, new Shape(mask.Shape[0], 1, 1, mask.Shape[1]));
        var lowest = Where(keys, c.Scalar(0), c.Scalar(-float.MaxValue));
        return [MatMul(Softmax(Add(scores, lowest)), v)];
    }

    private static Tensor[] Targets(OpCall c)
    {
        var perLayer = c.Word("per_layer", "none");
        var final = c.Word("final", "none");
        if (perLayer is not ("none" or "instance_norm_time" or "layer_norm") || final is not ("none" or "layer_norm"))
            throw new NotExpressibleException($"the recipe {perLayer} / {final} is unknown");
        return [TargetBuilder.Build(c.List("layers"), new TargetRecipe(
            c.Integer("top", 1), InstanceNorm: perLayer == "instance_norm_time", LayerNorm: perLayer == "layer_norm",
            FinalLayerNorm: final == "layer_norm"))];
    }

    /// <summary>
    /// With the 2-norm the factor comes from the optimiser's kernel, and what it does to the gradients is one
    /// multiplication; other norms are compositions.
    /// </summary>
    private static Tensor[] Clip(OpCall c)
    {
        var gradients = c.List("grads");
        var (maximum, p) = (c.Number("max_norm", 0), c.Number("norm_type", 2));
        if (p != 2)
        {
            var (total, clipped) = ClipNorm(gradients, maximum, p);
            return [total, .. clipped];
        }
        // A maximum of 0 means no clipping in the engine, as in fairseq; the smallest number stands for PyTorch's 0.
        var values = Array.ConvertAll(gradients, g => g.ToDoubles());
        var (norm, factor) = GradientClipping.Run(
            c.Memory, c.Device, c.Type, values, Math.Max(maximum, double.Epsilon));
        return [c.Scalar(norm), .. Array.ConvertAll(gradients, g => Mul(g, c.Scalar(factor)))];
    }

    private static (int Height, int Width) Window(OpCall c, string name) =>
        c.Integers(name) is [var height, var width] ? (height, width) : throw new NotExpressibleException("no window");

    private static Tensor[] RelativeBias(OpCall c)
    {
        var window = Window(c, "window");
        var positions = window.Height * window.Width + 1;
        var index = RelativePositionBias.Index(window.Height, window.Width);
        return
        [
            Tensor.From<int>(c.Device, index, new Shape(positions, positions)),
            RelativePositionBias.Of(c["table"], window, window),
        ];
    }

    /// <summary>As the published module reads its table; with a size the bias itself is resized too.</summary>
    private static Tensor[] InterpolatedBias(OpCall c)
    {
        var native = Window(c, "pretrain_window");
        var bias = RelativePositionBias.Of(c["table"], native, Window(c, "window"), byWidth: true);
        if (!c.Given("dim_size")) return [bias];
        var size = c.Integer("dim_size", 0);
        return [Reshape(Resize2d(Unsqueeze(bias, -1), size, size), new Shape(bias.Shape[0], size, size))];
    }

    private static Tensor[] Special(OpCall c)
    {
        var op = c.Word("op", "");
        return op switch
        {
            "gelu_none" => [Gelu(c["input"])],
            "gelu_tanh" => [Gelu(c["input"], tanh: true)],
            _ => OpTable.Torch.TryGetValue(op, out var call)
                ? call(c)
                : throw new NotExpressibleException($"the engine has no {op}"),
        };
    }
}

/// <summary>The global norm and the clip factor, from the kernel, over separate gradients.</summary>
internal static class GradientClipping
{
    public static (double Norm, double Factor) Run(
        DeviceMemory memory, Device device, DType type, double[][] gradients, double maximum)
    {
        var segments = new Segment[gradients.Length];
        long offset = 0;
        for (var i = 0; i < segments.Length; i++)
        {
            segments[i] = new Segment { Offset = offset, Length = gradients[i].Length, HasGradient = 1 };
            offset += gradients[i].Length;
        }
        var step = new StepValues { GradientDivisor = 1, MaxGradientNorm = maximum };
        var stepView = memory.Upload<byte>(System.Runtime.InteropServices.MemoryMarshal.AsBytes(
            new ReadOnlySpan<StepValues>(in step)), DType.UInt8);
        var args = new GradientNormArgs
        {
            Gradients = memory.UploadNumbers([.. gradients.SelectMany(g => g)], type),
            Segments = memory.Upload<Segment>(segments, DType.UInt8),
            SegmentCount = segments.Length,
            Step = stepView,
        };
        args.Check();
        device.Backend.GradientNorm(args);
        step = memory.Download<StepValues>(stepView, 1)[0];
        return (step.GradientNorm, step.GradientFactor);
    }
}
