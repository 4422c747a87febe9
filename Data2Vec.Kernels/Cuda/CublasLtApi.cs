using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// Entry points of cuBLASLt, all of which give a status, 0 when all is well. The library is looked for at run time: it
/// is no part of NVIDIA's driver. Source: cuBLAS documentation, 12.4, and the header cublasLt.h of CUDA 12 for numbers
/// of attributes and sizes of structures (github.com/zspace/system.cuda-12.6, include/cublasLt.h, commit b3d92c8), and
/// cublas_api.h and library_types.h for types.
/// </summary>
internal sealed unsafe class CublasLtApi
{
    /// <summary>
    /// The environment variable: "on" looks for the library, a path is the library, "off" or nothing is off.
    /// </summary>
    public const string Variable = "DATA2VEC_CUBLASLT";

    /// <summary>A status: there is no algorithm for the product.</summary>
    public const int NotSupported = 15;

    /// <summary>cudaDataType_t.</summary>
    public const int Real32 = 0, RealBrain16 = 14;

    /// <summary>cublasComputeType_t: sums in float32; operands rounded to tf32.</summary>
    public const int Compute32 = 68, ComputeTensorFloat32 = 77;

    /// <summary>cublasLtMatmulDescAttributes_t.</summary>
    public const int TransposeFirst = 3, TransposeSecond = 4, Epilogue = 7, BiasPointer = 8;

    /// <summary>cublasLtEpilogue_t: add a number to each row.</summary>
    public const int EpilogueBias = 4;

    /// <summary>cublasLtMatrixLayoutAttribute_t.</summary>
    public const int BatchCount = 5, BatchStep = 6;

    /// <summary>cublasLtMatmulPreferenceAttributes_t; alignments of A, B, C and D follow one another.</summary>
    public const int WorkspaceBytes = 1, AlignmentFirst = 5;

    private static readonly string[] Names = OperatingSystem.IsWindows() ? ["cublasLt64_12.dll"]
        : ["libcublasLt.so.12", "/usr/local/cuda/lib64/libcublasLt.so.12"];

    /// <param name="find">Address of an entry point by its name.</param>
    public CublasLtApi(Func<string, nint> find)
    {
        Create = (delegate* unmanaged<nint*, int>)find("cublasLtCreate");
        Destroy = (delegate* unmanaged<nint, int>)find("cublasLtDestroy");
        Version = (delegate* unmanaged<nuint>)find("cublasLtGetVersion");
        StatusName = (delegate* unmanaged<int, nint>)find("cublasLtGetStatusName");
        DescCreate = (delegate* unmanaged<nint*, int, int, int>)find("cublasLtMatmulDescCreate");
        DescSet = (delegate* unmanaged<nint, int, void*, nuint, int>)find("cublasLtMatmulDescSetAttribute");
        DescDestroy = (delegate* unmanaged<nint, int>)find("cublasLtMatmulDescDestroy");
        LayoutCreate = (delegate* unmanaged<nint*, int, ulong, ulong, long, int>)find("cublasLtMatrixLayoutCreate");
        LayoutSet = (delegate* unmanaged<nint, int, void*, nuint, int>)find("cublasLtMatrixLayoutSetAttribute");
        LayoutDestroy = (delegate* unmanaged<nint, int>)find("cublasLtMatrixLayoutDestroy");
        PreferenceCreate = (delegate* unmanaged<nint*, int>)find("cublasLtMatmulPreferenceCreate");
        PreferenceSet = (delegate* unmanaged<nint, int, void*, nuint, int>)find("cublasLtMatmulPreferenceSetAttribute");
        PreferenceDestroy = (delegate* unmanaged<nint, int>)find("cublasLtMatmulPreferenceDestroy");
        Heuristic = (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, CublasLtChoice*, int*, int>)
            find("cublasLtMatmulAlgoGetHeuristic");
        Multiply = (delegate* unmanaged<nint, nint, void*, ulong, nint, ulong, nint, void*, ulong, nint, ulong, nint,
            CublasLtChoice*, ulong, nuint, nint, int>)find("cublasLtMatmul");
    }

    public delegate* unmanaged<nint*, int> Create { get; }
    public delegate* unmanaged<nint, int> Destroy { get; }
    public delegate* unmanaged<nuint> Version { get; }
    public delegate* unmanaged<int, nint> StatusName { get; }
    public delegate* unmanaged<nint*, int, int, int> DescCreate { get; }
    public delegate* unmanaged<nint, int, void*, nuint, int> DescSet { get; }
    public delegate* unmanaged<nint, int> DescDestroy { get; }
    public delegate* unmanaged<nint*, int, ulong, ulong, long, int> LayoutCreate { get; }
    public delegate* unmanaged<nint, int, void*, nuint, int> LayoutSet { get; }
    public delegate* unmanaged<nint, int> LayoutDestroy { get; }
    public delegate* unmanaged<nint*, int> PreferenceCreate { get; }
    public delegate* unmanaged<nint, int, void*, nuint, int> PreferenceSet { get; }
    public delegate* unmanaged<nint, int> PreferenceDestroy { get; }

    /// <summary>
    /// Handle, description, layouts of A, B, C and D, preference, how many are asked for, those, how many.
    /// </summary>
    public delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, CublasLtChoice*, int*, int> Heuristic
    {
        get;
    }

    /// <summary>
    /// Handle, description, alpha, A and its layout, B, beta, C, D, algorithm, workspace and its bytes, stream.
    /// </summary>
    public delegate* unmanaged<nint, nint, void*, ulong, nint, ulong, nint, void*, ulong, nint, ulong, nint,
        CublasLtChoice*, ulong, nuint, nint, int> Multiply { get; }

    /// <summary>The library if the environment asks for it; null when it does not.</summary>
    /// <exception cref="NotSupportedException">
    /// It is asked for and cannot be loaded; the sentence says what was tried.
    /// </exception>
    public static CublasLtApi? Asked() => Asked(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The library if a setting asks for it.</summary>
    internal static CublasLtApi? Asked(string? setting)
    {
        if (setting is null or "" or "off") return null;
        return TryLoad(setting, out var words) ?? throw new NotSupportedException(
            $"{Variable}={setting} asks for cuBLASLt, which cannot be loaded ({words}).");
    }

    /// <summary>For people: whether it is asked for, and where it is or what was tried.</summary>
    internal static string State()
    {
        var setting = Environment.GetEnvironmentVariable(Variable);
        var isOn = setting is not (null or "" or "off");
        var there = TryLoad(isOn ? setting! : "on", out var words) is { } api
            ? $"{words}, version {api.Version()}" : $"not found: {words}";
        return $"{(isOn ? "on" : $"off ({Variable}=on switches it on)")}; {there}";
    }

    private static CublasLtApi? TryLoad(string setting, out string words)
    {
        var tried = new List<string>();
        foreach (var name in setting == "on" ? Names : [setting])
        {
            try
            {
                var library = NativeLibrary.Load(name);
                words = name;
                return new CublasLtApi(entry => NativeLibrary.GetExport(library, entry));
            }
            catch (Exception e)
                when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
            {
                tried.Add($"{name}: {Platform.LibraryProbe.Reason(e.Message, name)}");
            }
        }
        words = string.Join("; ", tried);
        return null;
    }
}

/// <summary>cublasLtMatmulHeuristicResult_t, which begins with the cublasLtMatmulAlgo_t: 96 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 96)]
internal struct CublasLtChoice
{
    private unsafe fixed ulong algorithm[8];

    /// <summary>Bytes of workspace that it needs.</summary>
    public nuint WorkspaceBytes;

    /// <summary>0 when the rest is valid.</summary>
    public int Status;

    /// <summary>How far it fills the device.</summary>
    public float Waves;
}
