using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>A text encoder's sizes beyond those of its transformer.</summary>
/// <param name="Transformer">The layers.</param>
/// <param name="Vocabulary">Rows of the token table V.</param>
/// <param name="Positions">Rows of the position table: the longest input plus padding id plus 1.</param>
/// <param name="TokenTypes">Rows of the token-type table; 0 = none (fairseq).</param>
/// <param name="PaddingId">Id of the padding token.</param>
/// <param name="ZeroPadding">Set padded positions to zero after the embedding LayerNorm (fairseq does, HF does not).</param>
/// <param name="Pooler">Tanh of a Linear on the first position, as published heads use.</param>
public sealed record TextEncoderConfig(
    TransformerConfig Transformer, int Vocabulary, int Positions, int TokenTypes = 0, int PaddingId = 1,
    bool ZeroPadding = true, bool Pooler = false)
{
    /// <summary>Tokens of the longest input.</summary>
    public int MaximumTokens => Positions - PaddingId - 1;
}

/// <summary>A rectangular batch of token ids on the host.</summary>
/// <param name="Batch">Rows B.</param>
/// <param name="Time">Columns T.</param>
/// <param name="Ids">[B, T] row-major.</param>
public sealed record TextBatch(int Batch, int Time, int[] Ids)
{
    /// <summary>Attention mask [B, T] (true = attend); null = every position that is not padding.</summary>
    public bool[]? Attend { get; init; }

    /// <summary>Token types [B, T]; null = all 0.</summary>
    public int[]? Types { get; init; }
}

/// <summary>
/// data2vec text, a RoBERTa-architecture encoder. Walk of a batch: ids [B, T] -> token + position (+ type) vectors
/// [B, T, D] -> LayerNorm -> dropout -> padded positions zeroed -> L post-norm layers [B, T, D]. Position ids count the
/// tokens that are not padding, from PaddingId + 1. Source: Liu et al. 2019; fairseq 3d262bb, data2vec_text.py.
/// </summary>
public sealed class TextEncoder
{
    private readonly EmbeddingLayer words, positions;
    private readonly EmbeddingLayer? types;
    private readonly LayerNormLayer norm;
    private readonly TransformerEncoder layers;
    private readonly LinearLayer? pooler;

    /// <summary>Declares all parameters.</summary>
    /// <param name="store">The model's store.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="layersRule">What the teacher does with the transformer layers.</param>
    /// <param name="embeddingRule">What it does with the embeddings (data2vec: shared; "ema everything": averaged).</param>
    public TextEncoder(
        ParameterStore store, TextEncoderConfig config, TeacherRule layersRule = TeacherRule.Averaged,
        TeacherRule embeddingRule = TeacherRule.Shared)
    {
        Config = config;
        var t = config.Transformer;
        var scope = new ParameterScope(store, "embeddings", embeddingRule);
        words = new EmbeddingLayer(scope.Sub("words"), config.Vocabulary, t.Width, t.InitialDeviation, config.PaddingId);
        positions = new EmbeddingLayer(
            scope.Sub("positions"), config.Positions, t.Width, t.InitialDeviation, config.PaddingId);
        if (config.TokenTypes > 0)
            types = new EmbeddingLayer(scope.Sub("types"), config.TokenTypes, t.Width, t.InitialDeviation);
        norm = new LayerNormLayer(scope.Sub("norm"), t.Width, t.LayerNormEps);
        layers = new TransformerEncoder(new ParameterScope(store, "encoder", layersRule), t);
        if (config.Pooler)
        {
            pooler = new LinearLayer(
                new ParameterScope(store, "pooler", layersRule), t.Width, t.Width, Initializers.Normal(t.InitialDeviation));
        }
    }

    /// <summary>Sizes.</summary>
    public TextEncoderConfig Config { get; }

    /// <summary>Ids to hidden states.</summary>
    /// <exception cref="ArgumentException">The input is longer than the position table allows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public EncoderOutput Forward(ParameterView p, TextBatch batch, ForwardMode mode)
    {
        if (batch.Time > Config.MaximumTokens)
        {
            throw new ArgumentException(
                $"The text model takes at most {Config.MaximumTokens} tokens; got an input of {batch.Time}.");
        }
        var device = p.Store.Device;
        var shape = new Shape(batch.Batch, batch.Time);
        var ids = Tensor.From<int>(device, batch.Ids, shape);
        var places = Tensor.From<int>(device, PositionIds(batch), shape);
        var x = Ops.Add(words.Forward(p, ids), positions.Forward(p, places));
        if (types is not null)
        {
            var rows = Tensor.From<int>(device, batch.Types ?? new int[batch.Ids.Length], shape);
            x = Ops.Add(x, types.Forward(p, rows));
        }
        x = norm.Forward(p, x);
        x = Ops.Dropout(x, mode.Step?.Dropout(Config.Transformer.Dropout, DropoutSites.Embedding) ?? default);
        var padded = Array.ConvertAll(batch.Ids, id => id == Config.PaddingId);
        var attend = batch.Attend ?? (padded.Contains(true) ? Array.ConvertAll(padded, pad => !pad) : null);
        var keyMask = attend is null ? null : Tensor.From<bool>(device, attend, shape);
        if (Config.ZeroPadding && padded.Contains(true))
            x = Ops.MaskRows(x, Tensor.From<bool>(device, padded, shape));
        return layers.Forward(p, x, keyMask, mode);
    }

    /// <summary>The token table [V, D], for a decoder that is tied to it.</summary>
    public Tensor WordTable(ParameterView p) => words.Table(p);

    /// <summary>tanh(W first + b) [B, D] of an encoder output.</summary>
    /// <exception cref="InvalidOperationException">The model has no pooler.</exception>
    public Tensor Pool(ParameterView p, Tensor last)
    {
        if (pooler is null) throw new InvalidOperationException("This text model has no pooler.");
        return Ops.Tanh(pooler.Forward(p, Positions.First(last)));
    }

    private int[] PositionIds(TextBatch batch)
    {
        var places = new int[batch.Ids.Length];
        for (var b = 0; b < batch.Batch; b++)
        {
            var count = 0;
            for (var t = 0; t < batch.Time; t++)
            {
                var at = b * batch.Time + t;
                places[at] = batch.Ids[at] == Config.PaddingId ? Config.PaddingId : Config.PaddingId + ++count;
            }
        }
        return places;
    }
}
