using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>Sizes of an x-vector head.</summary>
/// <param name="Widths">Output channels of each time-delay layer; the encoder is projected to the first.</param>
/// <param name="Kernels">Taps of each layer.</param>
/// <param name="Dilations">Frames from one tap to the next.</param>
/// <param name="Output">Width X of the x-vector.</param>
/// <param name="WeightedLayers">Read a learned mixture of all layers.</param>
public sealed record XVectorConfig(
    IReadOnlyList<int> Widths, IReadOnlyList<int> Kernels, IReadOnlyList<int> Dilations, int Output,
    bool WeightedLayers = false)
{
    /// <summary>Refuses sizes that do not fit together.</summary>
    /// <exception cref="ArgumentException">One sentence naming the sizes.</exception>
    public void Check()
    {
        if (Widths.Count == 0 || Widths.Count != Kernels.Count || Widths.Count != Dilations.Count
            || Widths.Concat(Kernels).Concat(Dilations).Append(Output).Any(n => n < 1))
            throw new ArgumentException($"An x-vector head needs a width, a kernel and a dilation of at least 1 for "
                + $"each layer; got {Widths.Count}, {Kernels.Count} and {Dilations.Count}, output {Output}.");
    }
}

/// <summary>
/// Audio encoder that knows voices, Data2VecAudioForXVector: hidden [B, T, D] (or a mixture of all layers) -> Linear
/// D -> W0 -> time-delay layers (dilated convolution, ReLU) [B, T', W] -> mean and unbiased deviation over the frames
/// that hold data [B, 2 W] -> Linear: the x-vector [B, X] -> Linear X -> X. The loss is additive-margin softmax of the
/// cosines to one learned vector a voice. Source: Snyder et al. 2018; Wang et al. 2018.
/// </summary>
public sealed class AudioXVectorModel : PublishedModel
{
    private const double Scale = 30;
    private const double Margin = 0.4;

    private readonly XVectorConfig sizes;
    private readonly LayerMixture mixture;
    private readonly LinearLayer projection, vector, output;
    private readonly int[] weights, biases;
    private readonly int voices;

    /// <summary>Declares the parameters.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="sizes">The head.</param>
    /// <param name="labels">Number of voices.</param>
    public AudioXVectorModel(ParameterStore store, AudioEncoderConfig config, XVectorConfig sizes, int labels)
        : base(store, PublishedAudio.Map(config, "Data2VecAudioForXVector", HeadNames(sizes)))
    {
        sizes.Check();
        this.sizes = sizes;
        Encoder = new AudioEncoder(store, config, AudioTeacher.All(TeacherRule.Shared));
        var init = Initializers.Normal(config.Transformer.InitialDeviation);
        mixture = new LayerMixture(Head(store), config.Transformer.Layers, sizes.WeightedLayers);
        projection = new LinearLayer(Head(store, "projection"), config.Transformer.Width, sizes.Widths[0], init);
        (weights, biases) = (new int[sizes.Widths.Count], new int[sizes.Widths.Count]);
        for (var i = 0; i < weights.Length; i++)
        {
            var inputs = sizes.Widths[Math.Max(0, i - 1)];
            var scope = Head(store, $"delay.{i}");
            weights[i] = scope.Add("weight", new Shape(sizes.Widths[i], sizes.Kernels[i] * inputs), init);
            biases[i] = scope.Add("bias", new Shape(sizes.Widths[i]), Initializers.Zeros);
        }
        vector = new LinearLayer(Head(store, "vector"), 2 * sizes.Widths[^1], sizes.Output, init);
        output = new LinearLayer(Head(store, "output"), sizes.Output, sizes.Output, init);
        voices = Head(store).Add("voices", new Shape(sizes.Output, labels), Initializers.Normal(1));
    }

    /// <summary>The encoder.</summary>
    public AudioEncoder Encoder { get; }

    /// <summary>The encoder's hidden states must be collected.</summary>
    public bool NeedsHidden => sizes.WeightedLayers;

    /// <summary>The x-vector [B, X] and the vector [B, X] that is compared with the voices.</summary>
    /// <param name="p">Parameters.</param>
    /// <param name="encoded">Of the encoder.</param>
    /// <param name="frames">
    /// Frames of each clip that hold data; null = all T. As in the published code, the frames behind the time-delay
    /// layers are counted without the dilations.
    /// </param>
    /// <exception cref="ArgumentException">A clip is too short for two frames.</exception>
    public (Tensor Vector, Tensor Logits) Forward(ParameterView p, EncoderOutput encoded, int[]? frames)
    {
        var x = projection.Forward(p, mixture.Of(p, encoded));
        for (var i = 0; i < weights.Length; i++)
        {
            var weight = Ops.Reshape(p[weights[i]], new Shape(sizes.Widths[i], sizes.Kernels[i], x.Shape[2]));
            x = Ops.Relu(Ops.Conv1d(x, weight, p[biases[i]], new Conv1dOptions(Dilation: sizes.Dilations[i])));
        }
        var lost = sizes.Kernels.Sum(k => k - 1);
        var pooled = new Tensor[x.Shape[0]];
        for (var b = 0; b < pooled.Length; b++)
        {
            var count = frames is null ? x.Shape[1] : Math.Min(frames[b] - lost, x.Shape[1]);
            if (count < 2)
                throw new ArgumentException($"Clip {b} has {count} frames behind the time-delay layers: 2 are needed.");
            var own = Ops.Slice(Ops.Reshape(Ops.Slice(x, 0, b, b + 1), new Shape(x.Shape[1], x.Shape[2])), 0, 0, count);
            pooled[b] = Ops.Concat([Ops.Mean(own, [0]), Deviation(own)], 0);
        }
        var v = vector.Forward(p, Ops.Stack(pooled, 0));
        return (v, output.Forward(p, v));
    }

    /// <summary>Cross-entropy of 30 times the cosines, that of the right voice lowered by 0.4.</summary>
    /// <param name="p">Parameters.</param>
    /// <param name="logits">[B, X].</param>
    /// <param name="labels">[B] voices.</param>
    public Tensor Loss(ParameterView p, Tensor logits, int[] labels)
    {
        var count = p[voices].Shape[1];
        var cosines = Ops.MatMul(Unit(logits, 1), Unit(p[voices], 0));
        var margins = new double[labels.Length * count];
        for (var b = 0; b < labels.Length; b++)
            if (labels[b] >= 0 && labels[b] < count) margins[b * count + labels[b]] = Margin;
        var lowered = Ops.Sub(cosines, Tensor.FromDoubles(logits.Device, margins, cosines.Shape, logits.DType));
        return ClassificationLoss.OneOfMany(Ops.Affine(lowered, Scale), labels);
    }

    /// <summary>
    /// Unbiased deviation over time, [T, W] to [W]. A channel that never changes (ReLU makes such) has deviation 0 and
    /// passes no gradient on, where that of the root alone would be infinite.
    /// </summary>
    private static Tensor Deviation(Tensor x)
    {
        var variance = Ops.Variance(x, [0]);
        var zero = Tensor.Zeros(x.Device, variance.Shape, x.DType);
        var constant = Ops.Binary(BinaryOp.Equal, variance, zero);
        return Ops.Where(constant, zero, Ops.Sqrt(Ops.MaskedFill(variance, constant, 1)));
    }

    /// <summary>Divided by the Euclidean norm along a dimension.</summary>
    private static Tensor Unit(Tensor x, int dimension) =>
        Ops.Div(x, Ops.Sqrt(Ops.Sum(Ops.Square(x), [dimension], keepDimensions: true)));

    private static IEnumerable<PublishedTensor> HeadNames(XVectorConfig sizes) =>
        LayerMixture.Names(sizes.WeightedLayers)
            .Concat(PublishedLayers.Of("projector", "head.projection"))
            .Concat(Enumerable.Range(0, sizes.Widths.Count)
                .SelectMany(i => PublishedLayers.Of($"tdnn.{i}.kernel", $"head.delay.{i}")))
            .Concat(PublishedLayers.Of("feature_extractor", "head.vector"))
            .Concat(PublishedLayers.Of("classifier", "head.output"))
            .Append(new PublishedTensor("objective.weight", "head.voices"));
}
