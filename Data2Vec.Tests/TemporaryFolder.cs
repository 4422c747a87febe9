namespace Data2Vec.Tests;

/// <summary>A fresh folder that is removed with everything in it at the end of the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("data2vec-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
