using Data2Vec.Engine;

namespace Data2Vec.Models;

/// <summary>One batch of text for pre-training: what the student reads, what the teacher reads, and where the loss is.</summary>
/// <param name="Source">Ids after masking [B, T].</param>
/// <param name="Clean">Original ids [B, T].</param>
/// <param name="LossPositions">[B * T], true where predictions are compared.</param>
public sealed record TextPretrainBatch(TextBatch Source, TextBatch Clean, bool[] LossPositions);

/// <summary>data2vec text: encoder and regression head over one parameter store.</summary>
public sealed class TextPretrainModel : IPretrainable<TextPretrainBatch>, IDisposable
{
    /// <summary>Declares the model; call <see cref="ParameterStore.Build"/> on its store before use.</summary>
    /// <param name="store">An empty store; owned by the model.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="headLayers">Depth of the regression head.</param>
    /// <param name="averageEverything">Average the embeddings too, instead of sharing them with the student.</param>
    public TextPretrainModel(
        ParameterStore store, TextEncoderConfig config, int headLayers, bool averageEverything = false)
    {
        Store = store;
        Encoder = new TextEncoder(store, config, TeacherRule.Averaged,
            averageEverything ? TeacherRule.Averaged : TeacherRule.Shared);
        Head = new RegressionHead(store, config.Transformer.Width, headLayers, config.Transformer.InitialWeights);
    }

    /// <inheritdoc/>
    public ParameterStore Store { get; }

    /// <summary>The encoder.</summary>
    public TextEncoder Encoder { get; }

    /// <inheritdoc/>
    public RegressionHead Head { get; }

    /// <inheritdoc/>
    public EncoderOutput Encode(
        ParameterView parameters, TextPretrainBatch batch, Tensor? front, bool masked, ForwardMode mode) => Encoder.Forward(parameters, masked ? batch.Source : batch.Clean, mode);

    /// <inheritdoc/>
    public int[] LossRows(TextPretrainBatch batch) => Rows.Where(batch.LossPositions);

    /// <inheritdoc/>
    public int[] DataRows(TextPretrainBatch batch) =>
        Rows.Where(Array.ConvertAll(batch.Clean.Ids, id => id != Encoder.Config.PaddingId));

    /// <inheritdoc/>
    public void Dispose() => Store.Dispose();
}
