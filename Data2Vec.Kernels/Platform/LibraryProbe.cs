using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Platform;

/// <summary>Which of the libraries that GPU backends need can be loaded here.</summary>
public static class LibraryProbe
{
    private static readonly string[] Libraries =
    [
        "libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1", "libnvrtc.so.13", "libnvrtc.so.12",
        "/usr/local/cuda/lib64/libnvrtc.so", "libOpenCL.so.1",
    ];

    /// <summary>Each name tried, with "found" or the loader's own words.</summary>
    public static IReadOnlyList<(string Library, string Result)> Run()
    {
        var results = new List<(string, string)>();
        foreach (var library in Libraries)
        {
            try
            {
                NativeLibrary.Free(NativeLibrary.Load(library));
                results.Add((library, "found"));
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                results.Add((library, Reason(e.Message, library)));
            }
        }
        return results;
    }

    /// <summary>
    /// The loader's own words. .NET puts advice on tracing before them, and on Linux the words begin with a name again.
    /// </summary>
    internal static string Reason(string message, string library)
    {
        var words = message.ReplaceLineEndings(" ").Trim();
        var at = words.LastIndexOf(library + ": ", StringComparison.Ordinal);
        return at < 0 ? words : words[(at + library.Length + 2)..];
    }
}
