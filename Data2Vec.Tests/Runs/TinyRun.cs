using System.Globalization;

namespace Data2Vec.Tests.Runs;

/// <summary>
/// A run of milliseconds: 48 documents, two layers, width 16, with everything on that draws random numbers (dropout,
/// spans, micro-batches) and enough steps to pass the end of an epoch.
/// </summary>
internal sealed class TinyRun : IDisposable
{
    private static readonly string[] Settings =
    [
        "vocabulary_size=300", "hidden=16", "heads=2", "layers=2", "feed_forward=32", "top_layers=2", "batch_size=4",
        "micro_batches=2", "max_tokens=16", "warmup_steps=2", "dropout=0.1", "attention_dropout=0.1", "mask_length=2",
        "log_every=1", "probes=false",
    ];

    private readonly TemporaryFolder folder = new();

    public TinyRun(int documents = 48)
    {
        Data = Path.Combine(folder.Path, "corpus.txt");
        File.WriteAllLines(Data, Enumerable.Range(0, documents).Select(i => string.Create(CultureInfo.InvariantCulture,
            $"document {i}: {Words[i % 7]} and {Words[i * 5 % 11]} meet {Words[i * 3 % 13]} at {i * 37 % 100} sharp")));
    }

    /// <summary>Everything that the test makes lies below.</summary>
    public string Root => folder.Path;

    /// <summary>The corpus.</summary>
    public string Data { get; }

    private static string[] Words { get; } =
    [
        "cat", "dog", "bird", "house", "tree", "river", "mountain", "teacher", "student", "road", "garden", "window",
        "sea",
    ];

    /// <summary>Path of a run folder.</summary>
    public string Folder(string name) => Path.Combine(folder.Path, name);

    /// <summary>The command line of a run; later settings replace those of <see cref="Settings"/>.</summary>
    public string[] Arguments(string name, params string[] more)
    {
        static string Key(string setting) => setting[..setting.IndexOf('=', StringComparison.Ordinal)];
        var given = more.Where(m => m.Contains('=') && !m.StartsWith('-')).Select(Key).ToHashSet();
        return
        [
            "pretrain", "text", "--device", "cpu", "--data", Data, "--out", Folder(name),
            .. Settings.Where(s => !given.Contains(Key(s))), .. more,
        ];
    }

    /// <summary>Trains inside this process; gives what was printed.</summary>
    public string Train(string name, params string[] more) => CommandLine.Succeed(Arguments(name, more));

    public void Dispose() => folder.Dispose();
}
