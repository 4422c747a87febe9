namespace Data2Vec.Tests.Data.Audio;

/// <summary>Files of the copied audio suite.</summary>
internal static class AudioFixtures
{
    public static string Root { get; } = Path.Combine(Fixtures.CopiedRoot, "audio");

    /// <summary>Every undamaged file.</summary>
    public static IEnumerable<string> Sound() => new[] { "wav", "flac" }
        .SelectMany(f => Directory.EnumerateFiles(Path.Combine(Root, f))).Order(StringComparer.Ordinal);
}
