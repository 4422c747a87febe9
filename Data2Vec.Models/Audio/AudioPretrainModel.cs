using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>One batch of speech for pre-training.</summary>
/// <param name="Batch">Rows B.</param>
/// <param name="Samples">Columns S.</param>
/// <param name="Waveforms">[B, S], normalised, row-major; samples behind a row's length are 0.</param>
/// <param name="Lengths">Samples of each row; null = all S.</param>
/// <param name="Masked">[B * T], true = the student does not see the frame.</param>
public sealed record AudioPretrainBatch(int Batch, int Samples, float[] Waveforms, int[]? Lengths, bool[] Masked)
{
    /// <summary>Frames T of a row.</summary>
    public int Frames => Masked.Length / Math.Max(1, Batch);
}

/// <summary>data2vec audio: encoder and regression head over one parameter store.</summary>
public sealed class AudioPretrainModel : IPretrainable<AudioPretrainBatch>
{
    private readonly bool sharedFront;

    /// <summary>Declares the model; call <see cref="ParameterStore.Build"/> on its store before use.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="teacher">What the teacher does with its parts.</param>
    /// <param name="headLayers">Depth of the regression head.</param>
    public AudioPretrainModel(
        ParameterStore store, AudioEncoderConfig config, AudioTeacher? teacher = null, int headLayers = 1)
    {
        Store = store;
        var rules = teacher ?? AudioTeacher.Released;
        sharedFront = rules.Front == TeacherRule.Shared;
        Encoder = new AudioEncoder(store, config, rules);
        Head = new RegressionHead(store, config.Transformer.Width, headLayers, Initializers.TorchDefault, rules.Head);
    }

    /// <inheritdoc/>
    public ParameterStore Store { get; }

    /// <summary>The encoder.</summary>
    public AudioEncoder Encoder { get; }

    /// <inheritdoc/>
    public RegressionHead Head { get; }

    /// <inheritdoc/>
    public Tensor? Front(ParameterView student, AudioPretrainBatch batch) =>
        sharedFront ? Encoder.Front(student, Waveform(student, batch)) : null;

    /// <inheritdoc/>
    public EncoderOutput Encode(
        ParameterView parameters, AudioPretrainBatch batch, Tensor? front, bool masked, ForwardMode mode)
    {
        front ??= Encoder.Front(parameters, Waveform(parameters, batch));
        return Encoder.Encode(parameters, front, FrameLengths(batch), masked ? batch.Masked : null, mode);
    }

    /// <inheritdoc/>
    public int[] LossRows(AudioPretrainBatch batch) => Rows.Where(batch.Masked);

    /// <inheritdoc/>
    public int[] DataRows(AudioPretrainBatch batch)
    {
        var frames = FrameLengths(batch);
        var real = new bool[batch.Masked.Length];
        for (var b = 0; b < batch.Batch; b++)
            real.AsSpan(b * batch.Frames, frames is null ? batch.Frames : frames[b]).Fill(true);
        return Rows.Where(real);
    }

    private int[]? FrameLengths(AudioPretrainBatch batch) =>
        batch.Lengths is null ? null : Array.ConvertAll(batch.Lengths, Encoder.Config.Frames);

    private static Tensor Waveform(ParameterView parameters, AudioPretrainBatch batch) =>
        Inputs.From(parameters, batch.Waveforms, new Shape(batch.Batch, batch.Samples));
}
