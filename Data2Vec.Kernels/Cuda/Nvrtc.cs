using System.IO.Compression;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// NVIDIA's run-time compiler for the sources in kernels/, through its C interface: CUDA C++ in, PTX or a binary for one
/// architecture out. Needs neither a GPU nor a driver. Source: NVRTC documentation, CUDA 12.4.
/// </summary>
internal sealed unsafe partial class Nvrtc : IDisposable
{
    private readonly nint library;
    private readonly delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int> create;
    private readonly delegate* unmanaged<nint, int, byte**, int> compile;
    private readonly delegate* unmanaged<nint*, int> destroy;
    private readonly delegate* unmanaged<nint, nuint*, int> logSize, ptxSize;
    private readonly delegate* unmanaged<nint, byte*, int> log, ptx;
    private readonly delegate* unmanaged<int*, int> architectureCount, architectures;

    private Nvrtc(nint library)
    {
        this.library = library;
        create = (delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)Find("nvrtcCreateProgram");
        compile = (delegate* unmanaged<nint, int, byte**, int>)Find("nvrtcCompileProgram");
        destroy = (delegate* unmanaged<nint*, int>)Find("nvrtcDestroyProgram");
        logSize = (delegate* unmanaged<nint, nuint*, int>)Find("nvrtcGetProgramLogSize");
        log = (delegate* unmanaged<nint, byte*, int>)Find("nvrtcGetProgramLog");
        ptxSize = (delegate* unmanaged<nint, nuint*, int>)Find("nvrtcGetPTXSize");
        ptx = (delegate* unmanaged<nint, byte*, int>)Find("nvrtcGetPTX");
        architectureCount = (delegate* unmanaged<int*, int>)Find("nvrtcGetNumSupportedArchs");
        architectures = (delegate* unmanaged<int*, int>)Find("nvrtcGetSupportedArchs");
    }

    /// <summary>Loads the library from a folder (with its builtins beside it) or by its system name.</summary>
    /// <param name="folder">Folder to look in first; null for none.</param>
    /// <param name="reason">Every name tried with the loader's own words, when null is returned.</param>
    public static Nvrtc? TryLoad(string? folder, out string reason)
    {
        var tried = new StringBuilder();
        string[] names = ["libnvrtc.so.13", "libnvrtc.so.12"];
        foreach (var name in folder is null ? names : [.. names.Select(n => Path.Combine(folder, n)), .. names])
        {
            try
            {
                if (Path.GetDirectoryName(name) is { Length: > 0 } own)
                    foreach (var builtins in Directory.EnumerateFiles(own, "libnvrtc-builtins.so.*")) NativeLibrary.Load(builtins);
                var loaded = NativeLibrary.Load(name);
                reason = "";
                return new Nvrtc(loaded);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or DirectoryNotFoundException)
            {
                tried.Append(name).Append(": ").AppendLine(e.Message.ReplaceLineEndings(" ").Trim());
            }
        }
        reason = tried.ToString();
        return null;
    }

    /// <summary>True when it compiles for an architecture.</summary>
    /// <param name="level">80 for compute_80.</param>
    public bool Knows(int level)
    {
        int count;
        if (architectureCount(&count) != 0) return false;
        var levels = new int[count];
        fixed (int* l = levels) return count > 0 && architectures(l) == 0 && levels.Contains(level);
    }

    /// <summary>PTX of one of our sources.</summary>
    /// <param name="source">Name below kernels/, such as "smooth_l1.cu"; its includes come from the same folder.</param>
    /// <param name="architecture">"compute_80" and so on.</param>
    /// <param name="defines">Further options, such as "-DT=float".</param>
    /// <exception cref="InvalidOperationException">The source does not compile; the compiler's log is the message.</exception>
    public string Compile(string source, string architecture, params string[] defines)
    {
        var headers = KernelSources.Headers();
        var strings = new List<nint>();
        nint Native(string text)
        {
            var copy = Marshal.StringToCoTaskMemUTF8(text);
            strings.Add(copy);
            return copy;
        }
        var contents = headers.Select(h => Native(KernelSources.Read(h))).ToArray();
        var names = headers.Select(Native).ToArray();
        string[] flags = [$"--gpu-architecture={architecture}", "--std=c++17", "-lineinfo", .. defines];
        var options = flags.Select(Native).ToArray();
        nint program;
        try
        {
            fixed (nint* c = contents, n = names, o = options)
            {
                var status = create(&program, (byte*)Native(KernelSources.Read(source)), (byte*)Native(source),
                    headers.Count, (byte**)c, (byte**)n);
                if (status != 0) throw new InvalidOperationException($"NVRTC refused {source} with status {status}.");
                if (compile(program, options.Length, (byte**)o) != 0)
                {
                    throw new InvalidOperationException(
                        $"{source} does not compile for {architecture}: {Text(program, logSize, log)}");
                }
            }
            // The compiler looks at names as if they lay in the current folder: what is shipped must not depend on it.
            return SourceFolder().Replace(Text(program, ptxSize, ptx), "${file}kernels/");
        }
        finally
        {
            destroy(&program);
            foreach (var s in strings) Marshal.FreeCoTaskMem(s);
        }
    }

    public void Dispose() => NativeLibrary.Free(library);

    private static string Text(
        nint program, delegate* unmanaged<nint, nuint*, int> size, delegate* unmanaged<nint, byte*, int> get)
    {
        nuint length;
        size(program, &length);
        var bytes = new byte[length];
        fixed (byte* p = bytes) get(program, p);
        return Encoding.UTF8.GetString(bytes).TrimEnd('\0');
    }

    private nint Find(string name) => NativeLibrary.GetExport(library, name);

    [GeneratedRegex("""(?<file>\.file\s+\d+ ")[^"]*?/(?=(common/)?[^/"]+")""")]
    private static partial Regex SourceFolder();
}

/// <summary>The CUDA C++ sources that travel inside the assembly.</summary>
internal static partial class KernelSources
{
    private const string Folder = "kernels/";

    /// <summary>Names of all .cu files below kernels/.</summary>
    public static IReadOnlyList<string> Programs() => Names(".cu");

    /// <summary>Names of all headers, as #include writes them.</summary>
    public static IReadOnlyList<string> Headers() => Names(".cuh");

    /// <summary>The text of one source.</summary>
    public static string Read(string name)
    {
        using var reader = new StreamReader(Open(name));
        return reader.ReadToEnd();
    }

    /// <summary>The text of a compressed file.</summary>
    public static string ReadCompressed(string name)
    {
        using var reader = new StreamReader(new GZipStream(Open(name), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }

    /// <summary>A program and all that it includes, in the order in which they come up.</summary>
    public static IReadOnlyList<string> FilesOf(string name)
    {
        List<string> files = [name];
        for (var i = 0; i < files.Count; i++)
        {
            foreach (Match include in Include().Matches(Read(files[i])))
                if (!files.Contains(include.Groups[1].Value)) files.Add(include.Groups[1].Value);
        }
        return files;
    }

    /// <summary>A digest of a program, of all it includes and of the options: what its PTX says that it was made of.</summary>
    public static string DigestOf(string name, IEnumerable<string> options)
    {
        var text = string.Join('\n', FilesOf(name).Select(f => $"{f}\n{Read(f)}").Concat(options)).ReplaceLineEndings("\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    [GeneratedRegex("^#include \"(.+)\"", RegexOptions.Multiline)]
    private static partial Regex Include();

    private static Stream Open(string name) => Assembly.GetExecutingAssembly().GetManifestResourceStream(Folder + name)
        ?? throw new FileNotFoundException($"There is no kernel source named {name}.");

    private static string[] Names(string ending) => [.. Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith(Folder, StringComparison.Ordinal) && n.EndsWith(ending, StringComparison.Ordinal))
        .Select(n => n[Folder.Length..].Replace('\\', '/')).Order(StringComparer.Ordinal)];
}
