using System.Security.Cryptography;
using System.Text;
using ILGPU;

namespace Data2Vec.Kernels.Platform;

/// <summary>
/// What compiling has made, in small files, so that the next process need not make it again: the PTX that ILGPU writes,
/// and the names of kernels that runs have used. Each build of the kernels has a folder of its own. A file is written
/// aside and renamed, and counts only while its digest holds: whatever is damaged, locked or not to be written is as if
/// it were not there. Several processes share the folder. What NVIDIA's driver assembles of PTX it keeps itself
/// (CUDA_CACHE_PATH, see the CUDA programming guide, environment variables), so binaries are not kept here a second
/// time.
/// </summary>
public sealed class KernelCache
{
    /// <summary>The environment variable that names the folder, or says "off".</summary>
    public const string Variable = "DATA2VEC_KERNEL_CACHE";

    private const string FolderPrefix = "build-";
    private const int KeptBuilds = 8, DigestLength = 64;

    private readonly string? folder;

    /// <param name="root">Where builds have their folders; null = nothing is kept.</param>
    /// <param name="build">Of which build what is kept is; null = of this one.</param>
    internal KernelCache(string? root, string? build = null)
    {
        if (root is null) return;
        folder = Path.Combine(root, FolderPrefix + (build ?? ThisBuild));
        // Builds are removed by when they were last used.
        Try(() => Directory.SetLastWriteTimeUtc(folder, DateTime.UtcNow), Directory.Exists(folder));
    }

    /// <summary>Where this build keeps its kernels, or that it keeps none.</summary>
    public static string Description => Open().folder ?? $"none ({Variable}=off, or no home folder)";

    /// <summary>
    /// What decides how a kernel is compiled, beside itself: the modules of the kernels, of ILGPU and of the library
    /// that both are compiled against.
    /// </summary>
    private static string ThisBuild { get; } = Short(string.Join(' ', new[]
    {
        typeof(KernelCache), typeof(Context), typeof(object),
    }.Select(t => t.Module.ModuleVersionId)));

    /// <summary>The cache that the environment asks for.</summary>
    internal static KernelCache Open() => new(Root(Environment.GetEnvironmentVariable));

    /// <summary>
    /// The folder by the environment: the variable's own, else data2vec/kernels below XDG_CACHE_HOME or ~/.cache; null
    /// for none.
    /// </summary>
    internal static string? Root(Func<string, string?> environment)
    {
        if (environment(Variable) is { Length: > 0 } own) return own == "off" ? null : Path.GetFullPath(own);
        // The XDG specification: a path that is not absolute is to be ignored.
        if (environment("XDG_CACHE_HOME") is { } shared && Path.IsPathRooted(shared))
            return Path.Combine(shared, "data2vec", "kernels");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length == 0 ? null : Path.Combine(home, ".cache", "data2vec", "kernels");
    }

    /// <summary>What was kept under a name; null when there is nothing, or nothing whole.</summary>
    internal string? Read(string name)
    {
        if (folder is null) return null;
        byte[] bytes = [];
        if (!Try(() => bytes = File.ReadAllBytes(PathOf(name)), File.Exists(PathOf(name)))) return null;
        if (bytes.Length <= DigestLength || bytes[DigestLength] != '\n') return null;
        var sealedPart = bytes.AsSpan(DigestLength + 1);
        if (!bytes.AsSpan(0, DigestLength).SequenceEqual(Digest(sealedPart))) return null;
        var text = Encoding.UTF8.GetString(sealedPart);
        return text.StartsWith(name + "\n", StringComparison.Ordinal) ? text[(name.Length + 1)..] : null;
    }

    /// <summary>Keeps a text under a name of one line, in place of what was there.</summary>
    internal void Write(string name, string text)
    {
        if (folder is null) return;
        var bytes = Encoding.UTF8.GetBytes($"{name}\n{text}");
        var path = PathOf(name);
        var aside = $"{path}.{Guid.NewGuid():N}";
        if (!Directory.Exists(folder)) Try(Begin);
        if (!Try(() =>
        {
            File.WriteAllBytes(aside, [.. Digest(bytes), (byte)'\n', .. bytes]);
            DurableFiles.Replace(aside, path);
        })) Try(() => File.Delete(aside), File.Exists(aside));
    }

    /// <summary>Where a name is kept.</summary>
    internal string PathOf(string name) => Path.Combine(folder!,
        $"{string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' ? c : '-'))}-{Short(name)}");

    /// <summary>Makes the folder of this build; those that were not used for the longest time make room.</summary>
    private void Begin()
    {
        Directory.CreateDirectory(folder!);
        var builds = new DirectoryInfo(Path.GetDirectoryName(folder)!).GetDirectories(FolderPrefix + "*")
            .OrderByDescending(d => d.LastWriteTimeUtc).ThenBy(d => d.Name == Path.GetFileName(folder) ? 0 : 1);
        foreach (var old in builds.Skip(KeptBuilds)) Try(() => old.Delete(recursive: true));
    }

    private static byte[] Digest(ReadOnlySpan<byte> bytes) =>
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(bytes)));

    private static string Short(string text) => Encoding.ASCII.GetString(Digest(Encoding.UTF8.GetBytes(text)), 0, 16);

    /// <summary>Does what the file system may refuse; false when it does.</summary>
    private static bool Try(Action action, bool condition = true)
    {
        try
        {
            if (condition) action();
            return condition;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }
}
