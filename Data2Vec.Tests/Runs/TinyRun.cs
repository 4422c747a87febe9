using System.Globalization;

namespace Data2Vec.Tests.Runs;

/// <summary>
/// A run of milliseconds in one of the three modalities: 48 documents, 14 pictures or 14 clips, two layers, width 16, with
/// everything on that draws random numbers (dropout, masks, crops, layer drop, micro-batches) and data so few that a few
/// steps pass the end of an epoch.
/// </summary>
internal sealed class TinyRun : IDisposable
{
    private const int Files = 14;

    private static readonly string[] Shared =
    [
        "hidden=16", "heads=2", "layers=2", "feed_forward=32", "top_layers=2", "micro_batches=2", "warmup_steps=2",
        "dropout=0.1", "attention_dropout=0.1", "log_every=1", "probes=false",
    ];

    private static readonly Dictionary<string, string[]> Own = new()
    {
        ["text"] = ["batch_size=4", "vocabulary_size=300", "max_tokens=16", "mask_length=2"],
        ["vision"] = ["batch_size=2", "drop_path=0.2", "augment=true", "layer_scale=0.1"],
        ["audio"] =
        [
            "batch_size=2", "feature_channels=8", "position_layers=2", "position_groups=2", "layer_drop=0.2",
            "min_samples=2000", "max_samples=3000",
        ],
    };

    private readonly TemporaryFolder folder = new();
    private readonly string modality;

    /// <param name="modality">One of <see cref="Modalities"/>.</param>
    /// <param name="documents">Of the text corpus.</param>
    public TinyRun(string modality = "text", int documents = 48)
    {
        this.modality = modality;
        Data = Path.Combine(folder.Path, modality == "text" ? "corpus.txt" : modality);
        if (modality == "text") WriteDocuments(documents);
        else WriteFiles();
    }

    /// <summary>Whatever holds for a run must hold for each.</summary>
    public static IEnumerable<string> Modalities => Own.Keys;

    /// <summary>Everything that the test makes lies below.</summary>
    public string Root => folder.Path;

    /// <summary>The corpus, or the folder with pictures or clips.</summary>
    public string Data { get; }

    private static string[] Words { get; } =
    [
        "cat", "dog", "bird", "house", "tree", "river", "mountain", "teacher", "student", "road", "garden", "window",
        "sea",
    ];

    /// <summary>Path of a run folder.</summary>
    public string Folder(string name) => Path.Combine(folder.Path, name);

    /// <summary>The command line of a run; later settings replace those that every run has.</summary>
    public string[] Arguments(string name, params string[] more)
    {
        static string Key(string setting) => setting[..setting.IndexOf('=', StringComparison.Ordinal)];
        var given = more.Where(m => m.Contains('=') && !m.StartsWith('-')).Select(Key).ToHashSet();
        return
        [
            "pretrain", modality, "--device", "cpu", "--data", Data, "--out", Folder(name),
            .. Shared.Concat(Own[modality]).Where(s => !given.Contains(Key(s))), .. more,
        ];
    }

    /// <summary>Trains inside this process; gives what was printed.</summary>
    public string Train(string name, params string[] more) => CommandLine.Succeed(Arguments(name, more));

    public void Dispose() => folder.Dispose();

    private void WriteDocuments(int documents) => File.WriteAllLines(Data, Enumerable.Range(0, documents).Select(
        i => string.Create(CultureInfo.InvariantCulture,
            $"document {i}: {Words[i % 7]} and {Words[i * 5 % 11]} meet {Words[i * 3 % 13]} at {i * 37 % 100} sharp")));

    private void WriteFiles()
    {
        Directory.CreateDirectory(Data);
        for (var i = 0; i < Files; i++)
        {
            var path = Path.Combine(Data, $"{i:D2}");
            if (modality == "vision") SmallFiles.WriteBitmap(path + ".bmp", 30 + i, 40, (ulong)i);
            else SmallFiles.WriteWave(path + ".wav", 16000, 2500 + 100 * i, (ulong)i);
        }
    }
}
