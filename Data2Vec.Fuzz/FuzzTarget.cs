using System.Text;

namespace Data2Vec.Fuzz;

/// <summary>A kind of file that comes from strangers, with every reader that meets it.</summary>
/// <param name="Name">As the command line says it.</param>
/// <param name="Readings">Each is given the same file.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<HostileReading> Readings)
{
    private const int LongestSeed = 8 << 10;

    /// <summary>Folders of fixtures with files to begin from, and what their names end in.</summary>
    public IReadOnlyList<(string Folder, string Ending)> Fixtures { get; init; } = [];

    /// <summary>More files to begin from.</summary>
    public IReadOnlyList<byte[]> OwnSeeds { get; init; } = [];

    /// <summary>Pieces of the format that chance alone would hardly put together.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Lets every reader read a file.</summary>
    /// <returns>How many did not refuse it.</returns>
    /// <exception cref="FuzzFindingException">One broke a promise.</exception>
    public int Run(byte[] bytes) => Readings.Count(r => r.Holds(bytes));

    /// <summary>Files to begin from: small, sound ones and broken ones.</summary>
    /// <param name="fixtures">The folder of fixtures.</param>
    public IEnumerable<byte[]> Seeds(string fixtures) => Fixtures
        .SelectMany(f => Directory.EnumerateFiles(Path.Combine(fixtures, f.Folder), "*" + f.Ending)
            .Order(StringComparer.Ordinal))
        .Where(path => new FileInfo(path).Length <= LongestSeed)
        .Select(File.ReadAllBytes)
        .Concat(OwnSeeds);

    /// <summary>The words as afl-fuzz reads them with -x.</summary>
    public string Dictionary() => string.Concat(Words.Select((word, i) => $"w{i}=\"{Escaped(word)}\"\n"));

    private static string Escaped(string word) => string.Concat(Encoding.Latin1.GetBytes(word)
        .Select(b => b is > 0x1F and < 0x7F and not (byte)'"' and not (byte)'\\' ? $"{(char)b}" : $"\\x{b:x2}"));
}
