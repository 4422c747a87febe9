using System.Text.Encodings.Web;
using System.Text.Json;

namespace Data2Vec.Models.Data;

/// <summary>What happens when a sample cannot be read.</summary>
public enum BadSamplePolicy
{
    /// <summary>The run stops, naming the sample and what is wrong with it.</summary>
    Fail,
    /// <summary>The sample is left out, counted and reported.</summary>
    Skip,
    /// <summary>As skip, and it is listed in a file of the run folder, which a resumed run reads.</summary>
    Quarantine,
}

/// <summary>A sample that could not be read.</summary>
/// <param name="Name">The sample.</param>
/// <param name="Reason">One sentence.</param>
public sealed record BadSample(string Name, string Reason);

/// <summary>A bad sample under the policy <see cref="BadSamplePolicy.Fail"/>.</summary>
public sealed class BadSampleException(string sample, Exception cause)
    : IOException(
        cause.Message.Contains(sample, StringComparison.Ordinal) ? cause.Message : $"{sample}: {cause.Message}", cause)
{
    /// <summary>The sample.</summary>
    public string Sample => sample;
}

/// <summary>The bad samples of a run and what is done about them. Safe for several threads.</summary>
public sealed class BadSamples
{
    private static readonly JsonSerializerOptions Line = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Dictionary<string, BadSample> found = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly string? file;

    /// <param name="policy">What to do.</param>
    /// <param name="quarantineFile">
    /// For <see cref="BadSamplePolicy.Quarantine"/>: a file with one JSON object {"name", "reason"} a line. It is added
    /// to; what it lists already is known to be bad.
    /// </param>
    /// <exception cref="ArgumentException">Quarantine without a file.</exception>
    /// <exception cref="InvalidDataException">The file is not of that form; names the line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public BadSamples(BadSamplePolicy policy, string? quarantineFile = null)
    {
        Policy = policy;
        if (policy != BadSamplePolicy.Quarantine) return;
        file = quarantineFile ?? throw new ArgumentException(
            "The policy quarantine needs a file to list bad samples in.", nameof(quarantineFile));
        if (File.Exists(file)) ReadQuarantine(file);
    }

    /// <summary>What is done.</summary>
    public BadSamplePolicy Policy { get; }

    /// <summary>
    /// Called once for each sample found to be bad, on the thread that found it; not for those of the file.
    /// </summary>
    public Action<BadSample>? Reported { get; init; }

    /// <summary>How many are known.</summary>
    public int Count
    {
        get { lock (gate) return found.Count; }
    }

    /// <summary>All that are known, by name.</summary>
    public IReadOnlyList<BadSample> List
    {
        get { lock (gate) return [.. found.Values.OrderBy(b => b.Name, StringComparer.Ordinal)]; }
    }

    /// <summary>True when a sample is known to be bad, so that it need not be tried again.</summary>
    public bool Contains(string name)
    {
        lock (gate) return found.ContainsKey(name);
    }

    /// <summary>True for what a damaged or unreadable sample throws; anything else is a fault of the program.</summary>
    public static bool IsBad(Exception error) => error is not BadSampleException
        && error is InvalidDataException or IOException or UnauthorizedAccessException;

    /// <summary>Deals with a sample that could not be read.</summary>
    /// <param name="name">The sample.</param>
    /// <param name="error">What reading it threw.</param>
    /// <exception cref="BadSampleException">The policy is to fail.</exception>
    /// <exception cref="IOException">The quarantine file cannot be written.</exception>
    public void Add(string name, Exception error)
    {
        if (Policy == BadSamplePolicy.Fail) throw new BadSampleException(name, error);
        var bad = new BadSample(name, error.Message.ReplaceLineEndings(" "));
        lock (gate)
        {
            if (!found.TryAdd(name, bad)) return;
            if (file is not null) File.AppendAllText(file, JsonSerializer.Serialize(bad, Line) + "\n");
        }
        Reported?.Invoke(bad);
    }

    private void ReadQuarantine(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Length == 0) continue;
            try
            {
                var bad = JsonSerializer.Deserialize<BadSample>(line, Line);
                if (bad is { Name: not null, Reason: not null }) found[bad.Name] = bad;
                else throw new JsonException();
            }
            catch (JsonException)
            {
                throw new InvalidDataException(
                    $"{path}: line {number} should be an object with the texts \"name\" and \"reason\".");
            }
        }
    }
}
