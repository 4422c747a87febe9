using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>How frames are aligned with letters.</summary>
/// <param name="Vocabulary">Classes V, the blank among them.</param>
/// <param name="Blank">Id of the blank: published models use their padding token.</param>
/// <param name="Mean">
/// True: each loss is divided by its number of labels, and averaged over the batch; false: summed.
/// </param>
/// <param name="ZeroInfinity">A clip too short for its labels has loss 0 instead of infinity.</param>
/// <param name="Dropout">Of the encoder's output, before the head.</param>
public sealed record CtcConfig(
    int Vocabulary, int Blank = 0, bool Mean = false, bool ZeroInfinity = false, double Dropout = 0);

/// <summary>
/// Audio encoder that spells, Data2VecAudioForCTC: hidden [B, T, D] -> dropout -> Linear D -> V -> logits [B, T, V];
/// loss: connectionist temporal classification. Source: Graves et al. 2006.
/// </summary>
public sealed class AudioCtcModel : PublishedModel
{
    private readonly LinearLayer output;

    /// <summary>Declares the parameters.</summary>
    public AudioCtcModel(ParameterStore store, AudioEncoderConfig config, CtcConfig ctc)
        : base(store, PublishedAudio.Map(config, "Data2VecAudioForCTC", PublishedLayers.Of("lm_head", "head")))
    {
        Encoder = new AudioEncoder(store, config, AudioTeacher.All(TeacherRule.Shared));
        Ctc = ctc;
        output = new LinearLayer(Head(store), config.Transformer.Width, ctc.Vocabulary,
            Initializers.Normal(config.Transformer.InitialDeviation));
    }

    /// <summary>The encoder.</summary>
    public AudioEncoder Encoder { get; }

    /// <summary>Classes and loss.</summary>
    public CtcConfig Ctc { get; }

    /// <summary>Logits [B, T, V] of an encoder output [B, T, D].</summary>
    public Tensor Logits(ParameterView p, Tensor last, StepState? step = null) =>
        output.Forward(p, Ops.Dropout(last, DropoutSites.OfHead(step, Ctc.Dropout, 0)));

    /// <summary>The loss; blanks and negative ids among the labels are left out, and a clip may have none.</summary>
    /// <param name="logits">[B, T, V].</param>
    /// <param name="frames">Frames of each clip that hold data; null = all T.</param>
    /// <param name="labels">Ids of each clip.</param>
    public Tensor Loss(Tensor logits, int[]? frames, int[][] labels)
    {
        frames ??= [.. Enumerable.Repeat(logits.Shape[1], logits.Shape[0])];
        var targets = Array.ConvertAll(labels, row => Array.FindAll(row, id => id >= 0 && id != Ctc.Blank));
        return Ops.CtcLoss(Ops.LogSoftmax(logits), frames, targets, Ctc.Blank, Ctc.ZeroInfinity,
            Ctc.Mean ? Reduction.Mean : Reduction.Sum);
    }
}
