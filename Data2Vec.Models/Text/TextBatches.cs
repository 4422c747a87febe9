using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models;

/// <summary>
/// Batches for pre-training. Which documents a step sees and how they are masked is a function of seed and step alone, so a
/// resumed run continues as if it had never stopped.
/// </summary>
public sealed class TextBatches : IBatchSource<TextPretrainBatch>
{
    private readonly IReadOnlyList<TokenizedDocument> documents;
    private readonly TextMaskConfig masking;
    private readonly ulong seed;
    private readonly int batchSize, padId, maskId, vocabulary;
    private readonly DataOrder order;

    /// <param name="documents">The documents to train on.</param>
    /// <param name="batchSize">Documents of one micro-batch.</param>
    /// <param name="padId">The padding id.</param>
    /// <param name="maskId">The mask token's id.</param>
    /// <param name="vocabulary">Number of ids.</param>
    /// <param name="masking">How the student's view is masked.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <exception cref="ArgumentException">There is no document.</exception>
    public TextBatches(
        IReadOnlyList<TokenizedDocument> documents, int batchSize, int padId, int maskId, int vocabulary,
        TextMaskConfig masking, ulong seed)
    {
        if (documents.Count == 0) throw new ArgumentException("There is no document to train on.");
        this.documents = documents;
        order = new DataOrder(documents.Count, seed);
        this.batchSize = batchSize;
        this.padId = padId;
        this.maskId = maskId;
        this.vocabulary = vocabulary;
        this.masking = masking;
        this.seed = seed;
    }

    /// <summary>Documents seen before an epoch ends.</summary>
    public int EpochLength => documents.Count;

    /// <inheritdoc/>
    public TextPretrainBatch Get(uint step, int microBatch, int microBatches)
    {
        var rows = new int[batchSize][];
        var first = ((long)step * microBatches + microBatch) * batchSize;
        for (var i = 0; i < batchSize; i++) rows[i] = documents[order.At(first + i)].Ids;
        var time = rows.Max(r => r.Length);
        var clean = new int[batchSize * time];
        var source = new int[batchSize * time];
        var positions = new bool[batchSize * time];
        Array.Fill(clean, padId);
        Array.Fill(source, padId);
        var random = new PhiloxStream(new RandomKey(seed, step, (ushort)microBatch, DataSites.Mask));
        for (var b = 0; b < batchSize; b++)
        {
            var (masked, selected) = TextMasker.Mask(rows[b], maskId, vocabulary, masking, random);
            rows[b].CopyTo(clean, b * time);
            masked.CopyTo(source, b * time);
            for (var t = 0; t < selected.Length; t++)
                positions[b * time + t] = selected[t] && (!masking.OnlyMaskTokens || masked[t] == maskId);
        }
        if (!positions.Contains(true))
        {
            // A loss needs a row: the first token of the batch is masked then.
            source[0] = maskId;
            positions[0] = true;
        }
        return new TextPretrainBatch(
            new TextBatch(batchSize, time, source), new TextBatch(batchSize, time, clean), positions);
    }
}
