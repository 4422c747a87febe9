using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>One forward pass of a published model in evaluation mode: every tensor that has a recorded name.</summary>
internal sealed partial class ModelRun
{
    private readonly ParameterView view;
    private readonly ModelInputs inputs;
    private readonly Tape? tape;
    private readonly Device device;
    private readonly DType type;

    private ModelRun(PublishedModel model, ParameterView view, ModelInputs inputs, Tape? tape)
    {
        (this.view, this.inputs, this.tape) = (view, inputs, tape);
        (device, type) = (model.Store.Device, model.Store.DType);
    }

    /// <summary>Tensors by recorded name.</summary>
    public Dictionary<string, Tensor> Outputs { get; } = [];

    /// <summary>The head's loss or the weighted sum of a bare model's outputs; null without labels.</summary>
    public Tensor? Loss { get; private set; }

    /// <summary>Inputs whose gradient is recorded, by name.</summary>
    public Dictionary<string, Tensor> Watched { get; } = [];

    /// <summary>Runs a model. Tensors belong to the open scope.</summary>
    /// <param name="model">A model whose store is built and loaded.</param>
    /// <param name="view">Its parameters.</param>
    /// <param name="inputs">What it is given.</param>
    /// <param name="tape">Also watches the inputs; null = forward only.</param>
    public static ModelRun Of(PublishedModel model, ParameterView view, ModelInputs inputs, Tape? tape)
    {
        var run = new ModelRun(model, view, inputs, tape);
        if (!run.Text(model) && !run.Vision(model) && !run.Audio(model))
            throw new NotExpressibleException($"{model.Names.Class} is not in this version");
        if (run.Loss is not null) run.Outputs["loss"] = run.Loss;
        return run;
    }

    /// <summary>Hidden states, feed-forward outputs and attention probabilities of all layers.</summary>
    private void Layers(EncoderOutput output, Tensor[] probabilities)
    {
        for (var i = 0; i < output.Hidden.Count; i++) Outputs[$"hidden_states.{i}"] = output.Hidden[i];
        for (var i = 0; i < output.Taps.Count; i++) Outputs[$"ffn.{i}"] = output.Taps[i];
        for (var i = 0; i < probabilities.Length; i++) Outputs[$"attentions.{i}"] = probabilities[i];
    }

    private Tensor[] Probabilities(TransformerConfig config, int batch, int time) =>
        [.. Enumerable.Range(0, config.Layers).Select(
            _ => Tensor.Zeros(device, new Shape(batch, config.Heads, time, time), type))];

    private ForwardMode Mode(Tensor[] probabilities) => new(Collect: true, Probabilities: probabilities);

    /// <summary>What a bare model is differentiated by: the sum of its outputs times recorded weights.</summary>
    private void Bare(Tensor last, Tensor? pooled)
    {
        Outputs["last_hidden_state"] = last;
        if (pooled is not null) Outputs["pooler_output"] = pooled;
        foreach (var name in new[] { "last_hidden_state", "pooler_output" })
        {
            if (!inputs.Contains("cotangent." + name)) continue;
            var weighted = Ops.Sum(Ops.Mul(Outputs[name], Input("cotangent." + name)));
            Loss = Loss is null ? weighted : Ops.Add(Loss, weighted);
        }
    }

    private Tensor Input(string name) =>
        Tensor.FromDoubles(device, inputs.Doubles(name), inputs.ShapeOf(name), type);
}
