using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>A stack of post-norm or pre-norm transformer layers.</summary>
public sealed class TransformerEncoder
{
    private readonly ITransformerLayer[] layers;

    /// <summary>Declares the parameters of all layers under "layer.0", "layer.1", ...</summary>
    public TransformerEncoder(ParameterScope scope, TransformerConfig config)
    {
        config.Check();
        Config = config;
        layers = new ITransformerLayer[config.Layers];
        for (var i = 0; i < layers.Length; i++)
        {
            var own = scope.Sub($"layer.{i}");
            layers[i] = config.PreNorm ? new PreNormLayer(own, config, i) : new PostNormLayer(own, config);
        }
    }

    /// <summary>Sizes and rates.</summary>
    public TransformerConfig Config { get; }

    /// <summary>[B, T, D] to [B, T, D].</summary>
    /// <param name="p">Parameters.</param>
    /// <param name="x">[B, T, D].</param>
    /// <param name="keyMask">Bool [B, T], true = a real position; null = all are.</param>
    /// <param name="mode">Dropout, collection, recomputation.</param>
    /// <param name="bias">Attention bias [H, T, T] of a layer, computed from the parameters given; null = none.</param>
    public EncoderOutput Forward(
        ParameterView p, Tensor x, Tensor? keyMask, ForwardMode mode, Func<ParameterView, int, Tensor>? bias = null)
    {
        List<Tensor> hidden = [], taps = [], branches = [];
        if (mode.Collect) hidden.Add(x);
        for (var i = 0; i < layers.Length; i++)
        {
            if (IsSkipped(i, mode.Step))
            {
                // Hidden states stay one a layer, for heads that mix them; a skipped layer has no tap.
                if (mode.Collect) hidden.Add(x);
                continue;
            }
            var (layer, number) = (layers[i], i);
            LayerOutput Run(ParameterView view, Tensor input) => layer.Forward(
                view, input, new LayerContext(number, keyMask, bias?.Invoke(view, number), mode));
            if (mode.Recompute && !mode.Collect)
            {
                x = Recompute.Run(p, x, (view, input) => Run(view, input).Output);
                continue;
            }
            (x, var tap, var branch) = Run(p, x);
            if (!mode.Collect) continue;
            hidden.Add(x);
            taps.Add(tap);
            branches.Add(branch);
        }
        return new EncoderOutput(x, hidden, taps, branches);
    }

    /// <summary>One coin a layer and pass, in training only.</summary>
    private bool IsSkipped(int layer, StepState? step)
    {
        if (step is null || Config.LayerDrop <= 0) return false;
        var values = step.Values;
        var key = new RandomKey(
            values.Seed, values.Step, (ushort)values.MicroBatch, DropoutSites.Layer(layer, LayerSite.Layer));
        return new PhiloxStream(key).NextDouble() < Config.LayerDrop;
    }
}
