using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// data2vec vision, a BEiT-architecture encoder. Walk of a batch: pixels [B, H, W, C] -> patches [B, N, D] (N = h w,
/// row-major over the grid) -> masked ones replaced by the mask token -> class token first [B, N + 1, D] -> (+ absolute
/// positions) -> dropout -> L pre-norm layers whose attention scores get the relative position bias [heads, N + 1, N +
/// 1] -> LayerNorm. Source: Bao et al. 2021; data2vec_vision af9a363.
/// </summary>
public sealed class VisionEncoder
{
    private readonly int patchWeight, patchBias, classToken, maskToken = -1, positions = -1;
    private readonly RelativePositionBias? sharedBias;
    private readonly RelativePositionBias[] layerBiases = [];
    private readonly TransformerEncoder layers;
    private readonly LayerNormLayer? norm;

    /// <summary>Declares all parameters.</summary>
    /// <param name="store">The model's store.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="rule">What the teacher does with all of them (data2vec: averaged).</param>
    public VisionEncoder(ParameterStore store, VisionEncoderConfig config, TeacherRule rule = TeacherRule.Averaged)
    {
        config.Check();
        Config = config;
        var t = config.Transformer;
        var embeddings = new ParameterScope(store, "embeddings", rule);
        var tokens = config.Tokens ?? t.InitialWeights;
        classToken = embeddings.Add("cls_token", new Shape(t.Width), tokens);
        if (config.MaskToken) maskToken = embeddings.Add("mask_token", new Shape(1, t.Width), tokens);
        patchWeight = embeddings.Add("patch.weight",
            new Shape(t.Width, config.PatchSize, config.PatchSize, config.Channels), t.InitialWeights);
        patchBias = embeddings.Add("patch.bias", new Shape(t.Width), Initializers.Zeros);
        if (config.AbsolutePositions)
        {
            positions = embeddings.Add("positions",
                new Shape(config.GridHeight * config.GridWidth + 1, t.Width), tokens, weightDecay: 0);
        }
        if (config.Relative is RelativePositions.Shared or RelativePositions.Both)
            sharedBias = Bias(store, config, "relative_position_bias", rule);
        if (config.Relative is RelativePositions.PerLayer or RelativePositions.Both)
        {
            layerBiases = [.. Enumerable.Range(0, t.Layers).Select(
                i => Bias(store, config, $"encoder.layer.{i}.relative_position_bias", rule))];
        }
        layers = new TransformerEncoder(new ParameterScope(store, "encoder", rule), t);
        if (config.FinalNorm)
            norm = new LayerNormLayer(new ParameterScope(store, "norm", rule), t.Width, t.LayerNormEps);
    }

    /// <summary>Sizes.</summary>
    public VisionEncoderConfig Config { get; }

    /// <summary>
    /// Pixels to hidden states; Hidden[^1] is the last layer's output, Last the same after the final norm.
    /// </summary>
    /// <param name="p">Parameters.</param>
    /// <param name="pixels">[B, H, W, C], normalised, in the store's type. A rest below one patch is left out.</param>
    /// <param name="masked">[B * N], true = the patch is replaced by the mask token; null = none.</param>
    /// <param name="mode">Dropout, stochastic depth, collection, recomputation.</param>
    /// <exception cref="ArgumentException">Channels or sizes do not fit, or there is no mask token.</exception>
    public EncoderOutput Forward(ParameterView p, Tensor pixels, bool[]? masked, ForwardMode mode)
    {
        var (height, width) = Grid(pixels);
        var x = Embed(p, PatchEmbeddings(p, pixels), masked, height, width);
        x = Ops.Dropout(x, mode.Step?.Dropout(Config.Transformer.Dropout, DropoutSites.Embedding) ?? default);
        var output = layers.Forward(p, x, null, mode, Biases(p, height, width));
        return norm is null ? output : output with { Last = norm.Forward(p, output.Last) };
    }

    /// <summary>Pixels [B, H, W, C] to patches [B, N, D].</summary>
    public Tensor PatchEmbeddings(ParameterView p, Tensor pixels)
    {
        var (height, width) = Grid(pixels);
        var size = Config.PatchSize;
        return Ops.PatchEmbedding(
            Ops.Slice(Ops.Slice(pixels, 1, 0, height * size), 2, 0, width * size), p[patchWeight], p[patchBias]);
    }

    /// <summary>The bias [heads, N + 1, N + 1] of all layers for a grid of patches; null when there is none.</summary>
    public Tensor? SharedBias(ParameterView p, int height, int width) => sharedBias?.Forward(p, height, width);

    /// <summary>The bias [heads, N + 1, N + 1] of one layer for a grid of patches; null when there is none.</summary>
    public Tensor? LayerBias(ParameterView p, int layer, int height, int width) =>
        layerBiases.Length == 0 ? null : layerBiases[layer].Forward(p, height, width);

    /// <summary>Patches of the grid over an image, from top to bottom and from left to right.</summary>
    /// <exception cref="ArgumentException">The image has other channels, or is smaller than a patch.</exception>
    public (int Height, int Width) Grid(Tensor pixels)
    {
        var shape = pixels.Shape;
        var size = Config.PatchSize;
        if (shape.Rank != 4 || shape[3] != Config.Channels || shape[1] < size || shape[2] < size)
            throw new ArgumentException($"The vision model takes pixels [batch, height, width, {Config.Channels}] of "
                + $"at least {size} x {size}; got {shape}.");
        return (shape[1] / size, shape[2] / size);
    }

    private static RelativePositionBias Bias(
        ParameterStore store, VisionEncoderConfig config, string name, TeacherRule rule) => new(
            new ParameterScope(store, "", rule), name, config.Transformer.Heads, config.GridHeight, config.GridWidth,
            config.RelativeRateScale, config.TableByWidth);

    /// <summary>Masks, puts the class token first, adds positions: [B, N, D] to [B, N + 1, D].</summary>
    private Tensor Embed(ParameterView p, Tensor x, bool[]? masked, int height, int width)
    {
        var (batch, patches, channels) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        if (masked is not null)
        {
            if (maskToken < 0)
                throw new ArgumentException("This vision model has no mask token, so no patch can be masked.");
            x = Ops.MaskRows(x, Tensor.From<bool>(x.Device, masked, new Shape(batch, patches)),
                Ops.Reshape(p[maskToken], new Shape(channels)));
        }
        var first = Ops.Expand(Ops.Reshape(p[classToken], new Shape(1, 1, channels)), new Shape(batch, 1, channels));
        x = Ops.Concat([first, x], 1);
        return positions < 0 ? x : Ops.Add(x, Positions(p, height, width));
    }

    private Tensor Positions(ParameterView p, int height, int width)
    {
        if (height == Config.GridHeight && width == Config.GridWidth) return p[positions];
        var channels = Config.Transformer.Width;
        var patches = Ops.Reshape(
            Ops.Slice(p[positions], 0, 1), new Shape(Config.GridHeight, Config.GridWidth, channels));
        var resized = Ops.Resize2d(patches, height, width, Interpolation.Bicubic);
        return Ops.Concat(
            [Ops.Slice(p[positions], 0, 0, 1), Ops.Reshape(resized, new Shape(height * width, channels))], 0);
    }

    /// <summary>The bias of each layer; a shared one is computed once a pass.</summary>
    private Func<ParameterView, int, Tensor>? Biases(ParameterView p, int height, int width)
    {
        if (Config.Relative == RelativePositions.None) return null;
        Tensor? once = null;
        return (view, layer) =>
        {
            // A layer that is recomputed records on a tape of its own, so it needs a bias of its own.
            var shared = view == p ? once ??= SharedBias(p, height, width) : SharedBias(view, height, width);
            var own = LayerBias(view, layer, height, width);
            return shared is null ? own! : own is null ? shared : Ops.Add(shared, own);
        };
    }
}
