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
                results.Add((library, e.Message.ReplaceLineEndings(" ").Trim()));
            }
        }
        return results;
    }
}
