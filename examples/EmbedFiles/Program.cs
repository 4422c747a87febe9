using Data2Vec.Engine.Serialization;
using Data2Vec.Models;

// Features of files from a published folder or a run: EmbedFiles MODEL_FOLDER FILE...
// A text model reads one file of a document a line; audio and vision models read WAV/FLAC and pictures.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: EmbedFiles MODEL_FOLDER FILE...");
    return 2;
}
var output = Path.Combine(Path.GetTempPath(), $"data2vec-features-{Environment.ProcessId}.npy");
Console.WriteLine(Embedding.Run(args[0], args[1..], output, meanPool: true, "cpu", threads: 0));

var (shape, values) = Npy.LoadSingles(output);
for (var row = 0; row < Math.Min(5, shape[0]); row++)
    Console.WriteLine($"row {row}: {string.Join(", ", values.Skip(row * shape[1]).Take(4).Select(v => v.ToString("F4")))}, ...");
return 0;
