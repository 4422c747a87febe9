using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Text;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>Features of documents from a saved text model.</summary>
public static class TextEmbedding
{
    private const int BatchSize = 64;

    /// <summary>Reads documents line by line and writes their features as .npy.</summary>
    /// <param name="model">
    /// Run folder, checkpoint or published folder: config.json, model.safetensors, tokenizer files.
    /// </param>
    /// <param name="input">UTF-8 text, one document a line.</param>
    /// <param name="output">
    /// Mean-pooled: [documents, D]; else [tokens of all documents, D], documents one behind the other.
    /// </param>
    /// <param name="meanPool">Average over the tokens of a document.</param>
    /// <param name="deviceName">Where to compute.</param>
    /// <param name="threads">CPU threads.</param>
    /// <returns>What was written, as a sentence.</returns>
    /// <exception cref="IOException">A file is missing or damaged.</exception>
    public static string Run(string model, string input, string output, bool meanPool, string deviceName, int threads)
    {
        var folder = PublishedFolder.Find(model);
        var config = PublishedText.ReadConfig(Path.Combine(folder, PublishedFolder.ConfigName));
        var tokenizer = ByteLevelBpe.Load(folder);
        if (tokenizer.Count > config.Vocabulary)
            throw new InvalidDataException(
                $"{folder}: the tokenizer has {tokenizer.Count} ids, the model {config.Vocabulary}.");
        var documents = Utf8Text.Read(input).Split('\n').Select(l => l.TrimEnd('\r')).ToList();
        if (documents[^1].Length == 0) documents.RemoveAt(documents.Count - 1);
        if (documents.Count == 0) throw new InvalidDataException($"{input} is empty: expected one document a line.");

        using var device = Device.Parse(deviceName, threads);
        using var store = new ParameterStore(device);
        var encoder = ((TextModel)PublishedFolder.Load(folder, store, PublishedFamily.Text.Bare)).Encoder;
        using var parameters = store.Student();
        var sequences = documents.Select(d => Cut(tokenizer, d, config.MaximumTokens)).ToList();
        var width = config.Transformer.Width;
        var features = new List<float>();
        var rows = 0;
        foreach (var batch in sequences.Chunk(BatchSize))
        {
            var time = batch.Max(s => s.Length);
            var ids = new int[batch.Length * time];
            Array.Fill(ids, config.PaddingId);
            for (var b = 0; b < batch.Length; b++) batch[b].CopyTo(ids, b * time);
            using var scope = device.Scope();
            var encoded = encoder.Forward(parameters, new TextBatch(batch.Length, time, ids), default);
            var last = encoded.Last.ToArray<float>();
            for (var b = 0; b < batch.Length; b++)
            {
                var own = last.AsSpan(b * time * width, batch[b].Length * width);
                if (!meanPool)
                {
                    features.AddRange(own);
                    rows += batch[b].Length;
                    continue;
                }
                var mean = new float[width];
                for (var i = 0; i < own.Length; i++) mean[i % width] += own[i] / batch[b].Length;
                features.AddRange(mean);
                rows++;
            }
        }
        Npy.Save(output, new Shape(rows, width), features.ToArray());
        return $"{documents.Count} documents -> {output}: float32 ({rows}, {width})";
    }

    private static int[] Cut(ByteLevelBpe tokenizer, string document, int longest)
    {
        var ids = tokenizer.TokenizeToIds(document);
        return [tokenizer.BosId, .. ids.Take(longest - 2), tokenizer.EosId];
    }
}
