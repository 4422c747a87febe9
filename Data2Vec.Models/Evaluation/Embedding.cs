using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>Features of files from a saved model of any modality.</summary>
public static class Embedding
{
    /// <summary>Computes and writes features; what the inputs must be follows from the model.</summary>
    /// <param name="model">Run folder, checkpoint or published folder of any class (a head is left out).</param>
    /// <param name="inputs">
    /// Text: one UTF-8 file, a document a line. Speech and images: files, and folders of such.
    /// </param>
    /// <param name="output">
    /// The .npy; see <see cref="TextEmbedding"/>, <see cref="AudioEmbedding"/>, <see cref="ImageEmbedding"/>.
    /// </param>
    /// <param name="meanPool">One row a document or file: the mean of its tokens, frames or patches.</param>
    /// <param name="deviceName">Where to compute.</param>
    /// <param name="threads">CPU threads.</param>
    /// <returns>What was written, as a sentence.</returns>
    /// <exception cref="InvalidDataException">Model or inputs break a rule; file, tensor or field is named.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static string Run(
        string model, IReadOnlyList<string> inputs, string output, bool meanPool, string deviceName, int threads)
    {
        var config = PublishedConfig.Read(Path.Combine(PublishedFolder.Find(model), PublishedFolder.ConfigName));
        if (config.Family == PublishedFamily.Audio)
            return AudioEmbedding.Run(model, inputs, output, meanPool, deviceName, threads);
        if (config.Family == PublishedFamily.Vision)
            return ImageEmbedding.Run(model, inputs, output, meanPool, deviceName, threads);
        return inputs is [var documents]
            ? TextEmbedding.Run(model, documents, output, meanPool, deviceName, threads)
            : throw new InvalidDataException($"A text model takes one file of documents; got {inputs.Count}.");
    }
}
