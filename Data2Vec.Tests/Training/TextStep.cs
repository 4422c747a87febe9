using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;

namespace Data2Vec.Tests.Training;

/// <summary>A whole training step of a tiny text model over the public API, on any device.</summary>
internal sealed class TextStep : IDisposable
{
    private const int Padding = 1, Mask = 3, Vocabulary = 40;

    private static readonly ObjectiveConfig Loss = new(new TargetRecipe(2, InstanceNorm: true, FinalLayerNorm: true), 4, 0);
    private static readonly AdamOptions Adam = new(0.9, 0.98, 1e-6);

    private readonly bool recompute;
    private readonly TextPretrainBatch[] batches;

    /// <param name="device">Where it runs; not owned.</param>
    /// <param name="layers">Transformer layers.</param>
    /// <param name="width">Model width.</param>
    /// <param name="time">Tokens of the longest row.</param>
    /// <param name="microBatches">Parts of one update.</param>
    /// <param name="recompute">Save only each layer's input.</param>
    /// <param name="dropout">All three rates.</param>
    public TextStep(
        Device device, int layers = 2, int width = 32, int time = 12, int microBatches = 1, bool recompute = false,
        double dropout = 0.1)
    {
        this.recompute = recompute;
        var transformer = new TransformerConfig(layers, width, 4, 3 * width, Dropout: dropout,
            AttentionDropout: dropout, ActivationDropout: dropout, InitialDeviation: 0.1);
        Model = new TextPretrainModel(
            new ParameterStore(device), new TextEncoderConfig(transformer, Vocabulary, time + 2), headLayers: 2);
        Model.Store.Build(seed: 5, weightDecay: 0.01);
        State = new StepState(device);
        batches = [.. Enumerable.Range(0, microBatches).Select(m => Batch(m, time))];
    }

    public TextPretrainModel Model { get; }

    public StepState State { get; }

    /// <summary>Everything from the batch to the moved teacher; nothing is read back.</summary>
    public void Run()
    {
        Differentiate();
        Update();
    }

    /// <summary>Forward passes and gradients of all micro-batches.</summary>
    public void Differentiate()
    {
        var device = Model.Store.Device;
        State.Values.Seed = 5;
        State.Values.LearningRate = 1e-3;
        State.Values.EmaDecay = 0.99;
        State.Values.MaxGradientNorm = 1;
        State.Values.GradientDivisor = 8;
        Model.Store.ClearGradients();
        for (var m = 0; m < batches.Length; m++)
        {
            State.Values.MicroBatch = (uint)m;
            State.Upload();
            using var scope = device.Scope();
            using var tape = new Tape(device);
            using var student = Model.Store.Student(tape);
            var result = Objective.Run(
                Model, batches[m], student, Loss, new ForwardMode(State, Recompute: recompute), keepTeacher: false);
            BuffersBeforeBackward = device.OutstandingBuffers;
            tape.Backward(result.Loss);
        }
    }

    /// <summary>Norm, Adam, teacher.</summary>
    public void Update()
    {
        Model.Store.ComputeGradientNorm(State);
        Model.Store.Update(Adam, State);
        Model.Store.UpdateTeacher(State);
        State.Values.Step++;
    }

    /// <summary>Buffers held between forward and backward of the last micro-batch.</summary>
    public int BuffersBeforeBackward { get; private set; }

    /// <summary>Gradients of all parameters, in their order.</summary>
    public double[][] Gradients() => Read(ParameterPart.Gradient);

    /// <summary>One part of all parameters.</summary>
    public double[][] Read(ParameterPart part) =>
        [.. Enumerable.Range(0, Model.Store.Parameters.Count).Select(i => Model.Store.Read(part, i))];

    public void Dispose()
    {
        State.Dispose();
        Model.Dispose();
    }

    /// <summary>Three rows, the last one shorter, with masked tokens.</summary>
    private static TextPretrainBatch Batch(int number, int time)
    {
        var stream = new PhiloxStream(new RandomKey(17, (uint)number, 0, 0));
        var clean = new int[3 * time];
        var source = new int[3 * time];
        var loss = new bool[3 * time];
        for (var i = 0; i < clean.Length; i++)
        {
            var padded = i >= 3 * time - 3;
            clean[i] = padded ? Padding : 4 + stream.NextInt(Vocabulary - 4);
            loss[i] = !padded && i % 4 == 1;
            source[i] = loss[i] ? Mask : clean[i];
        }
        return new TextPretrainBatch(new TextBatch(3, time, source), new TextBatch(3, time, clean), loss);
    }
}
